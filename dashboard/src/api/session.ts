/// Who is signed in. The access token lives in this module's memory alone; the refresh token in a cookie that no script can read.
///
/// One refresh at a time, over all tabs: whoever gets the lock first refreshes and tells the others, who then use that token.
import { errorOf, unreachable, type ApiError } from "./errors";
import { signal } from "./signal";
import { exclusively, onTabMessage, tellTabs } from "./tabs";
import type { SignedIn, User } from "./types";

export type SessionState =
  /// Not asked yet whether a session goes on.
  | { kind: "unknown" }
  | { kind: "anonymous" }
  | { kind: "signed-in"; user: User }
  /// It was over while somebody worked: their page stays until they are back.
  | { kind: "expired"; user: User };

interface Token {
  token: string;
  expiresAt: number;
}

/// Refreshed so long before its end that clocks may differ a little.
const EARLY_MS = 30_000;

export const session = signal<SessionState>({ kind: "unknown" });

let current: Token | null = null;
let refreshing: Promise<void> | null = null;

export function signedIn(answer: SignedIn): void {
  const expiresAt = Date.now() + answer.expiresIn * 1000;
  adopt(answer.token, expiresAt, answer.user);
  tellTabs({ kind: "token", token: answer.token, expiresAt, user: answer.user });
}

function adopt(token: string, expiresAt: number, user: User): void {
  current = { token, expiresAt };
  const before = session.get();
  if (before.kind !== "signed-in" || before.user.id !== user.id) session.set({ kind: "signed-in", user });
}

/// Forgets the session in this tab.
function end(state: SessionState): void {
  current = null;
  session.set(state);
}

function expire(): void {
  const before = session.get();
  end(before.kind === "signed-in" || before.kind === "expired" ? { kind: "expired", user: before.user } : { kind: "anonymous" });
}

/// A token that is good for a moment longer.
///
/// Rejects with an `ApiError` when there is none to be had: 401 when the session is over, status 0 when nobody answers.
export async function accessToken(): Promise<string> {
  if (!current || current.expiresAt - EARLY_MS < Date.now()) await refresh(current?.token ?? null);
  if (!current) throw unreachable();
  return current.token;
}

/// Gets a token that is not `stale`.
export function refresh(stale: string | null): Promise<void> {
  refreshing ??= exclusively("refresh", () => refreshUnlessDone(stale)).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refreshUnlessDone(stale: string | null): Promise<void> {
  // Another tab was faster.
  if (current && current.token !== stale && current.expiresAt - EARLY_MS > Date.now()) return;
  let response: Response;
  try {
    response = await fetch("/api/v1/auth/refresh", { method: "POST", headers: { accept: "application/json" } });
  } catch {
    throw unreachable();
  }
  if (response.ok) {
    signedIn((await response.json()) as SignedIn);
    return;
  }
  const error: ApiError = await errorOf(response);
  if (error.status === 401) expire();
  throw error;
}

/// Finds out at the start whether a session goes on. Nobody's answer is no answer: it asks until there is one.
export async function resume(wait: (ms: number) => Promise<void>): Promise<void> {
  for (let pause = 500; session.get().kind === "unknown"; pause = Math.min(pause * 2, 8000)) {
    try {
      await refresh(null);
    } catch (error) {
      if ((error as ApiError).status === 401 || (error as ApiError).status === 403) end({ kind: "anonymous" });
      else await wait(pause);
    }
  }
}

export async function signOut(): Promise<void> {
  try {
    // The cookie goes with it and names the session.
    await fetch("/api/v1/auth/logout", { method: "POST", headers: current ? { authorization: `Bearer ${current.token}` } : {} });
  } catch {
    // Nobody answers: the tab forgets all the same, and the session ends by itself.
  }
  end({ kind: "anonymous" });
  tellTabs({ kind: "signed-out" });
}

/// Gives an expired session up, for somebody else to sign in.
export function forget(): void {
  end({ kind: "anonymous" });
}

onTabMessage((message) => {
  if (message.kind === "token") adopt(message.token, message.expiresAt, message.user);
  if (message.kind === "signed-out") end({ kind: "anonymous" });
});
