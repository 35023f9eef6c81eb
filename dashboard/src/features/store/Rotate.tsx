/// Replacing a store's passwords: which ones, and what becomes of the old ones. How it goes is told on the store's page.
import { Button } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useRotateCredentials } from "../../api/mutations";
import { useEngines } from "../../api/queries";
import type { Store } from "../../api/types";
import { Notice, Problem } from "../../ui/notice";
import { Waiting } from "../../ui/page";
import { tell } from "../../ui/toasts";

const TARGETS: Record<string, [title: string, text: string]> = {
  administrator: ["Administrator's password", "What one signs in with to the shop's own administration."],
  database: ["Database's password", "Known to the shop alone, which is started anew with it."],
};

export function Rotate({ store, onDone }: { store: Store; onDone: () => void }) {
  const engines = useEngines();
  const rotate = useRotateCredentials();
  const [kept, setKept] = useState<readonly string[]>(["database"]);

  if (engines.error && !engines.data) return <Problem error={engines.error} onRetry={() => void engines.refetch()} />;
  if (!engines.data) return <Waiting what="Looking at what can be replaced" />;
  const offered = engines.data.find((engine) => engine.name === store.engine)?.rotates ?? [];
  if (offered.length === 0) {
    return (
      <Notice tone="info" title="Nothing here can be replaced">
        Stores of this engine keep the passwords that they were made with.
      </Notice>
    );
  }
  const targets = offered.filter((target) => !kept.includes(target));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (targets.length === 0 || rotate.isPending) return;
    rotate.mutate({ id: store.id, targets }, { onSuccess: () => (onDone(), tell("info", `${store.name} gets new credentials`)) });
  };
  return (
    <form onSubmit={submit} style={{ display: "flex", flexDirection: "column", gap: "1rem" }}>
      <fieldset className="choices">
        <legend className="unseen">What to replace</legend>
        {offered.map((target) => {
          const [title, text] = TARGETS[target] ?? [target, ""];
          return (
            <label key={target} className="choice">
              <input type="checkbox" checked={targets.includes(target)} onChange={() => setKept(targets.includes(target) ? [...kept, target] : kept.filter((one) => one !== target))} />
              <span>
                <strong>{title}</strong>
                <span className="dim">{text}</span>
              </span>
            </label>
          );
        })}
      </fieldset>
      <div className="small">
        New ones are made and tried first; the old ones stop working once the shop runs with the new ones, and cannot be had back. Should that fail, the shop
        goes back to the old ones.
      </div>
      {rotate.error ? <Problem error={rotate.error} /> : null}
      <div style={{ display: "flex", gap: "0.5rem", justifyContent: "flex-end" }}>
        <Button variant="default" onClick={onDone}>
          Keep them
        </Button>
        <Button type="submit" color="red.8" loading={rotate.isPending} disabled={targets.length === 0}>
          Replace
        </Button>
      </div>
    </form>
  );
}
