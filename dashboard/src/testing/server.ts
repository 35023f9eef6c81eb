/// A server of a test's own: answers what it was told to, and remembers what it was asked.
import { vi } from "vitest";

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

type Answer = Response | object | ((asked: Asked) => Response | object | Promise<Response | object>);

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
}

export function refusal(status: number, code: string, more: object = {}): Response {
  return json(status, { requestId: "req_test", error: { code, message: `refused with ${code}`, retryable: false, ...more } });
}

/// `routes` by `METHOD /path` without `/api/v1`; anything else is 404 as a server without the route says it.
export function serve(routes: Record<string, Answer>): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (input: string, init: RequestInit = {}) => {
    const url = new URL(input, "http://shopwright.test");
    const one: Asked = {
      method: init.method ?? "GET",
      path: url.pathname.replace("/api/v1", ""),
      query: url.searchParams,
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : null,
    };
    asked.push(one);
    init.signal?.throwIfAborted();
    const answer = routes[`${one.method} ${one.path}`];
    const found = typeof answer === "function" ? await answer(one) : (answer ?? refusal(404, "NOT_FOUND"));
    return found instanceof Response ? found.clone() : json(200, found);
  });
  return asked;
}

export const USER = { id: "u1", email: "ada@example.com", username: "ada", role: "tenant" as const };

export const signedInAs = (token: string, expiresIn = 600) => ({ user: USER, token, expiresIn });
