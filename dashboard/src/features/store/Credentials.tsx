/// The administrator's credentials: fetched when somebody asks, which the audit log notes, and forgotten when they look away.
import { Button } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useState } from "react";
import { call } from "../../api/client";
import { asApiError } from "../../api/errors";
import type { Credentials as Shown, Store } from "../../api/types";
import { useMay } from "../../app/me";
import { Problem } from "../../ui/notice";
import { Card } from "../../ui/page";
import { Secret } from "../../ui/secret";

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

export function Credentials({ store }: { store: Store }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const allowed = useMay("credentials:read");
  if (!allowed) return null;
  const show = async () => {
    setBusy(true);
    setError(null);
    try {
      setShown(await reveal(store.id));
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
  };
  return (
    <Card
      title="Administrator's credentials"
      aside={
        shown ? (
          <Button size="xs" variant="default" onClick={() => setShown(null)}>
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
      ) : (
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
      )}
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
