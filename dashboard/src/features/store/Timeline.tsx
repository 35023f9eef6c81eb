/// What happened to a store, newest first: its milestones, or every line.
import { Button } from "@mantine/core";
import { useState } from "react";
import { useLogs } from "../../api/queries";
import type { AuditEntry } from "../../api/types";
import { Problem } from "../../ui/notice";
import { Card, Empty, Waiting } from "../../ui/page";
import { State, StoreState } from "../../ui/state";
import { When } from "../../ui/times";
import { eventName, eventTone, isBare } from "../../ui/words";

const STEP = 100;
const MOST = 500;

const isMilestone = (entry: AuditEntry) => entry.eventType !== "info" && entry.eventType !== "helm_install" && entry.eventType !== "helm_uninstall";

export function Timeline({ storeId, only }: { storeId: string; only: "milestones" | "everything" }) {
  const [limit, setLimit] = useState(STEP);
  const logs = useLogs(storeId, limit);
  if (logs.error && !logs.data) return <Problem error={logs.error} onRetry={() => void logs.refetch()} />;
  if (!logs.data) return <Waiting what="Reading what happened" lines={5} />;
  const shown = only === "milestones" ? logs.data.logs.filter(isMilestone) : logs.data.logs;
  const more = (logs.data.total ?? 0) > logs.data.logs.length && limit < MOST;
  return (
    <Card>
      {shown.length === 0 ? <Empty title="Nothing happened yet" /> : null}
      {only === "milestones" ? (
        <ol className="trail">
          {shown.map((entry) => (
            <li key={entry.id}>
              <span className="dim small">
                <When at={entry.createdAt} as="date" />
              </span>
              <div>
                {entry.newStatus ? <StoreState status={entry.newStatus} /> : <State text={eventName(entry.eventType)} tone={eventTone(entry.eventType)} />}
                {isBare(entry.message) ? null : <div className="said">{entry.message}</div>}
              </div>
            </li>
          ))}
        </ol>
      ) : (
        <div className="lines" tabIndex={0} role="region" aria-label="Log lines">
          <table className="table folds" style={{ fontSize: "0.8438rem" }}>
            <caption className="unseen">Log lines, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Event</th>
                <th scope="col">Message</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((entry) => (
                <tr key={entry.id}>
                  <td className="dim" style={{ whiteSpace: "nowrap" }}>
                    <When at={entry.createdAt} as="precise" />
                  </td>
                  <td style={{ whiteSpace: "nowrap" }}>{eventName(entry.eventType)}</td>
                  <td className="wide">
                    {entry.message}
                    <Extra metadata={entry.metadata} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more ? (
        <Button variant="default" size="xs" mt="md" loading={logs.isFetching} onClick={() => setLimit(Math.min(MOST, limit + STEP))}>
          Show older lines
        </Button>
      ) : null}
    </Card>
  );
}

/// So much of a digest tells it from others.
const short = (value: string) => value.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]{52}$/, "$1…");

export function Extra({ metadata }: { metadata: AuditEntry["metadata"] | null | undefined }) {
  const entries = Object.entries(metadata ?? {});
  if (entries.length === 0) return null;
  return (
    <div className="dim small mono" style={{ marginTop: "0.125rem" }}>
      {entries.map(([name, value]) => `${name}=${short(String(value))}`).join("  ")}
    </div>
  );
}
