/// For those who run the platform: health, clusters with their breakers, users.
import { Button, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useSetUserActive } from "../../api/mutations";
import { useHealth, usePlatformClusters, usePlatformUsers } from "../../api/queries";
import type { PlatformCluster, PlatformUser } from "../../api/types";
import { useSelf } from "../../app/me";
import { Confirm } from "../../ui/confirm";
import { useSettled } from "../../ui/hooks";
import { Problem } from "../../ui/notice";
import { Card, Page, Waiting } from "../../ui/page";
import { Pager, usePaging } from "../../ui/paging";
import { State } from "../../ui/state";
import { duration, When } from "../../ui/times";
import { tell, tellError } from "../../ui/toasts";
import type { Tone } from "../../ui/words";
import { Forbidden } from "../errors/Forbidden";

export function Platform() {
  const { user } = useSelf();
  if (user.role !== "admin") return <Forbidden>Only platform administrators see how the platform itself is doing.</Forbidden>;
  return (
    <Page title="Platform" lead="How everything is doing, over all organisations.">
      <HealthCard />
      <Clusters />
      <Users />
    </Page>
  );
}

const BREAKERS: Record<string, [string, Tone]> = {
  closed: ["Closed: calls pass", "good"],
  open: ["Open: the cluster rests", "bad"],
  "half-open": ["Half open: one probe", "busy"],
};

function HealthCard() {
  const health = useHealth();
  if (health.error && !health.data) return <Problem error={health.error} onRetry={() => void health.refetch()} />;
  if (!health.data) return <Waiting what="Asking how it is doing" />;
  const { checks, concurrency, uptime } = health.data;
  const [breaker, tone] = BREAKERS[checks.kubernetes.breaker] ?? [checks.kubernetes.breaker, "quiet" as const];
  const check = (one: { status: string; message?: string; latencyMs: number }) => (
    <>
      <State text={one.status === "healthy" ? "Well" : "Unwell"} tone={one.status === "healthy" ? "good" : "bad"} />{" "}
      <span className="dim small numbers">{one.message ?? `${one.latencyMs} ms`}</span>
    </>
  );
  return (
    <Card title="Health" aside={<span className="dim small">up for {duration(uptime * 1000)}</span>}>
      <dl className="facts">
        <dt>Database</dt>
        <dd>{check(checks.database)}</dd>
        <dt>Cluster</dt>
        <dd>{check(checks.kubernetes)}</dd>
        <dt>Breaker</dt>
        <dd>
          <State text={breaker} tone={tone} />
        </dd>
        <dt>Fence</dt>
        <dd>
          <State text={plain(checks.kubernetes.fence)} tone={FENCES[checks.kubernetes.fence] ?? "quiet"} />
        </dd>
        <dt>Running operations</dt>
        <dd className="numbers">
          {concurrency.active} of {concurrency.maxConcurrent}
        </dd>
        <dt>Namespaces of no store</dt>
        <dd className="numbers">{checks.kubernetes.unknownNamespaces}</dd>
      </dl>
    </Card>
  );
}

function Clusters() {
  const clusters = usePlatformClusters();
  if (clusters.error && !clusters.data) return <Section title="Clusters" error={clusters.error} onRetry={() => void clusters.refetch()} />;
  if (!clusters.data) return <Waiting what="Looking up the clusters" />;
  return (
    <Card title="Clusters" flush>
      <ul className="rows">
        {clusters.data.clusters.map((cluster) => (
          <Cluster key={cluster.name} cluster={cluster} />
        ))}
      </ul>
    </Card>
  );
}

function Cluster({ cluster }: { cluster: PlatformCluster }) {
  const { breakers, capacity, operations, stores } = cluster;
  const [breaker, tone] = breakers ? (BREAKERS[breakers.kubernetes] ?? [breakers.kubernetes, "quiet" as const]) : ["Not known here", "quiet" as const];
  const work = cluster.takesWork === null ? (["Not known here", "quiet"] as const) : cluster.takesWork ? (["Takes work", "good"] as const) : (["Takes no work", "bad"] as const);
  return (
    <li>
      <div className="grow">
        <div style={{ fontWeight: 560 }}>{cluster.name}</div>
        {cluster.reason ? <div className="small">{sentence(cluster.reason)}</div> : null}
        <dl className="facts" style={{ marginTop: "0.75rem" }}>
          <dt>Breaker</dt>
          <dd>
            <State text={breaker} tone={tone} />
            {breakers?.lastFailureAt ? (
              <span className="dim small">
                {" "}
                last failure <When at={breakers.lastFailureAt} />
              </span>
            ) : null}
          </dd>
          <dt>Fence</dt>
          <dd>
            <State text={plain(cluster.fence)} tone={FENCES[cluster.fence] ?? "quiet"} />
          </dd>
          <dt>Operations</dt>
          <dd className="numbers">
            {capacity.running} of {capacity.permits} running, {operations.queued} queued, {operations.waiting} waiting, {operations.stuck} stuck
          </dd>
          <dt>Stores</dt>
          <dd className="numbers">
            {stores.ready} ready, {stores.requested + stores.provisioning} being set up, {stores.failed} failed, {stores.deleting} being deleted
          </dd>
          <dt>Engines</dt>
          <dd>
            {cluster.engines.map((engine) => (
              <div key={engine.name}>
                {engine.title}: <span className="numbers">{engine.stores}</span> {engine.stores === 1 ? "store" : "stores"}
                {engine.available ? null : <span className="dim small"> (not to be had: {engine.unavailableReason})</span>}
              </div>
            ))}
          </dd>
        </dl>
      </div>
      <State text={work[0]} tone={work[1]} />
    </li>
  );
}

const FENCES: Record<string, Tone> = { holds: "good", open: "bad", unknown: "busy" };

const plain = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
/// What the server says of a cluster, as a sentence.
const sentence = (reason: string) => `${plain(reason)}.`;

function Section({ title, error, onRetry }: { title: string; error: unknown; onRetry: () => void }) {
  return (
    <Card title={title}>
      <Problem error={error} onRetry={onRetry} />
    </Card>
  );
}

function Users() {
  const { user: self } = useSelf();
  const [typed, setTyped] = useState("");
  const search = useSettled(typed.trim(), 250);
  const paging = usePaging(search);
  const users = usePlatformUsers(search, paging.token);
  const set = useSetUserActive();
  const [asking, setAsking] = useState<PlatformUser | null>(null);
  if (users.error && !users.data) return <Section title="Users" error={users.error} onRetry={() => void users.refetch()} />;
  return (
    <>
      <Card title="Users" flush aside={<TextInput aria-label="Search users" placeholder="E-mail or username" type="search" leftSection={<IconSearch size={16} aria-hidden />} size="xs" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />}>
        {!users.data ? <Waiting what="Looking up users" /> : null}
        {users.data?.users.length === 0 ? <p className="dim" style={{ padding: "1rem 1.25rem", margin: 0 }}>Nobody matches.</p> : null}
        <ul className="rows">
          {users.data?.users.map((user) => (
            <li key={user.id}>
              <span className="monogram round" aria-hidden>
                {user.username.charAt(0).toUpperCase()}
              </span>
              <div className="grow">
                <div style={{ fontWeight: 560 }}>
                  {user.username} {user.role === "admin" ? <span className="dim small">(platform administrator)</span> : null}
                </div>
                <div className="dim small">
                  {user.email} · since <When at={user.createdAt} as="date" /> · {user.sessions} {user.sessions === 1 ? "session" : "sessions"}
                </div>
              </div>
              <State text={user.active ? "Active" : "Blocked"} tone={user.active ? "good" : "bad"} />
              {user.id === self.id ? null : (
                <Button size="xs" variant="default" aria-label={`${user.active ? "Block" : "Unblock"} ${user.username}`} onClick={() => (user.active ? setAsking(user) : set.mutate({ id: user.id, active: true }, { onSuccess: () => tell("info", `${user.username} may sign in again`), onError: tellError }))}>
                  {user.active ? "Block" : "Unblock"}
                </Button>
              )}
            </li>
          ))}
        </ul>
      </Card>
      <Pager paging={paging} next={users.data?.nextPageToken} label="users" />
      <Confirm
        opened={asking !== null}
        onClose={() => (setAsking(null), set.reset())}
        title={`Block ${asking?.username ?? ""}?`}
        action="Block"
        busy={set.isPending}
        error={set.error}
        onConfirm={() => asking && set.mutate({ id: asking.id, active: false }, { onSuccess: () => (setAsking(null), tell("info", `${asking.username} is blocked`)) })}
      >
        They are signed out everywhere at once, and their API tokens are revoked for good. Their stores go on running, and you can let them in again.
      </Confirm>
    </>
  );
}
