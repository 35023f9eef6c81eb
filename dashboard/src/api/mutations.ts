/// Everything that changes something.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "./client";
import { keys } from "./queries";
import type { ApiToken, Invitation, Member, OrganisationMembership, Role, Session, SignedIn, Store } from "./types";

interface StoreAnswer {
  message: string;
  store: Store;
}

export interface NewStore {
  name: string;
  engine: string;
  theme?: string;
  password?: string;
}

/// The store that an answer tells of is shown at once; the rest is asked for again.
function useStoreAction<Input>(run: (input: Input) => Promise<StoreAnswer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: ({ store }) => {
      client.setQueryData(keys.store(store.id), (known: Store | undefined) => ({ ...known, ...store }));
    },
    onSettled: (answer) => {
      void client.invalidateQueries({ queryKey: keys.stores() });
      void client.invalidateQueries({ queryKey: keys.operations() });
      void client.invalidateQueries({ queryKey: keys.limits() });
      if (answer) void client.invalidateQueries({ queryKey: keys.store(answer.store.id) });
    },
  });
}

export const useCreateStore = () =>
  useStoreAction(({ idempotencyKey, ...body }: NewStore & { idempotencyKey: string }) =>
    call<StoreAnswer>("/stores", { method: "POST", body, idempotencyKey }),
  );

export const retryStore = (id: string) => call<StoreAnswer>(`/stores/${id}/retry`, { method: "POST" });
export const deleteStore = (id: string) => call<StoreAnswer>(`/stores/${id}`, { method: "DELETE" });

export const useRetryStore = () => useStoreAction(retryStore);
export const useDeleteStore = () => useStoreAction(deleteStore);
export const useUpgradeStore = () => useStoreAction((id: string) => call<StoreAnswer>(`/stores/${id}/upgrade`, { method: "POST" }));
export const useRotateCredentials = () =>
  useStoreAction(({ id, targets }: { id: string; targets: string[] }) =>
    call<StoreAnswer>(`/stores/${id}/credentials/rotate`, { method: "POST", body: { targets } }),
  );
export const useCancelOperation = () =>
  useStoreAction((operationId: string) => call<StoreAnswer>(`/operations/${operationId}/cancel`, { method: "POST" }));

/// Several at once, each with its own outcome.
export function useBulk(run: (id: string) => Promise<StoreAnswer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (ids: string[]) => {
      const outcomes = [];
      // One after another: a selection is small, and the server's limits are for bursts.
      for (const id of ids) outcomes.push(await run(id).then(() => null, (error: unknown) => ({ id, error })));
      return outcomes.filter((outcome) => outcome !== null);
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.stores() });
      void client.invalidateQueries({ queryKey: keys.operations() });
    },
  });
}

export const signIn = (body: { email: string; password: string }) =>
  call<SignedIn>("/auth/login", { method: "POST", body, open: true });

export const register = (body: { email: string; username: string; password: string; invitation?: string }) =>
  call<SignedIn>("/auth/register", { method: "POST", body, open: true });

export const inspectInvitation = (token: string) =>
  call<{ organisation: { name: string }; role: Role; email: string | null; expiresAt: string }>("/invitations/inspect", {
    method: "POST",
    body: { token },
    open: true,
  });

export const acceptInvitation = (token: string) =>
  call<{ organisation: OrganisationMembership }>("/invitations/accept", { method: "POST", body: { token }, personal: true });

/// A change after which these lists are asked for again.
function useChange<Input, Output>(run: (input: Input) => Promise<Output>, ...stale: unknown[][]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSettled: () => Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

export const useChangePassword = () =>
  useChange(
    (body: { currentPassword: string; newPassword: string }) => call<unknown>("/auth/password", { method: "PATCH", body, personal: true }),
    keys.sessions(),
  );

/// A change whose outcome is all but certain: it is shown at once in the list under `key`, and taken back when the server refuses.
function useCertainChange<Input, List>(run: (input: Input) => Promise<unknown>, key: unknown[], changed: (list: List, input: Input) => List, ...stale: unknown[][]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onMutate: async (input: Input) => {
      // An answer that is under way knows nothing of it.
      await client.cancelQueries({ queryKey: key });
      const before = client.getQueryData<List>(key);
      if (before) client.setQueryData(key, changed(before, input));
      return before;
    },
    onError: (_error, _input, before) => {
      if (before) client.setQueryData(key, before);
    },
    onSettled: () => Promise.all([key, ...stale].map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

export const useEndSession = () =>
  useCertainChange(
    (id: string) => call<unknown>(`/auth/sessions/${id}`, { method: "DELETE", personal: true }),
    keys.sessions(),
    ({ sessions }: { sessions: Session[] }, id) => ({ sessions: sessions.filter((session) => session.id !== id) }),
  );

export const useEndOtherSessions = () =>
  useChange(
    () => call<unknown>("/auth/sessions", { method: "DELETE", query: { keep: "current" }, personal: true }),
    keys.sessions(),
  );

export const useCreateApiToken = () =>
  useChange(
    (body: { name: string; scopes: string[]; expiresInDays: number }) =>
      call<{ token: string; apiToken: ApiToken }>("/auth/tokens", { method: "POST", body }),
    keys.apiTokens(),
  );

export const useRevokeApiToken = () =>
  useChange((id: string) => call<unknown>(`/auth/tokens/${id}`, { method: "DELETE" }), keys.apiTokens());

export const useCreateOrganisation = () =>
  useChange(
    (body: { name: string }) => call<{ organisation: OrganisationMembership }>("/organisations", { method: "POST", body, personal: true }),
    keys.organisations(),
    keys.me(),
  );

export const useRenameOrganisation = (id: string) =>
  useChange((body: { name: string }) => call<unknown>(`/organisations/${id}`, { method: "PATCH", body }), keys.organisations(), keys.me());

export const useDeleteOrganisation = () =>
  useChange((id: string) => call<unknown>(`/organisations/${id}`, { method: "DELETE" }), keys.organisations(), keys.me());

export const useChangeRole = (id: string) =>
  useCertainChange(
    ({ userId, role }: { userId: string; role: Role }) =>
      call<unknown>(`/organisations/${id}/members/${userId}`, { method: "PATCH", body: { role } }),
    keys.members(id),
    ({ members }: { members: Member[] }, { userId, role }) => ({ members: members.map((member) => (member.userId === userId ? { ...member, role } : member)) }),
    keys.me(),
  );

export const useRemoveMember = (id: string) =>
  useChange((userId: string) => call<unknown>(`/organisations/${id}/members/${userId}`, { method: "DELETE" }), keys.members(id), keys.me());

export const useInvite = (id: string) =>
  useChange(
    (body: { email?: string; role: Role }) =>
      call<{ invitation: Invitation; token: string; url: string }>(`/organisations/${id}/invitations`, { method: "POST", body }),
    keys.invitations(id),
  );

export const useWithdrawInvitation = (id: string) =>
  useCertainChange(
    (invitation: string) => call<unknown>(`/organisations/${id}/invitations/${invitation}`, { method: "DELETE" }),
    keys.invitations(id),
    ({ invitations }: { invitations: Invitation[] }, withdrawn) => ({ invitations: invitations.filter((one) => one.id !== withdrawn) }),
  );

export const useSetUserActive = () =>
  useChange(
    ({ id, active }: { id: string; active: boolean }) => call<unknown>(`/platform/users/${id}`, { method: "PATCH", body: { active } }),
    ["platform-users"],
  );
