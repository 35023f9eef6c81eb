/// One store: how it is, what happens to it, and what can be done.
import { Button, Tabs } from "@mantine/core";
import { IconArrowUp, IconExternalLink, IconRefresh, IconTrash } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useParams } from "../../app/router";
import { asApiError } from "../../api/errors";
import { useCancelOperation, useDeleteStore, useRetryStore } from "../../api/mutations";
import { isOpen, useEngines, useOperation, useStore } from "../../api/queries";
import type { Store } from "../../api/types";
import { useMay } from "../../app/me";
import { Confirm } from "../../ui/confirm";
import { Dialog } from "../../ui/dialog";
import { useFilters } from "../../ui/hooks";
import { Notice, Problem } from "../../ui/notice";
import { Card, Page, Waiting } from "../../ui/page";
import { StoreState } from "../../ui/state";
import { duration, When } from "../../ui/times";
import { tell, tellError } from "../../ui/toasts";
import { causeName, engineName, kindNow, whoActs } from "../../ui/words";
import { Forbidden } from "../errors/Forbidden";
import { NotFound } from "../errors/NotFound";
import { Credentials } from "./Credentials";
import { Progress } from "./Progress";

const Resources = lazy(() => import("./Resources").then((module) => ({ default: module.Resources })));
const Timeline = lazy(() => import("./Timeline").then((module) => ({ default: module.Timeline })));
const Upgrade = lazy(() => import("./Upgrade").then((module) => ({ default: module.Upgrade })));

export function StorePage() {
  const { id = "" } = useParams();
  const store = useStore(id);
  if (store.error && !store.data) {
    const { status } = asApiError(store.error);
    if (status === 403) return <Forbidden />;
    if (status === 404 || status === 400) return <NotFound />;
    return (
      <Page title="Store">
        <Problem error={store.error} onRetry={() => void store.refetch()} />
      </Page>
    );
  }
  if (!store.data) return <Waiting what="Looking at the store" lines={5} />;
  return <Loaded store={store.data} />;
}

function Loaded({ store }: { store: Store }) {
  const mayChange = useMay("stores:change");
  const mayDelete = useMay("stores:delete");
  const [deleting, setDeleting] = useState(false);
  const [filter, setFilter] = useFilters<"tab">();
  const remove = useDeleteStore();
  const retry = useRetryStore();
  const operation = useOperation(store.operation?.id);
  const engine = useEngines().data?.find(({ name }) => name === store.engine);
  useAnnouncement(store);

  const open = isOpen(store.operation);
  const ready = store.status === "ready";
  const { storefront, admin } = urlsOf(store);
  return (
    <Page
      title={store.name}
      lead={
        <span style={{ display: "inline-flex", gap: "0.75rem", alignItems: "center", flexWrap: "wrap" }}>
          <StoreState status={store.status} />
          <span>{engineName(store.engine)}</span>
          <span className="mono">{store.id}</span>
        </span>
      }
      acts={
        <>
          {ready && admin ? (
            <Button component="a" href={admin} target="_blank" rel="noopener noreferrer" variant="default" rightSection={<IconExternalLink size={16} aria-hidden />}>
              Open admin
            </Button>
          ) : null}
          {ready && storefront ? (
            <Button component="a" href={storefront} target="_blank" rel="noopener noreferrer" rightSection={<IconExternalLink size={16} aria-hidden />}>
              Open shop
            </Button>
          ) : null}
          {store.status === "failed" && mayChange ? (
            <Button leftSection={<IconRefresh size={17} aria-hidden />} loading={retry.isPending} onClick={() => retry.mutate(store.id, { onError: tellError, onSuccess: () => tell("info", `${store.name} is being tried again`) })}>
              Retry
            </Button>
          ) : null}
        </>
      }
    >
      {store.engineNote ? (
        <p className="dim small" style={{ margin: "-0.75rem 0 0" }}>
          {store.engineNote.charAt(0).toUpperCase() + store.engineNote.slice(1)}
        </p>
      ) : null}
      <Trouble store={store} />
      <Tabs value={filter("tab") || "overview"} onChange={(tab) => setFilter({ tab: tab === "overview" ? "" : (tab ?? "") })} keepMounted={false}>
        <Tabs.List mb="lg">
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
          <Tabs.Tab value="logs">Logs</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview">
          <div className="columns">
            <div>
              {operation.data ? <Progress operation={operation.data} open={open} title={open ? kindNow(operation.data.kind) : "Last operation"} acts={<Cancel store={store} mayChange={mayChange} />} setupSteps={engine?.setupSteps} /> : null}
              {ready ? <Passwords store={store} /> : null}
            </div>
            <div>
              <Facts store={store} />
              {ready ? (
                <Suspense fallback={<Waiting what="Looking at what it takes" lines={2} />}>
                  <Resources store={store} />
                </Suspense>
              ) : null}
              {mayChange && ready ? <Newer store={store} /> : null}
              {mayDelete && store.status !== "deleted" ? (
                <Card title="Delete this store" danger>
                  <p style={{ marginTop: 0 }} className="small">
                    Products, orders and customers go with it, and cannot be had back.
                  </p>
                  <Button variant="default" className="dangerous" leftSection={<IconTrash size={17} aria-hidden />} disabled={store.status === "deleting"} onClick={() => setDeleting(true)}>
                    {store.status === "deleting" ? "Is being deleted" : "Delete store"}
                  </Button>
                </Card>
              ) : null}
            </div>
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="timeline">
          <Suspense fallback={<Waiting what="Reading what happened" />}>
            <Timeline storeId={store.id} only="milestones" />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="logs">
          <Suspense fallback={<Waiting what="Reading what happened" />}>
            <Timeline storeId={store.id} only="everything" />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
      <Confirm
        opened={deleting}
        onClose={() => (setDeleting(false), remove.reset())}
        title={`Delete ${store.name}?`}
        word={store.name}
        action="Delete for good"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate(store.id, { onSuccess: () => (setDeleting(false), tell("info", `${store.name} is being deleted`)) })}
      >
        Its products, orders and customers are removed and cannot be had back.
        {store.status === "provisioning" || store.status === "requested" ? " What is being set up is stopped." : null}
      </Confirm>
    </Page>
  );
}

/// Where an engine has nobody who signs in, the address of the administration is the shop's own.
function urlsOf({ urls: { storefront, admin } }: Store): Store["urls"] {
  return { storefront, admin: admin === storefront ? null : admin };
}

/// Until the engines are known it is not known whether somebody signs in.
function Passwords({ store }: { store: Store }) {
  const engines = useEngines();
  if (!engines.data && !engines.error) return null;
  const engine = engines.data?.find(({ name }) => name === store.engine);
  const [signsIn, replaces] = [engine?.administrator.signsInWith !== "none", engine?.rotates.length !== 0];
  return signsIn || replaces ? <Credentials store={store} signsIn={signsIn} /> : null;
}

/// Says that the store became ready, also where no stream tells.
function useAnnouncement(store: Store) {
  const before = useRef(store.status);
  useEffect(() => {
    if (before.current !== store.status) {
      if (store.status === "ready") tell("good", `${store.name} is ready`);
      if (store.status === "failed") tell("bad", `${store.name} failed`, store.failure?.message);
      if (store.status === "deleted") tell("info", `${store.name} is deleted`);
    }
    before.current = store.status;
  }, [store.status, store.name]);
}

function Trouble({ store }: { store: Store }) {
  const waits = store.operation && (store.operation.status === "waiting" || store.operation.status === "stuck") ? store.operation.failure : null;
  const failure = store.status === "failed" ? store.failure : waits;
  if (!failure) {
    return store.status === "failed" && store.failureReason ? (
      <Notice tone="bad" title="It failed">
        {store.failureReason}
      </Notice>
    ) : null;
  }
  return (
    <Notice
      tone={store.status === "failed" || store.operation?.status === "stuck" ? "bad" : "busy"}
      title={`${waits ? "It waits" : "It failed"}: ${causeName(failure.code).toLowerCase()}`}
      fine={
        <>
          {whoActs(failure.class)} <span className="mono">{failure.code}</span>
        </>
      }
    >
      {failure.message ? <span className="pre">{failure.message.replace(/\.?\s*$/, ". ")}</span> : null}
      {failure.hint}
    </Notice>
  );
}

/// Whether there is something newer to run is looked up when somebody asks: the server makes both releases for it.
function Newer({ store }: { store: Store }) {
  const [looking, setLooking] = useState(false);
  return (
    <Card title="Upgrade">
      <p style={{ marginTop: 0 }} className="small">
        Puts the shop on what new stores of {engineName(store.engine)} get. You see what would change first.
      </p>
      <Button variant="default" leftSection={<IconArrowUp size={17} aria-hidden />} disabled={isOpen(store.operation)} onClick={() => setLooking(true)}>
        Look for an upgrade
      </Button>
      <Dialog opened={looking} onClose={() => setLooking(false)} title={`Upgrade ${store.name}`}>
        <Suspense fallback={<Waiting what="Comparing" />}>
          <Upgrade store={store} onDone={() => setLooking(false)} />
        </Suspense>
      </Dialog>
    </Card>
  );
}

function Cancel({ store, mayChange }: { store: Store; mayChange: boolean }) {
  const [asking, setAsking] = useState(false);
  const cancel = useCancelOperation();
  const operation = store.operation;
  if (!mayChange || !operation || operation.kind !== "provision" || !isOpen(operation)) return null;
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setAsking(true)}>
        Cancel set-up
      </Button>
      <Confirm
        opened={asking}
        onClose={() => (setAsking(false), cancel.reset())}
        title={`Cancel setting up ${store.name}?`}
        action="Cancel set-up"
        busy={cancel.isPending}
        error={cancel.error}
        onConfirm={() => cancel.mutate(operation.id, { onSuccess: () => setAsking(false) })}
      >
        What was made so far is taken back. The store stays in the list, to be retried or deleted.
      </Confirm>
    </>
  );
}

function Facts({ store }: { store: Store }) {
  const { storefront, admin } = urlsOf(store);
  return (
    <Card title="About">
      <dl className="facts">
        <dt>Address</dt>
        <dd>
          {storefront && store.status === "ready" ? (
            <a href={storefront} target="_blank" rel="noopener noreferrer">
              {storefront}
            </a>
          ) : (
            <span className="mono">{store.host}</span>
          )}
        </dd>
        {admin && store.status === "ready" ? (
          <>
            <dt>Admin</dt>
            <dd>
              <a href={admin} target="_blank" rel="noopener noreferrer">
                {admin}
              </a>
            </dd>
          </>
        ) : null}
        {store.theme ? (
          <>
            <dt>Theme</dt>
            <dd style={{ textTransform: "capitalize" }}>{store.theme}</dd>
          </>
        ) : null}
        <dt>Namespace</dt>
        <dd className="mono">{store.namespace}</dd>
        {store.provisioningDurationMs === null ? null : (
          <>
            <dt>Ready after</dt>
            <dd className="numbers">{duration(store.provisioningDurationMs)}</dd>
          </>
        )}
        {store.retryCount > 0 ? (
          <>
            <dt>Retries</dt>
            <dd className="numbers">{store.retryCount}</dd>
          </>
        ) : null}
        <dt>Created</dt>
        <dd>
          <When at={store.createdAt} as="date" />
        </dd>
        <dt>Changed</dt>
        <dd>
          <When at={store.updatedAt} />
        </dd>
      </dl>
    </Card>
  );
}
