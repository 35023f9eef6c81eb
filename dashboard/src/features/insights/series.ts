/// Numbers for the charts, from what the API tells of stores and their changes. Pure.
import type { AuditEntry, Store, StoreStatus } from "../../api/types";

export const SHOWN: readonly StoreStatus[] = ["ready", "provisioning", "failed", "deleting"];

export interface Point {
  at: number;
  counts: Record<string, number>;
}

/// How many stores were in which state, going back from now along the changes (newest first).
export function statesOverTime(stores: readonly Store[], changes: readonly AuditEntry[], now: number): Point[] {
  const counts: Record<string, number> = {};
  for (const store of stores) counts[store.status] = (counts[store.status] ?? 0) + 1;
  const points: Point[] = [{ at: now, counts: { ...counts } }];
  for (const change of changes) {
    const { previousStatus: before, newStatus: after } = change;
    if (!after) continue;
    const at = Date.parse(change.createdAt);
    points.push({ at, counts: { ...counts } });
    counts[after] = Math.max(0, (counts[after] ?? 0) - 1);
    if (before) counts[before] = (counts[before] ?? 0) + 1;
    points.push({ at: at - 1, counts: { ...counts } });
  }
  return points.reverse();
}

export interface Bar {
  label: string;
  value: number;
}

/// The newest stores that became ready, oldest first, with their time in milliseconds.
export function timesToReady(stores: readonly Store[], most: number): (Bar & { engine: string })[] {
  const timed = stores.filter((store) => store.provisioningDurationMs !== null);
  const newest = [...timed].sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, most);
  return newest.reverse().map((store) => ({ label: store.name, value: store.provisioningDurationMs ?? 0, engine: store.engine }));
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/// How often each cause made an operation fail, most frequent first.
export function failuresByCause(codes: readonly string[], most: number): Bar[] {
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const sorted = [...counts].map(([label, value]) => ({ label, value })).sort((a, b) => b.value - a.value || a.label.localeCompare(b.label));
  return sorted.slice(0, most);
}

/// Ends of an axis and its marks, in round numbers.
export function scale(max: number, marks: number): number[] {
  if (max <= 0) return [0, 1];
  const rough = max / marks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const whole = Math.max(step, Number.isInteger(max) && max < marks ? 1 : step);
  const out = [0];
  while ((out.at(-1) ?? 0) < max) out.push((out.at(-1) ?? 0) + whole);
  return out;
}
