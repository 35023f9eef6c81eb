/// An invitation to an organisation. Its token stands behind the `#` of the address, which no server and no log sees, and is taken out
/// of the address at once.
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useNavigate } from "../../app/router";
import { acceptInvitation, inspectInvitation } from "../../api/mutations";
import { chooseOrganisation } from "../../api/organisation";
import { keys, meOptions } from "../../api/queries";
import { session, signOut } from "../../api/session";
import { useSignal } from "../../api/signal";
import type { Role } from "../../api/types";
import { Notice, Problem } from "../../ui/notice";
import { Waiting } from "../../ui/page";
import { When } from "../../ui/times";
import { tell } from "../../ui/toasts";
import { ROLES } from "../../ui/words";
import { Gate } from "./Gate";
import { RegisterForm } from "./RegisterForm";

interface Details {
  organisation: { name: string };
  role: Role;
  email: string | null;
  expiresAt: string;
}

/// Kept over a sign-in in this tab, in memory alone.
let kept: string | null = null;

export function Invitation() {
  const [token] = useState(() => {
    const given = window.location.hash.slice(1);
    kept = given || kept;
    return kept;
  });
  const [details, setDetails] = useState<Details | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [arriving, setArriving] = useState(false);
  const state = useSignal(session);
  const client = useQueryClient();
  const navigate = useNavigate();

  useEffect(() => {
    if (window.location.hash) window.history.replaceState(window.history.state, "", "/invitation");
    if (!token) return;
    inspectInvitation(token).then(setDetails, setError);
  }, [token]);

  const joined = async (organisation: { id: string; name: string }) => {
    kept = null;
    await client.fetchQuery({ ...meOptions, staleTime: 0 });
    void client.invalidateQueries({ queryKey: keys.organisations() });
    chooseOrganisation(organisation.id);
    tell("good", `You are a member of ${organisation.name}`);
    navigate("/", { replace: true });
  };
  /// Whoever registers with an invitation belongs to two organisations: their own, and the one that they came for.
  const registered = async () => {
    setArriving(true);
    kept = null;
    try {
      const { organisations = [] } = await client.fetchQuery({ ...meOptions, staleTime: 0 });
      const organisation = organisations.find(({ personal }) => !personal);
      if (organisation) await joined(organisation);
      else navigate("/", { replace: true });
    } catch {
      // They are a member, and whoever looks again sees it.
      navigate("/", { replace: true });
    }
  };
  const accept = async () => {
    if (!token) return;
    setBusy(true);
    setError(null);
    try {
      await joined((await acceptInvitation(token)).organisation);
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };

  if (!token) {
    return (
      <Gate title="Invitation">
        <Notice tone="info" title="This link holds no invitation">
          Open the whole link that you were sent. <Link to="/">Go to the start</Link>
        </Notice>
      </Gate>
    );
  }
  if (!details) {
    return (
      <Gate title="Invitation">
        {error ? <Problem error={error} title="This invitation cannot be used" /> : <Waiting what="Looking at your invitation" lines={2} />}
      </Gate>
    );
  }
  const lead = (
    <>
      You will join as <strong>{ROLES[details.role]?.name ?? details.role}</strong>. The invitation ends <When at={details.expiresAt} />.
    </>
  );
  return (
    <Gate title={`Join ${details.organisation.name}`} lead={lead}>
      {error ? <Problem error={error} /> : null}
      {arriving ? (
        <Waiting what="Opening the organisation" lines={1} />
      ) : state.kind === "signed-in" ? (
        <div style={{ display: "flex", flexDirection: "column", gap: "0.75rem" }}>
          <p style={{ margin: 0 }}>
            You are signed in as <strong>{state.user.email}</strong>.
          </p>
          <Button size="md" loading={busy} onClick={() => void accept()}>
            Join as {state.user.username}
          </Button>
          <Button variant="subtle" color="gray" onClick={() => void signOut()}>
            Use another account
          </Button>
        </div>
      ) : (
        <>
          <RegisterForm
            invitation={token}
            email={details.email}
            onDone={() => void registered()}
          />
          <p className="dim small" style={{ marginBottom: 0 }}>
            Registered already? <Link to="/sign-in?next=/invitation">Sign in to join</Link>
          </p>
        </>
      )}
    </Gate>
  );
}
