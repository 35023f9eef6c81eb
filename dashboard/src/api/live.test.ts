import { expect, test, vi } from "vitest";
import { refusal, serve, signedInAs } from "../testing/server";
import { follow, liveness } from "./live";
import { signedIn } from "./session";
import type { LiveEvent } from "./types";

const frame = (id: number, status: string) => `id: ${id}\nevent: store\ndata: {"storeId":"store-1","status":"${status}"}\n\n`;

function stream(text: string): Response {
  return new Response(new TextEncoder().encode(text), { headers: { "content-type": "text/event-stream" } });
}

test("after a break the stream goes on behind the last event that was seen", async () => {
  signedIn(signedInAs("token"));
  let opened = 0;
  const asked = serve({ "GET /events": () => stream(++opened === 1 ? frame(41, "provisioning") : frame(42, "ready")) });
  const events: LiveEvent[] = [];

  const stop = follow("one", (event) => events.push(event));
  await vi.waitFor(() => expect(events.map((event) => [event.id, event.type, event.status])).toEqual([["41", "store", "provisioning"], ["42", "store", "ready"]]), 8000);
  stop();

  expect(asked.slice(0, 2).map((one) => one.headers.get("last-event-id"))).toEqual([null, "41"]);
});

test("a server without streams is polled", async () => {
  signedIn(signedInAs("token"));
  serve({ "GET /events": refusal(404, "NOT_FOUND") });

  const stop = follow("two", () => undefined);
  await vi.waitFor(() => expect(liveness.get()).toBe("polling"), 8000);
  stop();
});
