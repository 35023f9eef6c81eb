/// What the tabs of one browser tell each other. Messages stay within this origin and this browser.
import type { LiveEvent, User } from "./types";

export type TabMessage =
  | { kind: "token"; token: string; expiresAt: number; user: User }
  | { kind: "signed-out" }
  | { kind: "live"; channel: string; event: LiveEvent }
  | { kind: "live-state"; channel: string; live: boolean }
  | { kind: "live-state?"; channel: string };

type Listener = (message: TabMessage) => void;

const listeners = new Set<Listener>();
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("shopwright");
channel?.addEventListener("message", (event: MessageEvent<TabMessage>) => {
  for (const listener of [...listeners]) listener(event.data);
});

export function tellTabs(message: TabMessage): void {
  channel?.postMessage(message);
}

export function onTabMessage(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/// Runs `work` while no other tab runs work under the same name. Where the browser has no such locks, tabs may overlap: the server
/// allows for that.
export function exclusively<T>(name: string, work: () => Promise<T>, abort?: AbortSignal): Promise<T> {
  if (!("locks" in navigator)) return work();
  return navigator.locks.request(`shopwright:${name}`, abort ? { signal: abort } : {}, work) as Promise<T>;
}
