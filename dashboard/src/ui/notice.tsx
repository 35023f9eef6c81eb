/// What somebody should know or do, in place.
import { Button } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClockPause, IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { asApiError } from "../api/errors";
import { useSecondsLeft } from "./times";
import { useState } from "react";

const ICONS = { good: IconCircleCheck, bad: IconAlertTriangle, busy: IconClockPause, info: IconInfoCircle };

export function Notice({ tone, title, children, acts, fine }: { tone: keyof typeof ICONS; title: string; children?: ReactNode; acts?: ReactNode; fine?: ReactNode }) {
  const Icon = ICONS[tone];
  return (
    <div className={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon size={20} aria-hidden />
      <div className="grow">
        <h2>{title}</h2>
        {children ? <p>{children}</p> : null}
        {acts ? <div className="acts">{acts}</div> : null}
        {fine ? <p className="fine">{fine}</p> : null}
      </div>
    </div>
  );
}

/// An error of the API in its own words, with what to do and the id to report it by. A wait that the server names is counted down.
export function Problem({ error, onRetry, title }: { error: unknown; onRetry?: (() => void) | undefined; title?: string }) {
  const problem = asApiError(error);
  const [until] = useState(() => (problem.retryAfterSeconds === null ? null : Date.now() + problem.retryAfterSeconds * 1000));
  const left = useSecondsLeft(until);
  if (problem.isMissingRoute) {
    return (
      <Notice tone="info" title="Not available here">
        This server does not offer this yet.
      </Notice>
    );
  }
  return (
    <Notice
      tone={problem.isOutage ? "busy" : "bad"}
      title={title ?? problem.message}
      acts={
        onRetry && (problem.retryable || problem.status < 0) ? (
          <Button size="xs" variant="default" onClick={onRetry} disabled={left > 0}>
            {left > 0 ? `Try again in ${left} s` : "Try again"}
          </Button>
        ) : undefined
      }
      fine={problem.requestId ? <span className="mono">Request {problem.requestId}</span> : undefined}
    >
      {title ? `${problem.message} ` : null}
      {problem.suggestion}
      {!onRetry && left > 0 ? ` ${left} s to go.` : null}
    </Notice>
  );
}
