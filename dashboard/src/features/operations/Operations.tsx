/// What runs, waits or is stuck, with the reason.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconActivity } from "@tabler/icons-react";
import { Link } from "../../app/router";
import { isOpen, storesOptions, useOperations } from "../../api/queries";
import type { Operation } from "../../api/types";
import { useFilters } from "../../ui/hooks";
import { Problem } from "../../ui/notice";
import { Card, Empty, Page, Waiting } from "../../ui/page";
import { Pager, usePaging } from "../../ui/paging";
import { OperationState } from "../../ui/state";
import { duration, Elapsed, When } from "../../ui/times";
import { causeName, kindNoun, operationWord, stepNow } from "../../ui/words";

const STATES = ["queued", "running", "waiting", "stuck", "succeeded", "failed", "cancelled"];
const KINDS = ["provision", "rotate", "upgrade", "revert", "delete", "unwind"];

export function Operations() {
  const [filter, setFilter] = useFilters<"status" | "kind">();
  const question = { status: filter("status"), kind: filter("kind"), limit: 25 };
  const paging = usePaging(JSON.stringify(question));
  const operations = useOperations({ ...question, ...(paging.token ? { pageToken: paging.token } : {}) });
  const names = useQuery(storesOptions({ limit: 100 }));
  const nameOf = (id: string) => names.data?.stores.find((store) => store.id === id)?.name ?? id;
  const page = operations.data?.operations ?? [];
  return (
    <Page title="Operations" lead="What is being done to your stores, and what holds it up.">
      <div className="filters" role="search" aria-label="Operations">
        <NativeSelect label="State" value={question.status} onChange={(event) => setFilter({ status: event.currentTarget.value })} data={[{ value: "", label: "Any state" }, ...STATES.map((value) => ({ value, label: operationWord(value).text }))]} />
        <NativeSelect label="Kind" value={question.kind} onChange={(event) => setFilter({ kind: event.currentTarget.value })} data={[{ value: "", label: "Any kind" }, ...KINDS.map((value) => ({ value, label: kindNoun(value) }))]} />
      </div>
      {operations.error && !operations.data ? <Problem error={operations.error} onRetry={() => void operations.refetch()} /> : null}
      {!operations.data && !operations.error ? <Waiting what="Looking for operations" lines={5} /> : null}
      {operations.data ? (
        <>
          <Card flush>
            {page.length === 0 ? (
              <Empty icon={<IconActivity size={40} stroke={1.4} aria-hidden />} title="No operation">
                {question.status || question.kind ? "None has this state and kind." : "As soon as a store is created or deleted, you see here what is done for it."}
              </Empty>
            ) : (
              <table className="table folds">
                <caption className="unseen">Operations, newest first</caption>
                <thead>
                  <tr>
                    <th scope="col">Store</th>
                    <th scope="col">State</th>
                    <th scope="col">Kind</th>
                    <th scope="col">Time</th>
                    <th scope="col">Begun</th>
                  </tr>
                </thead>
                <tbody>
                  {page.map((operation) => (
                    <tr key={operation.id}>
                      <td className="main">
                        <Link className="name" to={`/stores/${operation.storeId}`}>
                          {nameOf(operation.storeId)}
                        </Link>
                        <div className="dim small">{reason(operation)}</div>
                      </td>
                      <td className="beside">
                        <OperationState status={operation.status} />
                      </td>
                      <td className="dim small short">{kindNoun(operation.kind)}</td>
                      <td className="dim small short numbers">
                        {operation.startedAt && operation.finishedAt ? duration(Date.parse(operation.finishedAt) - Date.parse(operation.startedAt)) : null}
                        {operation.startedAt && isOpen(operation) ? <Elapsed since={operation.startedAt} /> : null}
                      </td>
                      <td className="dim small short">
                        <When at={operation.createdAt} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </Card>
          <Pager paging={paging} next={operations.data.nextPageToken} label="operations" />
        </>
      ) : null}
    </Page>
  );
}

function reason(operation: Operation): string {
  const { failure } = operation;
  if (failure && operation.status !== "running" && operation.status !== "succeeded") return `${causeName(failure.code)}: ${failure.message || failure.hint}`;
  if (isOpen(operation) && operation.step) return stepNow(operation.step);
  return "";
}
