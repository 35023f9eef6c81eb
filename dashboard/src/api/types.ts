/// What the API sends, as `docs/API.md` describes it.

export type StoreStatus = "requested" | "provisioning" | "ready" | "failed" | "deleting" | "deleted";
export type OperationStatus = "queued" | "running" | "waiting" | "stuck" | "succeeded" | "failed" | "cancelled";
export type OperationKind = "provision" | "delete" | "unwind" | (string & {});
export type Engine = "woocommerce" | "medusa" | (string & {});
export type Role = "owner" | "admin" | "developer" | "viewer";

/// Why something failed or waits, and who must act.
export interface Failure {
  code: string;
  class: "retry" | "user" | "platform" | (string & {});
  message: string;
  hint: string;
}

export interface Step {
  name: string;
  status: string;
  attempts: number;
  startedAt: string | null;
  finishedAt: string | null;
  error: Failure | null;
}

export interface Operation {
  id: string;
  storeId: string;
  kind: OperationKind;
  status: OperationStatus;
  step: string | null;
  attempt: number;
  /// Only where one operation is asked for.
  steps?: Step[];
  failure: Failure | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
}

export interface Store {
  id: string;
  name: string;
  engine: Engine;
  status: StoreStatus;
  theme: string | null;
  urls: { storefront: string | null; admin: string | null };
  namespace: string;
  isCredentialOwner: boolean;
  failureReason: string | null;
  retryCount: number;
  provisioningDurationMs: number | null;
  createdAt: string;
  updatedAt: string;
  host: string;
  engineNote: string | null;
  failure: Failure | null;
  operation: Operation | null;
}

export interface Credentials {
  email: string;
  username?: string | null;
  password: string;
}

export interface StorePage {
  stores: Store[];
  total: number;
  limit: number;
  offset: number;
  nextPageToken?: string | null;
}

export interface OperationPage {
  operations: Operation[];
  nextPageToken: string | null;
}

export interface AuditEntry {
  id: string;
  storeId: string | null;
  storeName?: string | null;
  eventType: string;
  previousStatus: StoreStatus | null;
  newStatus: StoreStatus | null;
  message: string;
  metadata: Record<string, string | number | boolean>;
  ipAddress: string | null;
  userEmail: string | null;
  createdAt: string;
  operationId?: string | null;
  actor?: { id: string | null; email: string | null } | null;
  requestId?: string | null;
  before?: unknown;
  after?: unknown;
}

export interface AuditPage {
  logs: AuditEntry[];
  total?: number;
  nextPageToken?: string | null;
}

export interface User {
  id: string;
  email: string;
  username: string;
  role: "admin" | "tenant";
  createdAt?: string;
}

export interface OrganisationMembership {
  id: string;
  name: string;
  personal: boolean;
  role: Role;
  createdAt?: string;
}

export interface Me {
  user: User;
  organisations?: OrganisationMembership[];
}

export interface SignedIn {
  user: User;
  token: string;
  expiresIn: number;
}

export interface Session {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  ipAddress: string | null;
  userAgent: string | null;
  current: boolean;
}

export interface ApiToken {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  createdAt: string;
  expiresAt: string;
  lastUsedAt: string | null;
}

export interface Member {
  userId: string;
  email: string;
  username: string;
  role: Role;
  joinedAt: string;
}

export interface Invitation {
  id: string;
  email: string | null;
  role: Role;
  expiresAt: string;
  createdAt?: string;
}

export interface Limits {
  plan: string;
  stores: { limit: number; used: number };
  creationCooldown: { seconds: number; endsAt: string | null };
  requests: { limit: number; windowSeconds: number };
  retries: { limit: number };
}

export interface Availability {
  name: string;
  available: boolean;
  reason: string | null;
  suggestion: string | null;
  host: string | null;
  url: string | null;
}

export interface Health {
  status: "healthy" | "degraded";
  uptime: number;
  checks: {
    database: { status: string; message?: string; latencyMs: number };
    kubernetes: { status: string; message?: string; latencyMs: number; breaker: string; fence: string; unknownNamespaces: number };
  };
  concurrency: { active: number; maxConcurrent: number; queued?: number | null };
  simulated: boolean;
}

/// One line of `GET /events`.
export interface LiveEvent {
  id: string;
  type: "store" | "operation" | "audit" | (string & {});
  at: string;
  storeId: string | null;
  operationId: string | null;
  status: string | null;
  step: string | null;
  attempt: number | null;
  message: string | null;
  failure: Failure | null;
}

export interface PlatformUser extends User {
  active: boolean;
}
