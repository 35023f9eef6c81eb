/// Where people would rather look than read: three charts, each with its numbers in words beside it.
import { useAudit, useOperations } from "../../api/queries";
import type { Store } from "../../api/types";
import { useMay } from "../../app/me";
import { Card } from "../../ui/page";
import { duration } from "../../ui/times";
import { causeName, storeWord } from "../../ui/words";
import { AreaChart, BarChart } from "./charts";
import { failuresByCause, median, SHOWN, statesOverTime, timesToReady } from "./series";

const COLOURS: Record<string, string> = { ready: "#2f9e63", provisioning: "#d99a1b", failed: "#d6453b", deleting: "#8a979b" };

export function Insights({ stores }: { stores: Store[] }) {
  const changes = useAudit({ eventType: "status_change", limit: 500 }, useMay("audit:read"));
  const operations = useOperations({ status: "failed", limit: 100 });
  const history = changes.data ? statesOverTime(stores, changes.data.logs, Date.now()) : [];
  const times = timesToReady(stores, 12);
  const middle = median(times.map((time) => time.value));
  const codes = operations.data
    ? operations.data.operations.flatMap((operation) => (operation.failure ? [operation.failure.code] : []))
    : stores.flatMap((store) => (store.failure ? [store.failure.code] : []));
  const causes = failuresByCause(codes, 6).map((bar) => ({ ...bar, label: causeName(bar.label) }));
  const shown = SHOWN.filter((status) => history.some((point) => (point.counts[status] ?? 0) > 0));
  return (
    <>
      {history.length > 2 ? (
        <Card title="Stores by state">
          <AreaChart
            label="How many stores were in which state over time"
            points={history}
            bands={shown.map((key) => ({ key, name: storeWord(key).text, colour: COLOURS[key] ?? "#8a979b" }))}
          />
        </Card>
      ) : null}
      <div className="halves">
        {times.length > 0 ? (
          <Card title="Time to ready" aside={middle === null ? null : <span className="dim small">median {duration(middle)}</span>}>
            <BarChart label="How long stores took to become ready" bars={times} colour="#1c8f9b" write={duration} />
          </Card>
        ) : null}
        {causes.length > 0 ? (
          <Card title="Failures by cause">
            <BarChart label="How often each cause made something fail" bars={causes} colour="#d6453b" write={String} />
          </Card>
        ) : null}
      </div>
    </>
  );
}
