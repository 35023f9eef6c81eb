/// The first moment: whether a session goes on is not known yet.
import { connection } from "../api/connection";
import { useSignal } from "../api/signal";
import { useEffect, useState } from "react";
import { Logo } from "../ui/logo";

export function Connecting() {
  const state = useSignal(connection);
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 1500);
    return () => clearTimeout(timer);
  }, []);
  return (
    <main style={{ minHeight: "100dvh", display: "grid", placeContent: "center", justifyItems: "center", gap: "1rem", padding: "1rem", textAlign: "center" }}>
      <Logo size={44} />
      <h1 className="unseen">Shopwright</h1>
      <p role="status" className="dim" style={{ margin: 0 }}>
        {state === "offline" ? "You are offline. This goes on by itself." : slow ? "The server does not answer yet; asking again …" : "Opening your dashboard …"}
      </p>
    </main>
  );
}
