/// What an upgrade would change in a store, before anybody asks for it, and asking for it. How it goes is told on the store's page.
import { Button } from "@mantine/core";
import { useUpgradeStore } from "../../api/mutations";
import { useUpgrade } from "../../api/queries";
import type { ObjectChange, Store } from "../../api/types";
import { Notice, Problem } from "../../ui/notice";
import { Waiting } from "../../ui/page";
import { tell } from "../../ui/toasts";

const CHANGES: Record<string, string> = { added: "is new", removed: "goes", changed: "changes" };

export function Upgrade({ store, onDone }: { store: Store; onDone: () => void }) {
  const preview = useUpgrade(store.id);
  const upgrade = useUpgradeStore();

  if (preview.error && !preview.data) return <Problem error={preview.error} onRetry={() => void preview.refetch()} />;
  if (!preview.data) return <Waiting what="Comparing what runs with what is new" />;
  const { upToDate, changes } = preview.data;
  if (upToDate) {
    return (
      <Notice tone="good" title="Nothing to upgrade">
        {store.name} runs what new stores get.
      </Notice>
    );
  }
  const start = () => upgrade.mutate(store.id, { onSuccess: () => (onDone(), tell("info", `${store.name} is being upgraded`)) });
  return (
    <div style={{ display: "flex", flexDirection: "column", gap: "1rem" }}>
      {changes.length === 0 ? <div>Nothing that runs in the cluster differs; only what it is made from is newer.</div> : <Changes changes={changes} />}
      <div className="small">
        Parts that change are started anew. Products, orders and customers stay. Should the shop not run with it, it goes back to what it was.
      </div>
      {upgrade.error ? <Problem error={upgrade.error} /> : null}
      <div style={{ display: "flex", gap: "0.5rem", justifyContent: "flex-end" }}>
        <Button variant="default" onClick={onDone}>
          Not now
        </Button>
        <Button loading={upgrade.isPending} onClick={start}>
          Upgrade
        </Button>
      </div>
    </div>
  );
}

function Changes({ changes }: { changes: ObjectChange[] }) {
  return (
    // Many changes scroll by themselves, also by keyboard, so that the buttons stay in sight.
    <div tabIndex={0} role="region" aria-label="What changes" style={{ maxHeight: "45vh", overflow: "auto" }}>
      <ul style={{ listStyle: "none", margin: 0, padding: 0, display: "flex", flexDirection: "column", gap: "0.75rem" }}>
        {changes.map(({ kind, name, change, fields }) => (
          <li key={`${kind} ${name}`}>
            <strong>
              {kind} {name}
            </strong>{" "}
            {CHANGES[change] ?? change}
            {fields.map(({ path, before, after }) => (
              <div key={path} className="small" style={{ marginTop: "0.25rem", overflowWrap: "anywhere" }}>
                <div className="dim mono">{path}</div>
                {before === null && after === null ? null : (
                  <div>
                    <span className="mono">{before ?? "nothing"}</span> becomes <strong className="mono">{after ?? "nothing"}</strong>
                  </div>
                )}
              </div>
            ))}
          </li>
        ))}
      </ul>
    </div>
  );
}
