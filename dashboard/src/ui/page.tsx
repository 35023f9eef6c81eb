/// What every page consists of: a title that gets the focus on arrival, and what stands beside it.
import { useEffect, useRef, type ReactNode } from "react";

/// Whether a page was shown before this one.
let arrived = false;

export function Page({ title, lead, acts, narrow, children }: { title: string; lead?: ReactNode; acts?: ReactNode; narrow?: boolean; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Shopwright`;
  }, [title]);
  useEffect(() => {
    // Whoever came by a link starts reading here; who just opened the page is left alone.
    if (arrived) heading.current?.focus({ preventScroll: true });
    arrived = true;
    window.scrollTo(0, 0);
  }, []);
  return (
    <div className={narrow ? "content narrow" : "content"}>
      <div className="head">
        <div className="grow">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead ? <p>{lead}</p> : null}
        </div>
        {acts ? <div style={{ display: "flex", gap: "0.5rem", flexWrap: "wrap" }}>{acts}</div> : null}
      </div>
      {children}
    </div>
  );
}

export function Card({ title, aside, children, flush, danger }: { title?: ReactNode; aside?: ReactNode; children: ReactNode; flush?: boolean; danger?: boolean }) {
  return (
    <section className={danger ? "card danger" : "card"}>
      {title ? (
        <header>
          <h2>{title}</h2>
          {aside}
        </header>
      ) : null}
      <div className={flush ? "flush" : "body"}>{children}</div>
    </section>
  );
}

/// Nothing is here, and what to do about it.
export function Empty({ icon, title, children, acts }: { icon?: ReactNode; title: string; children?: ReactNode; acts?: ReactNode }) {
  return (
    <div className="empty">
      {icon}
      <h2>{title}</h2>
      {children ? <p>{children}</p> : null}
      {acts ? <div className="acts">{acts}</div> : null}
    </div>
  );
}

/// Something is being fetched: says what, and keeps its place.
export function Waiting({ what, lines = 3 }: { what: string; lines?: number }) {
  return (
    <div className="waiting" role="status">
      <span className="dim small">{what} …</span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className="ghost" style={{ height: "2.25rem", width: `${100 - line * 9}%` }} aria-hidden />
      ))}
    </div>
  );
}
