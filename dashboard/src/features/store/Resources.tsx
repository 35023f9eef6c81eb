/// What a store takes of its cluster, against its quota.
import { asApiError } from "../../api/errors";
import { isOpen, useResources } from "../../api/queries";
import type { Share, Store } from "../../api/types";
import { Problem } from "../../ui/notice";
import { Card, Waiting } from "../../ui/page";

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const GIBIBYTE = 2 ** 30;

export function Resources({ store }: { store: Store }) {
  const resources = useResources(store.id, isOpen(store.operation) ? null : (store.operation?.id ?? null));
  if (resources.error && !resources.data) {
    // A store that an older version made: nothing is known of its release.
    const { code, isMissingRoute } = asApiError(resources.error);
    return isMissingRoute || code === "NOTHING_KEPT" ? null : <Problem error={resources.error} title="What it takes is not known" onRetry={() => void resources.refetch()} />;
  }
  if (!resources.data) return <Waiting what="Looking at what it takes" lines={2} />;
  const { cpuMillicores, memoryBytes, storageBytes } = resources.data;
  return (
    <Card title="Resources">
      <dl className="meters">
        <Meter name="Processor" share={cpuMillicores} unit="cores" size={1000} />
        <Meter name="Memory" share={memoryBytes} unit="GiB" size={GIBIBYTE} />
        <Meter name="Storage" share={storageBytes} unit="GiB" size={GIBIBYTE} />
      </dl>
      <p className="dim small" style={{ margin: "1rem 0 0" }}>
        What the shop may take at most, of what its plan gives it.
      </p>
    </Card>
  );
}

function Meter({ name, share: { taken, quota }, unit, size }: { name: string; share: Share; unit: string; size: number }) {
  const part = quota === null ? 0 : Math.min(1, taken / Math.max(1, quota));
  return (
    <div>
      <dt>{name}</dt>
      <dd className="numbers">
        {quota === null ? `${number.format(taken / size)} ${unit}` : `${number.format(taken / size)} of ${number.format(quota / size)} ${unit}`}
      </dd>
      {quota === null ? null : (
        <dd className={part >= 1 ? "bar full" : "bar"} aria-hidden>
          <span style={{ width: `${part * 100}%` }} />
        </dd>
      )}
    </div>
  );
}
