/// Everything that is read, each with the key under which it is kept.
import { keepPreviousData, queryOptions, useQuery, type QueryClient } from "@tanstack/react-query";
import { call, type Request } from "./client";
import { asApiError } from "./errors";
import { liveness } from "./live";
import { activeOrganisation } from "./organisation";
import { useSignal } from "./signal";
import type {
  ApiToken,
  AuditPage,
  Availability,
  Engine,
  Health,
  Invitation,
  Limits,
  Me,
  Member,
  Operation,
  OperationPage,
  PlatformCluster,
  PlatformUser,
  Session,
  Store,
  StorePage,
  StoreResources,
  Upgrade,
} from "./types";

/// How often something is asked for that may change without a word: more often where no stream tells.
const BUSY_MS = 2_000;
const IDLE_MS = 15_000;
const LIVE_MS = 60_000;

export function usePace(busy = false): number {
  const live = useSignal(liveness);
  if (live === "live") return LIVE_MS;
  return busy ? BUSY_MS : IDLE_MS;
}

/// Under one organisation: what another one has is kept apart.
function inOrganisation(...key: unknown[]): unknown[] {
  return ["organisation", activeOrganisation.get(), ...key];
}

const read = <T,>(path: string, query?: Request["query"], request: Request = {}) =>
  ({ signal }: { signal: AbortSignal }) => call<T>(path, { ...request, query: query ?? {}, signal });

export const isBusy = (store: Store) => ["requested", "provisioning", "deleting"].includes(store.status) || isOpen(store.operation);
export const isOpen = (operation: Operation | null) => !!operation && ["queued", "running", "waiting", "stuck"].includes(operation.status);

export const keys = {
  me: () => ["me"],
  stores: () => inOrganisation("stores"),
  store: (id: string) => inOrganisation("store", id),
  operation: (id: string) => inOrganisation("operation", id),
  operations: () => inOrganisation("operations"),
  audit: () => inOrganisation("audit"),
  logs: (id: string) => inOrganisation("logs", id),
  limits: () => inOrganisation("limits"),
  engines: () => inOrganisation("engines"),
  members: (id: string) => ["members", id],
  invitations: (id: string) => ["invitations", id],
  organisations: () => ["organisations"],
  sessions: () => ["sessions"],
  apiTokens: () => ["api-tokens"],
};

export const meOptions = queryOptions({ queryKey: keys.me(), queryFn: read<Me>("/auth/me", {}, { personal: true }) });

export interface StoreQuestion {
  search?: string;
  status?: string;
  engine?: string;
  sort?: string;
  limit?: number;
  offset?: number;
  pageToken?: string;
}

export const storesOptions = (question: StoreQuestion) =>
  queryOptions({ queryKey: [...keys.stores(), question], queryFn: read<StorePage>("/stores", { ...question }) });

export function useStores(question: StoreQuestion = {}) {
  const pace = usePace(true);
  return useQuery({
    ...storesOptions(question),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.stores.some(isBusy) ? pace : Math.max(pace, IDLE_MS)),
  });
}

export function useStore(id: string) {
  const pace = usePace(true);
  return useQuery({
    queryKey: keys.store(id),
    queryFn: (context) => read<{ store: Store }>(`/stores/${id}`)(context).then((answer) => answer.store),
    refetchInterval: (query) => (query.state.data && isBusy(query.state.data) ? pace : Math.max(pace, IDLE_MS)),
  });
}

/// What an upgrade would change, as of now: both releases are made for the answer, so nobody asks twice without need, and none is kept.
export const useUpgrade = (id: string) =>
  useQuery({
    queryKey: inOrganisation("upgrade", id),
    queryFn: (context) => read<{ upgrade: Upgrade }>(`/stores/${id}/upgrade`)(context).then((answer) => answer.upgrade),
    staleTime: Infinity,
    gcTime: 0,
  });

/// What a store takes and may take. It changes with its release alone, and every change of that ends an operation.
export const useResources = (id: string, operation: string | null) =>
  useQuery<StoreResources>({
    queryKey: inOrganisation("resources", id, operation),
    queryFn: (context) => read<{ resources: StoreResources }>(`/stores/${id}/resources`)(context).then((answer) => answer.resources),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

export function useOperation(id: string | null | undefined) {
  const pace = usePace(true);
  return useQuery({
    queryKey: keys.operation(id ?? ""),
    queryFn: (context) => read<{ operation: Operation }>(`/operations/${id}`)(context).then((answer) => answer.operation),
    enabled: !!id,
    refetchInterval: (query) => (query.state.data && isOpen(query.state.data) ? pace : false),
  });
}

export function useOperations(question: { status?: string; kind?: string; storeId?: string; limit?: number; pageToken?: string }, enabled = true) {
  const pace = usePace(true);
  return useQuery({
    queryKey: [...keys.operations(), question],
    queryFn: read<OperationPage>("/operations", question),
    placeholderData: keepPreviousData,
    refetchInterval: pace,
    enabled,
  });
}

export function useLogs(storeId: string, limit: number) {
  const pace = usePace();
  return useQuery({
    queryKey: [...keys.logs(storeId), limit],
    queryFn: read<AuditPage>(`/stores/${storeId}/logs`, { limit }),
    placeholderData: keepPreviousData,
    refetchInterval: pace,
  });
}

export interface AuditQuestion {
  storeId?: string;
  eventType?: string;
  actorId?: string;
  operationId?: string;
  from?: string;
  to?: string;
  limit?: number;
  offset?: number;
  pageToken?: string;
}

export function useAudit(question: AuditQuestion, enabled = true) {
  const pace = usePace();
  return useQuery({
    queryKey: [...keys.audit(), question],
    queryFn: read<AuditPage>("/audit", { ...question }),
    enabled,
    placeholderData: keepPreviousData,
    refetchInterval: pace,
  });
}

/// What stores can be made of. It changes with the server, not under somebody's hands.
export const useEngines = () =>
  useQuery({
    queryKey: keys.engines(),
    queryFn: (context) => read<{ engines: Engine[] }>("/engines")(context).then((answer) => answer.engines),
    staleTime: 60_000,
  });

export const useLimits = () => useQuery({ queryKey: keys.limits(), queryFn: read<Limits>("/limits") });

export const useAvailability = (name: string, enabled: boolean) =>
  useQuery({
    queryKey: inOrganisation("availability", name),
    queryFn: read<Availability>("/stores/availability", { name }),
    enabled,
    staleTime: 5_000,
  });

export function useHealth() {
  return useQuery({ queryKey: ["health"], queryFn: read<Health>("/health", {}, { open: true }), refetchInterval: 15_000 });
}

export const useMembers = (id: string) =>
  useQuery({ queryKey: keys.members(id), queryFn: read<{ members: Member[] }>(`/organisations/${id}/members`) });

export const useInvitations = (id: string, enabled: boolean) =>
  useQuery({
    queryKey: keys.invitations(id),
    queryFn: read<{ invitations: Invitation[] }>(`/organisations/${id}/invitations`),
    enabled,
  });

export const useSessions = () =>
  useQuery({ queryKey: keys.sessions(), queryFn: read<{ sessions: Session[] }>("/auth/sessions", {}, { personal: true }) });

export const useApiTokens = () => useQuery({ queryKey: keys.apiTokens(), queryFn: read<{ apiTokens: ApiToken[] }>("/auth/tokens") });

export const usePlatformUsers = (search: string, pageToken?: string) =>
  useQuery({
    queryKey: ["platform-users", search, pageToken],
    queryFn: read<{ users: PlatformUser[]; nextPageToken: string | null }>("/platform/users", { search, pageToken }),
    placeholderData: keepPreviousData,
  });

export const usePlatformClusters = () =>
  useQuery({
    queryKey: ["platform-clusters"],
    queryFn: read<{ clusters: PlatformCluster[] }>("/platform/clusters"),
    refetchInterval: 15_000,
  });

/// An outage is asked about until it is over; what was refused once will be refused again.
export function retryUnlessMissing(count: number, error: unknown): boolean {
  return asApiError(error).isOutage && count < 1000;
}

/// What an event of the stream may have changed.
export function invalidate(client: QueryClient, storeIds: ReadonlySet<string>, operationIds: ReadonlySet<string>, audit: boolean): void {
  const again = (queryKey: unknown[]) => void client.invalidateQueries({ queryKey });
  if (storeIds.size > 0 || operationIds.size > 0) {
    again(keys.stores());
    again(keys.operations());
    again(keys.limits());
  }
  for (const id of storeIds) {
    again(keys.store(id));
    again(keys.logs(id));
  }
  for (const id of operationIds) again(keys.operation(id));
  if (audit) again(keys.audit());
}
