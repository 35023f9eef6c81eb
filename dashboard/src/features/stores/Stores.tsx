/// All stores of an organisation: search, filters, order, pages, and changes to several at once.
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { IconPlus, IconSearch, IconShoppingBag } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { Link } from "../../app/router";
import { deleteStore, retryStore, useBulk } from "../../api/mutations";
import { asApiError } from "../../api/errors";
import { useEngines, useStores } from "../../api/queries";
import type { Store } from "../../api/types";
import { useMay } from "../../app/me";
import { Confirm } from "../../ui/confirm";
import { useFilters, useSettled } from "../../ui/hooks";
import { Problem } from "../../ui/notice";
import { Card, Empty, Page, Waiting } from "../../ui/page";
import { Pager, usePaging } from "../../ui/paging";
import { StoreState } from "../../ui/state";
import { duration, When } from "../../ui/times";
import { tell } from "../../ui/toasts";
import { engineName, stepNow } from "../../ui/words";

const STATES = [
  { value: "", label: "Any state" },
  { value: "requested", label: "Requested" },
  { value: "provisioning", label: "Setting up" },
  { value: "ready", label: "Ready" },
  { value: "failed", label: "Failed" },
  { value: "deleting", label: "Deleting" },
  { value: "deleted", label: "Deleted" },
];
const ORDERS = [
  { value: "-createdAt", label: "Newest first" },
  { value: "createdAt", label: "Oldest first" },
  { value: "name", label: "Name, A to Z" },
  { value: "-name", label: "Name, Z to A" },
];
const PER_PAGE = 20;

export function Stores() {
  const [filter, setFilter] = useFilters<"search" | "status" | "engine" | "sort">();
  const [typed, setTyped] = useState(filter("search"));
  const search = useSettled(typed.trim().toLowerCase(), 250);
  useEffect(() => {
    if (search !== filter("search")) setFilter({ search });
    // Only what is typed changes the address; the address changes what is typed on arrival alone.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [search]);
  const question = { search, status: filter("status"), engine: filter("engine"), sort: filter("sort"), limit: PER_PAGE };
  const offered = useEngines().data?.map(({ name, title }) => ({ value: name, label: title })) ?? [];
  // What is asked for by the address is shown before the engines are known.
  const engines = !question.engine || offered.some(({ value }) => value === question.engine) ? offered : [...offered, { value: question.engine, label: engineName(question.engine) }];
  const paging = usePaging(JSON.stringify(question));
  const stores = useStores({ ...question, ...(paging.token ? { pageToken: paging.token } : {}) });
  const mayCreate = useMay("stores:create");
  const [mayChange, mayDelete] = [useMay("stores:change"), useMay("stores:delete")];
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const page = stores.data?.stores ?? [];
  const selection = page.filter((store) => chosen.has(store.id));
  const filtered = !!(search || question.status || question.engine);
  const create = mayCreate ? (
    <Button component={Link} to="/stores/new" leftSection={<IconPlus size={17} aria-hidden />}>
      Create store
    </Button>
  ) : null;
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <Page title="Stores" lead={stores.data ? `${stores.data.total} ${filtered ? "match" : "in all"}` : undefined} acts={create}>
      <div className="filters" role="search" aria-label="Stores">
        <TextInput className="grow" label="Search" placeholder="Part of a name" leftSection={<IconSearch size={17} aria-hidden />} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} type="search" />
        <NativeSelect label="State" data={STATES} value={question.status} onChange={(event) => setFilter({ status: event.currentTarget.value })} />
        <NativeSelect label="Engine" data={[{ value: "", label: "Any engine" }, ...engines]} value={question.engine} onChange={(event) => setFilter({ engine: event.currentTarget.value })} />
        <NativeSelect label="Order" data={ORDERS} value={question.sort || "-createdAt"} onChange={(event) => setFilter({ sort: event.currentTarget.value === "-createdAt" ? "" : event.currentTarget.value })} />
      </div>
      {stores.error && !stores.data ? <Problem error={stores.error} onRetry={() => void stores.refetch()} /> : null}
      {!stores.data && !stores.error ? <Waiting what="Looking for stores" lines={5} /> : null}
      {stores.data ? (
        <>
          {selection.length > 0 ? <Bulk selection={selection} onDone={() => setChosen(new Set())} /> : null}
          <Card flush>
            {page.length === 0 ? (
              filtered ? (
                <Empty
                  icon={<IconSearch size={40} stroke={1.4} aria-hidden />}
                  title="Nothing matches"
                  acts={
                    <Button variant="default" onClick={() => (setTyped(""), setFilter({ search: "", status: "", engine: "" }))}>
                      Clear the filters
                    </Button>
                  }
                >
                  No store has this name, state and engine.
                </Empty>
              ) : (
                <Empty icon={<IconShoppingBag size={44} stroke={1.3} aria-hidden />} title="No store yet" acts={create}>
                  {mayCreate ? "Choose an engine and a name, and watch it being set up." : "Nobody has created a store in this organisation yet."}
                </Empty>
              )
            ) : (
              <Table stores={page} chosen={chosen} onToggle={mayChange || mayDelete ? toggle : null} onAll={(all) => setChosen(new Set(all ? page.map((store) => store.id) : []))} />
            )}
          </Card>
          <Pager paging={paging} next={stores.data.nextPageToken} label="stores" />
        </>
      ) : null}
    </Page>
  );
}

function Table({ stores, chosen, onToggle, onAll }: { stores: Store[]; chosen: ReadonlySet<string>; onToggle: ((id: string) => void) | null; onAll: (all: boolean) => void }) {
  const some = stores.some((store) => chosen.has(store.id));
  const all = stores.every((store) => chosen.has(store.id));
  return (
    <table className="table folds">
      <caption className="unseen">Stores</caption>
      <thead>
        <tr>
          {onToggle ? (
            <th scope="col" style={{ width: "1px" }}>
              <Checkbox aria-label="Choose all stores of this page" checked={all} indeterminate={some && !all} onChange={() => onAll(!all)} />
            </th>
          ) : null}
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Engine</th>
          <th scope="col">Ready after</th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <tbody>
        {stores.map((store) => (
          <tr key={store.id} className={chosen.has(store.id) ? "chosen" : ""}>
            {onToggle ? (
              <td>
                <Checkbox aria-label={`Choose ${store.name}`} checked={chosen.has(store.id)} onChange={() => onToggle(store.id)} />
              </td>
            ) : null}
            <td className="main">
              <Link className="name" to={`/stores/${store.id}`}>
                {store.name}
              </Link>
              <div className="dim small">{below(store)}</div>
            </td>
            <td className="beside">
              <StoreState status={store.status} />
            </td>
            <td className="dim small">{engineName(store.engine)}</td>
            <td className="dim small short numbers">{store.provisioningDurationMs === null ? "–" : duration(store.provisioningDurationMs)}</td>
            <td className="dim small short">
              <When at={store.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/// The line under a name: what is most worth knowing right now.
function below(store: Store): string {
  if (store.status === "failed") return store.failure?.hint ?? store.failureReason ?? "";
  if ((store.status === "provisioning" || store.status === "deleting") && store.operation?.step) return stepNow(store.operation.step);
  return store.host;
}

function Bulk({ selection, onDone }: { selection: Store[]; onDone: () => void }) {
  const [deleting, setDeleting] = useState(false);
  const [mayChange, mayDelete] = [useMay("stores:change"), useMay("stores:delete")];
  const retry = useBulk(retryStore);
  const remove = useBulk(deleteStore);
  const failed = selection.filter((store) => store.status === "failed");
  const outcome = (verb: string, count: number) => (refused: { id: string; error: unknown }[]) => {
    const done = count - refused.length;
    if (done > 0) tell("good", `${done} ${done === 1 ? "store is" : "stores are"} being ${verb}`);
    for (const { id, error } of refused) tell("bad", `${selection.find((store) => store.id === id)?.name ?? id}: ${asApiError(error).message}`);
    setDeleting(false);
    onDone();
  };
  const word = `delete ${selection.length}`;
  return (
    <div className="card" role="region" aria-label="Chosen stores" style={{ padding: "0.75rem 1.25rem", display: "flex", gap: "0.75rem", alignItems: "center", flexWrap: "wrap", position: "sticky", top: "0.5rem", zIndex: 10 }}>
      <strong className="grow numbers">{selection.length} chosen</strong>
      {mayChange ? (
        <Button size="xs" variant="default" disabled={failed.length === 0} loading={retry.isPending} onClick={() => retry.mutate(failed.map((store) => store.id), { onSuccess: outcome("retried", failed.length) })}>
          Retry {failed.length > 0 ? failed.length : ""} failed
        </Button>
      ) : null}
      {mayDelete ? (
        <Button size="xs" variant="default" className="dangerous" onClick={() => setDeleting(true)}>
          Delete …
        </Button>
      ) : null}
      <Button size="xs" variant="subtle" color="gray" onClick={onDone}>
        Clear
      </Button>
      <Confirm
        opened={deleting}
        onClose={() => setDeleting(false)}
        title={`Delete ${selection.length} ${selection.length === 1 ? "store" : "stores"}?`}
        word={word}
        action="Delete for good"
        busy={remove.isPending}
        onConfirm={() => remove.mutate(selection.map((store) => store.id), { onSuccess: outcome("deleted", selection.length) })}
      >
        Products, orders and customers of these shops are removed and cannot be had back: <strong>{selection.map((store) => store.name).join(", ")}</strong>.
      </Confirm>
    </div>
  );
}
