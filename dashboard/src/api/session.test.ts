import { beforeEach, expect, test, vi } from "vitest";
import { json, refusal, serve, signedInAs, USER } from "../testing/server";

/// The module anew: it keeps the token.
async function fresh() {
  vi.resetModules();
  return { ...(await import("./session")), ...(await import("./client")), ...(await import("./errors")) };
}

beforeEach(() => vi.useRealTimers());

test("many requests at once refresh once", async () => {
  let refreshed = 0;
  const asked = serve({
    "POST /auth/refresh": () => signedInAs(`token-${++refreshed}`),
    "GET /stores": { stores: [] },
  });
  const { call } = await fresh();

  await Promise.all(Array.from({ length: 5 }, () => call("/stores")));

  expect(refreshed).toBe(1);
  const tokens = asked.filter((one) => one.path === "/stores").map((one) => one.headers.get("authorization"));
  expect(new Set(tokens)).toEqual(new Set(["Bearer token-1"]));
});

test("a token that the server refuses is refreshed and the request repeated once", async () => {
  let refreshed = 0;
  serve({
    "POST /auth/refresh": () => signedInAs(`token-${++refreshed}`),
    "GET /stores": (asked) => (asked.headers.get("authorization") === "Bearer token-1" ? refusal(401, "UNAUTHORIZED") : json(200, { stores: [] })),
  });
  const { call } = await fresh();

  await expect(call("/stores")).resolves.toEqual({ stores: [] });
  expect(refreshed).toBe(2);
});

test("a session that ends while somebody works is expired, and nobody's is anonymous", async () => {
  serve({ "POST /auth/refresh": refusal(401, "SESSION_OVER"), "GET /stores": refusal(401, "UNAUTHORIZED") });
  const { call, session, signedIn, resume } = await fresh();
  await resume(async () => undefined);
  expect(session.get()).toEqual({ kind: "anonymous" });

  signedIn(signedInAs("token"));
  await expect(call("/stores")).rejects.toMatchObject({ status: 401 });
  expect(session.get()).toEqual({ kind: "expired", user: USER });
});

test("an outage at the start is no sign-out: it asks until there is an answer", async () => {
  let tries = 0;
  serve({ "POST /auth/refresh": () => (++tries < 3 ? refusal(503, "SERVICE_UNAVAILABLE") : signedInAs("token")) });
  const { resume, session } = await fresh();

  await resume(async () => undefined);

  expect(tries).toBe(3);
  expect(session.get()).toMatchObject({ kind: "signed-in" });
});

test("a token from another tab is used instead of a refresh", async () => {
  const asked = serve({ "GET /stores": { stores: [] } });
  const { call, session } = await fresh();
  const other = new BroadcastChannel("shopwright");
  other.postMessage({ kind: "token", token: "from-the-other-tab", expiresAt: Date.now() + 600_000, user: USER });
  await vi.waitFor(() => expect(session.get().kind).toBe("signed-in"));

  await call("/stores");

  expect(asked.map((one) => [one.path, one.headers.get("authorization")])).toEqual([["/stores", "Bearer from-the-other-tab"]]);
  other.postMessage({ kind: "signed-out" });
  await vi.waitFor(() => expect(session.get().kind).toBe("anonymous"));
  other.close();
});

test("the token is in no storage and in no address", async () => {
  serve({ "POST /auth/refresh": signedInAs("very-secret-token"), "GET /stores": { stores: [] } });
  const { call } = await fresh();
  await call("/stores");

  expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain("very-secret-token");
  expect(document.cookie).not.toContain("very-secret-token");
  expect(window.location.href).not.toContain("very-secret-token");
});
