/// What happens to an organisation, as it happens.
///
/// One tab of a browser holds the stream and tells the others, for a browser opens only a handful of connections to one server; when that
/// tab closes, the next takes over. After a break the stream goes on behind the last event that was seen. A server without streams is
/// polled: `liveness` says which it is.
import { send } from "./client";
import { asApiError } from "./errors";
import { signal } from "./signal";
import { readFrames } from "./sse";
import { exclusively, onTabMessage, tellTabs } from "./tabs";
import type { LiveEvent } from "./types";

export type Liveness = "connecting" | "live" | "polling";

export const liveness = signal<Liveness>("connecting");

/// The server says something at least every 15 s: a stream that is silent for longer is dead.
const SILENCE_MS = 40_000;
const PAUSE_MS = 500;
const PAUSE_MAX_MS = 15_000;

/// Follows the events of `channel` (one person in one organisation) until the returned function is called.
export function follow(channel: string, onEvent: (event: LiveEvent) => void): () => void {
  const stop = new AbortController();
  liveness.set("connecting");
  const forget = onTabMessage((message) => {
    if (!("channel" in message) || message.channel !== channel) return;
    if (message.kind === "live") onEvent(message.event);
    else if (message.kind === "live-state") liveness.set(message.live ? "live" : "connecting");
    else if (leading) tellTabs({ kind: "live-state", channel, live: liveness.get() === "live" });
  });
  let leading = false;
  tellTabs({ kind: "live-state?", channel });
  const lead = async () => {
    leading = true;
    await keepStream(channel, onEvent, stop.signal);
  };
  exclusively(`live:${channel}`, lead, stop.signal).catch(() => {
    // Stopped before it was this tab's turn.
  });
  return () => {
    stop.abort();
    forget();
  };
}

async function keepStream(channel: string, onEvent: (event: LiveEvent) => void, stop: AbortSignal): Promise<void> {
  let last: string | null = null;
  let pause = PAUSE_MS;
  const set = (live: boolean, otherwise: Liveness = "connecting") => {
    liveness.set(live ? "live" : otherwise);
    tellTabs({ kind: "live-state", channel, live });
  };
  while (!stop.aborted) {
    try {
      await readStream(last, stop, () => {
        pause = PAUSE_MS;
        set(true);
      }, (event) => {
        last = event.id;
        onEvent(event);
        tellTabs({ kind: "live", channel, event });
      });
    } catch (error) {
      if (stop.aborted) return;
      const missing = asApiError(error).isMissingRoute;
      set(false, missing ? "polling" : "connecting");
      // It may be a newer server after the next restart.
      if (missing) pause = PAUSE_MAX_MS;
    }
    if (stop.aborted) return;
    if (liveness.get() === "live") set(false);
    await sleep(pause * (0.75 + Math.random() / 2), stop);
    pause = Math.min(pause * 2, PAUSE_MAX_MS);
  }
}

async function readStream(last: string | null, stop: AbortSignal, onOpen: () => void, onEvent: (event: LiveEvent) => void): Promise<void> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  heard();
  try {
    const answer = await send("/events", {
      signal: AbortSignal.any([stop, silence.signal]),
      stream: true,
      ...(last ? { lastEventId: last } : {}),
    });
    if (!answer.body) return;
    onOpen();
    await readFrames(answer.body, (frame) => {
      const event = parsed(frame.id, frame.event, frame.data);
      if (event) onEvent(event);
    }, heard);
  } finally {
    clearTimeout(timer);
  }
}

function parsed(id: string | null, type: string, data: string): LiveEvent | null {
  try {
    const event = JSON.parse(data) as Partial<LiveEvent>;
    const absent = { at: "", storeId: null, operationId: null, status: null, step: null, attempt: null, message: null, failure: null };
    return { ...absent, ...event, id: id ?? String(event.id ?? ""), type: event.type ?? type };
  } catch {
    return null;
  }
}

function sleep(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    }
    stop.addEventListener("abort", done);
  });
}
