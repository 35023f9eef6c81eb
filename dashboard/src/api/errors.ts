/// Everything that can go wrong with a request, as one kind of error with words for people.

interface Detail {
  path: string[];
  message: string;
}

interface Envelope {
  requestId?: string;
  error?: {
    code?: string;
    message?: string;
    suggestion?: string;
    retryable?: boolean;
    retryAfterSeconds?: number;
    details?: Detail[];
    metadata?: Record<string, unknown>;
  };
}

export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /// 0 when there was no answer at all.
    readonly status: number,
    readonly code: string,
    message: string,
    readonly suggestion: string | null = null,
    readonly retryable = false,
    readonly retryAfterSeconds: number | null = null,
    readonly requestId: string | null = null,
    readonly details: readonly Detail[] = [],
  ) {
    super(message);
  }

  /// Whether the server could not be reached, or could not answer for now.
  get isOutage(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /// Whether this server has no such route: it is older than this page.
  get isMissingRoute(): boolean {
    return this.status === 404 && this.code === "NOT_FOUND";
  }

  /// What is wrong with a field of the form that was sent.
  field(name: string): string | null {
    const own = this.details.filter((detail) => detail.path[0] === name).map((detail) => detail.message);
    return own.length > 0 ? own.join(". ") : null;
  }
}

export function unreachable(): ApiError {
  return new ApiError(0, "UNREACHABLE", "The server does not answer.", "Check your connection; this goes on by itself.", true);
}

export async function errorOf(response: Response): Promise<ApiError> {
  const header = Number(response.headers.get("retry-after"));
  const wait = Number.isFinite(header) && header > 0 ? header : null;
  let body: Envelope = {};
  try {
    body = (await response.json()) as Envelope;
  } catch {
    // A proxy's page, or nothing: the status must do.
  }
  const error = body.error ?? {};
  return new ApiError(
    response.status,
    error.code ?? `HTTP_${response.status}`,
    error.message ?? `The server answered with status ${response.status}.`,
    error.suggestion ?? null,
    error.retryable ?? response.status >= 500,
    error.retryAfterSeconds ?? wait,
    body.requestId ?? response.headers.get("x-request-id"),
    error.details ?? [],
  );
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(-1, "PAGE_ERROR", error instanceof Error ? error.message : "Something went wrong in this page.");
}
