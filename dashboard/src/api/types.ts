/// What the API sends. What `docs/openapi.json` describes comes from there: `dashboard/build` makes `schema.ts` of it. What that document
/// does not describe yet is written down here, as `docs/API.md` says it.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type StoreStatus = Schemas["StoreStatus"];
export type OperationStatus = Schemas["Status"];
export type Failure = Schemas["Failure"];
export type Step = Schemas["OperationStep"];
export type SetupStep = Schemas["SetupStep"];
export type Operation = Schemas["Operation"];
export type Store = Schemas["Store"];
export type Engine = Schemas["Engine"];
export type StoreResources = Schemas["StoreResources"];
export type Share = Schemas["Share"];
export type Upgrade = Schemas["Upgrade"];
export type ObjectChange = Schemas["ObjectChange"];
export type User = Schemas["User"] & { createdAt?: string };
export type Session = Schemas["Session"];
export type ApiToken = Schemas["ApiToken"];
export type Role = "owner" | "admin" | "developer" | "viewer";

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

export type PlatformUser = Schemas["PlatformUser"];
export type PlatformCluster = Schemas["PlatformCluster"];
