/// The administrator's credentials: fetched when somebody asks, which the audit log notes, and forgotten when they look away. Here they are
/// replaced, too.
import { Button } from "@mantine/core";
import { IconKey, IconRefresh } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { call } from "../../api/client";
import { asApiError } from "../../api/errors";
import { isOpen } from "../../api/queries";
import type { Credentials as Shown, Store } from "../../api/types";
import { useMay } from "../../app/me";
import { Dialog } from "../../ui/dialog";
import { Problem } from "../../ui/notice";
import { Card, Waiting } from "../../ui/page";
import { Secret } from "../../ui/secret";

const Rotate = lazy(() => import("./Rotate").then((module) => ({ default: module.Rotate })));

/// From the endpoint that audits; from the detail of an older server where there is none.
async function reveal(id: string): Promise<Shown> {
  try {
    return (await call<{ credentials: Shown }>(`/stores/${id}/credentials/reveal`, { method: "POST" })).credentials;
  } catch (error) {
    if (!asApiError(error).isMissingRoute) throw error;
    const { store } = await call<{ store: { adminCredentials: Shown } }>(`/stores/${id}`);
    return store.adminCredentials;
  }
}

/// The operation after which other passwords may be in force: a rotation that is over, or the way back from one that failed.
function lastReplacement({ operation }: Store): string | null {
  return operation && ["rotate", "revert"].includes(operation.kind) && !isOpen(operation) ? operation.id : null;
}

export function Credentials({ store, signsIn = true }: { store: Store; signsIn?: boolean }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [rotating, setRotating] = useState(false);
  // Of a store that another organisation owns, the server alone knows.
  const allowed = useMay("credentials:read") && store.isCredentialOwner;
  const replaced = lastReplacement(store);
  /// The replacement that what is shown was read after.
  const readAfter = useRef(replaced);

  const show = async () => {
    setBusy(true);
    setError(null);
    readAfter.current = replaced;
    try {
      setShown(await reveal(store.id));
    } catch (refused) {
      // What was shown may not be in force any more.
      setShown(null);
      setError(refused);
    }
    setBusy(false);
  };
  useEffect(() => {
    if (shown && replaced && replaced !== readAfter.current) void show();
  });
  if (!allowed) return null;
  return (
    <Card
      title={signsIn ? "Administrator's credentials" : "Passwords"}
      aside={
        shown ? (
          <Button size="xs" variant="default" loading={busy} onClick={() => setShown(null)}>
            Hide
          </Button>
        ) : null
      }
    >
      {shown ? (
        <div style={{ display: "flex", flexDirection: "column", gap: "0.75rem" }}>
          {shown.username ? <Labelled title="Username" what="username" value={shown.username} /> : null}
          <Labelled title="E-mail" what="e-mail" value={shown.email} />
          <Labelled title="Password" what="password" value={shown.password} hidden />
        </div>
      ) : signsIn ? (
        <>
          <p style={{ marginTop: 0 }} className="small dim">
            With them one signs in to the shop's own administration. That somebody looked is written to the audit log.
          </p>
          <Button variant="default" leftSection={<IconKey size={17} aria-hidden />} loading={busy} onClick={() => void show()}>
            Show credentials
          </Button>
          {error ? (
            <div style={{ marginTop: "1rem" }}>
              <Problem error={error} />
            </div>
          ) : null}
        </>
      ) : (
        <p style={{ margin: 0 }} className="small dim">
          Nobody signs in to this shop: its passwords are known to its parts alone.
        </p>
      )}
      <div className="small" style={{ display: "flex", gap: "0.75rem", alignItems: "center", justifyContent: "space-between", flexWrap: "wrap", marginTop: "1.25rem", paddingTop: "1rem", borderTop: "1px solid var(--line)" }}>
        <span className="dim">Somebody knows them who should not?</span>
        <Button size="xs" variant="default" leftSection={<IconRefresh size={16} aria-hidden />} disabled={isOpen(store.operation)} onClick={() => setRotating(true)}>
          Replace …
        </Button>
      </div>
      <Dialog opened={rotating} onClose={() => setRotating(false)} title={`Replace the credentials of ${store.name}`}>
        <Suspense fallback={<Waiting what="Looking at what can be replaced" />}>
          <Rotate store={store} onDone={() => setRotating(false)} />
        </Suspense>
      </Dialog>
    </Card>
  );
}

function Labelled({ title, what, value, hidden = false }: { title: string; what: string; value: string; hidden?: boolean }) {
  return (
    <div>
      <div className="small dim" style={{ marginBottom: "0.25rem" }}>
        {title}
      </div>
      <Secret value={value} what={what} hidden={hidden} />
    </div>
  );
}
