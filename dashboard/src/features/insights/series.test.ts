import { expect, test } from "vitest";
import type { AuditEntry, StoreStatus } from "../../api/types";
import { store } from "../../testing/render";
import { failuresByCause, median, scale, statesOverTime, timesToReady } from "./series";

const change = (at: string, previousStatus: StoreStatus | null, newStatus: StoreStatus) => ({ createdAt: at, previousStatus, newStatus }) as AuditEntry;

test("states over time go back from now along the changes", () => {
  const changes = [change("2026-01-01T00:02:00Z", "provisioning", "ready"), change("2026-01-01T00:01:00Z", "requested", "provisioning")];

  const points = statesOverTime([store({ status: "ready" })], changes, Date.parse("2026-01-01T00:03:00Z"));

  expect(points.map((point) => Object.entries(point.counts).filter(([, count]) => count > 0))).toEqual([
    [["requested", 1]],
    [["provisioning", 1]],
    [["provisioning", 1]],
    [["ready", 1]],
    [["ready", 1]],
  ]);
  expect(points.map((point) => point.at)).toEqual([...points.map((point) => point.at)].sort((a, b) => a - b));
});

test("times to ready are of the newest stores, oldest first", () => {
  const stores = [store({ name: "b", createdAt: "2026-02" }), store({ name: "a", createdAt: "2026-01" }), store({ name: "never", provisioningDurationMs: null })];
  expect(timesToReady(stores, 2).map((time) => time.label)).toEqual(["a", "b"]);
});

test("medians, causes and axes", () => {
  expect([median([]), median([3, 1, 2]), median([1, 2, 3, 4])]).toEqual([null, 2, 2.5]);
  expect(failuresByCause(["a", "b", "b"], 1)).toEqual([{ label: "b", value: 2 }]);
  expect(scale(3, 4)).toEqual([0, 1, 2, 3]);
  expect(scale(17, 4)).toEqual([0, 5, 10, 15, 20]);
});
