/// Who did what, when and from where; filtered, and taken along as a file.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconDownload, IconListSearch } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "../../app/router";
import { download } from "../../api/download";
import { storesOptions, useAudit, useMembers } from "../../api/queries";
import type { AuditEntry } from "../../api/types";
import { useMay, useSelf } from "../../app/me";
import { Menu } from "../../ui/menu";
import { useFilters } from "../../ui/hooks";
import { Problem } from "../../ui/notice";
import { Card, Empty, Page, Waiting } from "../../ui/page";
import { Pager, usePaging } from "../../ui/paging";
import { State } from "../../ui/state";
import { When } from "../../ui/times";
import { tellError } from "../../ui/toasts";
import { eventName, eventTone, isBare, storeWord } from "../../ui/words";
import { Forbidden } from "../errors/Forbidden";
import { Extra } from "../store/Timeline";

const TYPES = ["store_created", "status_change", "helm_install", "helm_uninstall", "info", "warning", "error", "recovery", "security"];

/// A day as somebody picks it, in their zone, as the instants that the API takes: from its start, to the start of the next.
function dayStart(day: string, daysLater = 0): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return day ? new Date(year, month - 1, date + daysLater).toISOString() : "";
}

export function Audit() {
  if (!useMay("audit:read")) return <Forbidden>Your role in this organisation does not read its audit log. Ask an administrator of the organisation.</Forbidden>;
  return <Log />;
}

function Log() {
  const [filter, setFilter] = useFilters<"storeId" | "eventType" | "actorId" | "from" | "to">();
  const { organisation } = useSelf();
  const asked = { storeId: filter("storeId"), eventType: filter("eventType"), actorId: filter("actorId"), from: dayStart(filter("from")), to: dayStart(filter("to"), 1) };
  const question = { ...asked, limit: 50 };
  const paging = usePaging(JSON.stringify(question));
  const audit = useAudit({ ...question, ...(paging.token ? { pageToken: paging.token } : {}) });
  const stores = useQuery(storesOptions({ limit: 100 }));
  const entries = audit.data?.logs ?? [];
  return (
    <Page title="Audit log" lead="Every change, with who made it and from where." acts={<Export question={asked} />}>
      <div className="filters" role="search" aria-label="Audit log">
        <NativeSelect label="Store" value={filter("storeId")} onChange={(event) => setFilter({ storeId: event.currentTarget.value })} data={[{ value: "", label: "Any store" }, ...(stores.data?.stores ?? []).map((store) => ({ value: store.id, label: store.name }))]} />
        <NativeSelect label="Event" value={filter("eventType")} onChange={(event) => setFilter({ eventType: event.currentTarget.value })} data={[{ value: "", label: "Any event" }, ...TYPES.map((value) => ({ value, label: eventName(value) }))]} />
        {organisation && !organisation.personal ? <Actor organisation={organisation.id} value={filter("actorId")} onChange={(actorId) => setFilter({ actorId })} /> : null}
        <TextInput label="From" type="date" value={filter("from")} onChange={(event) => setFilter({ from: event.currentTarget.value })} />
        <TextInput label="To" type="date" value={filter("to")} onChange={(event) => setFilter({ to: event.currentTarget.value })} />
      </div>
      {audit.error && !audit.data ? <Problem error={audit.error} onRetry={() => void audit.refetch()} /> : null}
      {!audit.data && !audit.error ? <Waiting what="Reading the audit log" lines={6} /> : null}
      {audit.data ? (
        <>
          <Card flush>
            {entries.length === 0 ? (
              <Empty icon={<IconListSearch size={40} stroke={1.4} aria-hidden />} title="No entry">
                Nothing was written for these filters.
              </Empty>
            ) : (
              <table className="table folds">
                <caption className="unseen">Audit entries, newest first</caption>
                <thead>
                  <tr>
                    <th scope="col">Time</th>
                    <th scope="col">Event</th>
                    <th scope="col">What happened</th>
                    <th scope="col">Who</th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map((entry) => (
                    <Line key={entry.id} entry={entry} />
                  ))}
                </tbody>
              </table>
            )}
          </Card>
          <Pager paging={paging} next={audit.data.nextPageToken} label="the audit log" />
        </>
      ) : null}
    </Page>
  );
}

function Line({ entry }: { entry: AuditEntry }) {
  const [open, setOpen] = useState(false);
  const who = entry.actor?.email ?? entry.userEmail;
  const moved = entry.previousStatus !== null && entry.newStatus !== null;
  return (
    <tr>
      <td className="dim small" style={{ whiteSpace: "nowrap", verticalAlign: "top" }}>
        <When at={entry.createdAt} as="precise" />
      </td>
      <td style={{ verticalAlign: "top" }}>
        <State text={eventName(entry.eventType)} tone={eventTone(entry.eventType)} />
      </td>
      <td className="wide" style={{ verticalAlign: "top" }}>
        {entry.storeId ? (
          <>
            <Link className="name" to={`/stores/${entry.storeId}`}>
              {entry.storeName ?? entry.storeId}
            </Link>{" "}
          </>
        ) : null}
        {moved && isBare(entry.message) ? null : `${entry.message} `}
        {moved ? (
          <span className="dim small">
            {storeWord(entry.previousStatus ?? "").text} → {storeWord(entry.newStatus ?? "").text}
          </span>
        ) : null}
        {open ? (
          <div className="small" style={{ marginTop: "0.25rem" }}>
            <Extra metadata={entry.metadata} />
            <div className="dim mono">
              {entry.requestId ? `request ${entry.requestId} ` : ""}
              {entry.operationId ? `operation ${entry.operationId} ` : ""}entry {entry.id}
            </div>
            {entry.before || entry.after ? <pre className="dim mono pre" style={{ margin: "0.25rem 0 0" }}>{JSON.stringify({ before: entry.before, after: entry.after }, null, 2)}</pre> : null}
          </div>
        ) : null}
      </td>
      <td className="small" style={{ verticalAlign: "top" }}>
        <div>{who ?? <span className="dim">Shopwright</span>}</div>
        {entry.ipAddress ? <div className="dim mono">{entry.ipAddress}</div> : null}
        <Button size="compact-xs" variant="subtle" aria-expanded={open} aria-label={`${open ? "Hide" : "Show"} details of entry ${entry.id}`} onClick={() => setOpen(!open)} style={{ marginLeft: "-0.375rem" }}>
          {open ? "Less" : "Details"}
        </Button>
      </td>
    </tr>
  );
}

function Actor({ organisation, value, onChange }: { organisation: string; value: string; onChange: (value: string) => void }) {
  const members = useMembers(organisation);
  return <NativeSelect label="Who" value={value} onChange={(event) => onChange(event.currentTarget.value)} data={[{ value: "", label: "Anybody" }, ...(members.data?.members ?? []).map((member) => ({ value: member.userId, label: member.email }))]} />;
}

function Export({ question }: { question: Record<string, string> }) {
  const [busy, setBusy] = useState(false);
  const take = (format: "csv" | "jsonl") => {
    setBusy(true);
    download("/audit/export", { ...question, format }, `audit.${format}`)
      .catch(tellError)
      .finally(() => setBusy(false));
  };
  return (
    <Menu
      label="Formats"
      end
      items={[
        { text: "CSV, for spreadsheets", onChoose: () => take("csv") },
        { text: "JSON lines, for programs", onChoose: () => take("jsonl") },
      ]}
      button={(props) => (
        <Button {...props} variant="default" loading={busy} leftSection={<IconDownload size={17} aria-hidden />}>
          Export
        </Button>
      )}
    />
  );
}
