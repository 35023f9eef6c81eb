/// Whether the server answers, as the last request saw it; and asking again until it does.
import { signal } from "./signal";

export type Connection = "online" | "offline" | "unreachable";

export const connection = signal<Connection>("online");

const back = new Set<() => void>();

/// Calls `listener` whenever the server answers again.
export function onBack(listener: () => void): () => void {
  back.add(listener);
  return () => back.delete(listener);
}

export function sawAnswer(): void {
  const before = connection.get();
  connection.set("online");
  if (before !== "online") for (const listener of [...back]) listener();
}

let asking = false;

export function sawNoAnswer(): void {
  connection.set(navigator.onLine ? "unreachable" : "offline");
  if (!asking) void askAgain();
}

async function askAgain(): Promise<void> {
  asking = true;
  for (let pause = 1000; connection.get() !== "online"; pause = Math.min(pause * 1.5, 8000)) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause * (0.75 + Math.random() / 2));
      window.addEventListener("online", () => (clearTimeout(timer), resolve()), { once: true });
    });
    try {
      const answer = await fetch("/readyz", { cache: "no-store" });
      if (answer.ok) sawAnswer();
      else connection.set("unreachable");
    } catch {
      connection.set(navigator.onLine ? "unreachable" : "offline");
    }
  }
  asking = false;
}

window.addEventListener("offline", sawNoAnswer);
