/// One request to the API: token, organisation, errors, and one more try when the token had just ended.
import { connection, sawAnswer, sawNoAnswer } from "./connection";
import { errorOf, unreachable } from "./errors";
import { activeOrganisation } from "./organisation";
import { accessToken, refresh } from "./session";

export interface Request {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /// For creating: the same key again is the same request.
  idempotencyKey?: string;
  /// Sent without a token.
  open?: boolean;
  /// About the person, whatever organisation they work for.
  personal?: boolean;
  /// An answer without an end: no patience runs out.
  stream?: boolean;
  lastEventId?: string;
}

/// How long an answer may take.
const PATIENCE_MS = 35_000;

export function url(path: string, query: Request["query"] = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

export async function send(path: string, request: Request = {}): Promise<Response> {
  if (request.open) return accepted(await once(path, request, null));
  const token = await accessToken();
  const answer = await once(path, request, token);
  if (answer.status !== 401) return accepted(answer);
  await refresh(token);
  return accepted(await once(path, request, await accessToken()));
}

async function once(path: string, request: Request, token: string | null): Promise<Response> {
  const headers: Record<string, string> = { accept: request.stream ? "text/event-stream" : "application/json" };
  if (request.lastEventId) headers["last-event-id"] = request.lastEventId;
  if (token) headers["authorization"] = `Bearer ${token}`;
  const organisation = activeOrganisation.get();
  if (token && organisation && !request.personal) headers["x-organisation"] = organisation;
  if (request.idempotencyKey) headers["idempotency-key"] = request.idempotencyKey;
  if (request.body !== undefined) headers["content-type"] = "application/json";
  const signals = request.signal ? [request.signal] : [];
  if (!request.stream) signals.push(AbortSignal.timeout(PATIENCE_MS));
  try {
    const answer = await fetch(url(path, request.query), {
      method: request.method ?? "GET",
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: AbortSignal.any(signals),
    });
    if (answer.status < 500 || connection.get() === "online") sawAnswer();
    return answer;
  } catch (error) {
    if (request.signal?.aborted) throw error;
    sawNoAnswer();
    throw unreachable();
  }
}

async function accepted(answer: Response): Promise<Response> {
  if (!answer.ok) throw await errorOf(answer);
  return answer;
}

export async function call<T>(path: string, request: Request = {}): Promise<T> {
  const answer = await send(path, request);
  return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T);
}
