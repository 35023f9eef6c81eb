/// Times in the reader's zone, with UTC for whoever points at them.
import { useEffect, useState } from "react";

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const precise = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/// The current time, again every so often.
export function useNow(everyMs: number, active = true): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, active]);
  return now;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function ago(then: number, now: number): string {
  const seconds = Math.round((then - now) / 1000);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 10 ? "just now" : relative.format(seconds, "second");
}

/// 1 min 04 s
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export const utc = (iso: string): string => `${iso.replace("T", " ").replace(/(\.\d+)?Z$/, "")} UTC`;

/// A point in time; `as` says how it is written.
export function When({ at, as = "ago" }: { at: string; as?: "ago" | "date" | "precise" }) {
  const now = useNow(20_000, as === "ago");
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) return <>–</>;
  const text = as === "ago" ? ago(then.getTime(), now) : (as === "date" ? absolute : precise).format(then);
  return (
    <time className="numbers" dateTime={at} title={`${precise.format(then)} · ${utc(at)}`}>
      {text}
    </time>
  );
}

/// How long something takes that is not over.
export function Elapsed({ since }: { since: string }) {
  const now = useNow(1000);
  return <span className="numbers">{duration(Math.floor((now - Date.parse(since)) / 1000) * 1000).replace(".0", "")}</span>;
}

/// What is left until then, counted down; nothing once it is over.
export function useSecondsLeft(until: number | null): number {
  const now = useNow(500, until !== null && until > Date.now());
  return until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1000));
}
