/// What needs somebody first, then how everything is.
import { Button } from "@mantine/core";
import { IconPlus, IconShoppingBag } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { Link } from "../../app/router";
import { useLimits, useStores, isBusy } from "../../api/queries";
import { useRetryStore } from "../../api/mutations";
import type { Store } from "../../api/types";
import { useMay, useSelf } from "../../app/me";
import { Notice, Problem } from "../../ui/notice";
import { Card, Empty, Page, Waiting } from "../../ui/page";
import { StoreState } from "../../ui/state";
import { When } from "../../ui/times";
import { tellError } from "../../ui/toasts";
import { causeName, engineName, stepNow } from "../../ui/words";

const Insights = lazy(() => import("../insights/Insights").then(({ Insights }) => ({ default: Insights })));

export function Home() {
  const { organisation } = useSelf();
  const stores = useStores({ limit: 100 });
  const limits = useLimits();
  const mayCreate = useMay("stores:create");
  const create = mayCreate ? (
    <Button component={Link} to="/stores/new" leftSection={<IconPlus size={17} aria-hidden />}>
      Create store
    </Button>
  ) : null;

  const all = stores.data?.stores ?? [];
  const needy = all.filter((store) => store.status === "failed" || store.operation?.status === "stuck" || store.operation?.status === "waiting");
  const moving = all.filter((store) => isBusy(store) && !needy.includes(store));
  const count = (status: string) => all.filter((store) => store.status === status).length;
  return (
    <Page title="Home" lead={organisation ? `How ${organisation.personal ? "your stores are" : `${organisation.name} is`} doing` : undefined} acts={create}>
      {stores.error && !stores.data ? <Problem error={stores.error} onRetry={() => void stores.refetch()} /> : null}
      {!stores.data && !stores.error ? <Waiting what="Looking at your stores" lines={4} /> : null}
      {stores.data && all.length === 0 ? (
        <Card>
          <Empty icon={<IconShoppingBag size={44} stroke={1.3} aria-hidden />} title="No store yet" acts={create}>
            {mayCreate ? "Create your first one: choose an engine and a name, and watch it being set up." : "Nobody has created a store in this organisation yet."}
          </Empty>
        </Card>
      ) : null}
      {all.length > 0 ? (
        <>
          {needy.length > 0 ? <Attention stores={needy} /> : null}
          <div className="tiles">
            <Tile label="Ready" value={count("ready")} to="/stores?status=ready" />
            <Tile label="Being set up" value={count("requested") + count("provisioning")} to="/stores?status=provisioning" />
            <Tile label="Failed" value={count("failed")} to="/stores?status=failed" />
            {limits.data ? <Tile label="Left in your plan" value={Math.max(0, limits.data.stores.limit - limits.data.stores.used)} /> : null}
          </div>
          {needy.length === 0 && moving.length === 0 ? (
            <Notice tone="good" title="Nothing needs you">
              Every store is well.
            </Notice>
          ) : null}
          {moving.length > 0 ? (
            <Card title="Happening now" flush>
              <ul className="rows">
                {moving.map((store) => (
                  <li key={store.id}>
                    <div className="grow">
                      <Link className="name" to={`/stores/${store.id}`}>
                        {store.name}
                      </Link>
                      <div className="dim small">{store.operation?.step ? stepNow(store.operation.step) : "Waiting for a free worker"}</div>
                    </div>
                    <StoreState status={store.status} />
                  </li>
                ))}
              </ul>
            </Card>
          ) : null}
          <Suspense fallback={<Waiting what="Drawing the charts" />}>
            <Insights stores={all} />
          </Suspense>
        </>
      ) : null}
    </Page>
  );
}

function Tile({ label, value, to }: { label: string; value: number; to?: string }) {
  const inside = (
    <>
      <div className="value numbers">{value}</div>
      <div className="label">{label}</div>
    </>
  );
  return to ? (
    <Link className="card tile" to={to}>
      {inside}
    </Link>
  ) : (
    <div className="card tile">{inside}</div>
  );
}

function Attention({ stores }: { stores: Store[] }) {
  const mayRetry = useMay("stores:change");
  const retry = useRetryStore();
  return (
    <Card title="Needs attention" flush>
      <ul className="rows">
        {stores.map((store) => {
          const failure = store.operation?.failure ?? store.failure;
          return (
            <li key={store.id}>
              <div className="grow">
                <Link className="name" to={`/stores/${store.id}`}>
                  {store.name}
                </Link>{" "}
                <span className="dim small">
                  {engineName(store.engine)} · <When at={store.updatedAt} />
                </span>
                <div className="dim small">
                  {failure ? (
                    <>
                      <strong style={{ color: "var(--ink)", fontWeight: 560 }}>{causeName(failure.code)}.</strong> {failure.hint}
                    </>
                  ) : (
                    store.failureReason
                  )}
                </div>
              </div>
              <StoreState status={store.status} />
              {store.status === "failed" && mayRetry ? (
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`Retry ${store.name}`}
                  loading={retry.isPending && retry.variables === store.id}
                  onClick={() => retry.mutate(store.id, { onError: tellError })}
                >
                  Retry
                </Button>
              ) : null}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
