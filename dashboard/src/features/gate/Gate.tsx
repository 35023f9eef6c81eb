/// The pages before somebody is signed in: the form, and what they can expect.
import { IconCircleCheck } from "@tabler/icons-react";
import { useEffect, type ReactNode } from "react";
import { connection } from "../../api/connection";
import { useSignal } from "../../api/signal";
import { Logo } from "../../ui/logo";

const PROMISES = ["A shop of your own in about a minute", "Watch every step while it is set up", "Take orders at once, on your own address"];

export function Gate({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  const state = useSignal(connection);
  useEffect(() => {
    document.title = `${title} · Shopwright`;
  }, [title]);
  return (
    <div className="gate">
      <main className="gate-form">
        <div>
          <div className="brand" style={{ padding: "0 0 2rem" }}>
            <Logo size={32} />
            Shopwright
          </div>
          <h1>{title}</h1>
          {lead ? <p className="dim" style={{ margin: "0.375rem 0 0" }}>{lead}</p> : null}
          <div role="status" className="small" style={{ color: "var(--busy)" }}>
            {state === "offline" ? "You are offline." : state === "unreachable" ? "The server does not answer; asking again …" : null}
          </div>
          <div style={{ marginTop: "1.75rem" }}>{children}</div>
        </div>
      </main>
      <aside className="gate-side" aria-label="About Shopwright">
        <h2>Open a shop while your tea is still hot.</h2>
        <ol>
          {PROMISES.map((promise) => (
            <li key={promise}>
              <IconCircleCheck size={22} stroke={1.6} aria-hidden />
              {promise}
            </li>
          ))}
        </ol>
      </aside>
    </div>
  );
}

export const column = { display: "flex", flexDirection: "column", gap: "1rem" } as const;
