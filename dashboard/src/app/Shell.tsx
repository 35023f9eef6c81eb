/// The frame around every page of somebody who is signed in.
import { ActionIcon } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconMenu2 } from "@tabler/icons-react";
import { Suspense, useEffect, useState, type ReactNode } from "react";
import { Link, usePath } from "./router";
import { connection } from "../api/connection";
import { activeOrganisation, chooseOrganisation } from "../api/organisation";
import { meOptions } from "../api/queries";
import { session } from "../api/session";
import { useSignal } from "../api/signal";
import { Dialog } from "../ui/dialog";
import { Logo } from "../ui/logo";
import { Problem } from "../ui/notice";
import { Waiting } from "../ui/page";
import { ErrorBoundary } from "./ErrorBoundary";
import { Live } from "./Live";
import { SessionExpired } from "./SessionExpired";
import { Side } from "./Side";
import { MeContext } from "./me";

export function Shell({ children }: { children: ReactNode }) {
  const me = useQuery({ ...meOptions, staleTime: 60_000 });
  const chosen = useSignal(activeOrganisation);
  const state = useSignal(session);
  const [open, setOpen] = useState(false);
  const path = usePath();
  useEffect(() => setOpen(false), [path]);

  const organisations = me.data?.organisations ?? [];
  const known = organisations.find((one) => one.id === chosen) ?? organisations.find((one) => one.personal) ?? organisations[0];
  const settled = !!me.data && (known?.id ?? null) === chosen;
  useEffect(() => {
    // Somebody else's, or one that they are no longer a member of.
    if (me.data && !settled) chooseOrganisation(known?.id ?? null);
  }, [me.data, settled, known?.id]);

  if (!me.data || !settled) {
    return (
      <main style={{ maxWidth: "40rem", margin: "15vh auto", padding: "0 1rem" }}>
        {me.error ? <Problem error={me.error} onRetry={() => void me.refetch()} /> : <Waiting what="Looking up your account" />}
        {state.kind === "expired" ? <SessionExpired user={state.user} /> : null}
      </main>
    );
  }

  return (
    <MeContext value={{ user: me.data.user, organisations, organisation: known ?? null }}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Live key={`${me.data.user.id}:${chosen}`} channel={`${me.data.user.id}:${chosen}`} />
      <div className="shell">
        <header className="side">
          <Side />
        </header>
        <header className="topbar">
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Open the menu" onClick={() => setOpen(true)}>
            <IconMenu2 size={20} aria-hidden />
          </ActionIcon>
          <Link to="/" className="brand">
            <Logo size={24} />
            Shopwright
          </Link>
        </header>
        <Dialog drawer opened={open} onClose={() => setOpen(false)} title="Menu">
          <Side bare />
        </Dialog>
        <main className="main" id="main" tabIndex={-1}>
          <ConnectionBanner />
          <Suspense fallback={<Waiting what="Loading the page" />}>
            {/* Another organisation is another page: nothing of the one before stays. */}
            <ErrorBoundary key={`${path}:${chosen}`}>
              {children}
            </ErrorBoundary>
          </Suspense>
        </main>
      </div>
      {state.kind === "expired" ? <SessionExpired user={state.user} /> : null}
    </MeContext>
  );
}

function ConnectionBanner() {
  const state = useSignal(connection);
  if (state === "online") return <div role="status" />;
  return (
    <div role="status" className="banner" style={{ margin: "-0.5rem 0 1.25rem", borderRadius: 10, border: "1px solid" }}>
      {state === "offline"
        ? "You are offline. What you see may be old; this goes on by itself."
        : "The server does not answer. What you see may be old; asking again …"}
    </div>
  );
}
