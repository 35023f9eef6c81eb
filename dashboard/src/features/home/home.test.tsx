import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Failure, Operation, Store } from "../../api/types";
import { show, store } from "../../testing/render";
import { json, serve } from "../../testing/server";
import { Home } from "./Home";

const failure: Failure = { code: "image_pull", class: "platform", detail: "", message: "no such image", hint: "Check the image's name." };
const operation = (status: Operation["status"]) => ({ id: "op1", kind: "provision", status, step: "await_workloads", failure: status === "stuck" ? failure : null }) as Operation;
const STORES: Store[] = [
  store({ id: "store-1", name: "well" }),
  store({ id: "store-2", name: "broken", status: "failed", failure, provisioningDurationMs: null }),
  store({ id: "store-3", name: "held-up", status: "deleting", operation: operation("stuck"), provisioningDurationMs: null }),
  store({ id: "store-4", name: "on-its-way", status: "provisioning", operation: operation("running"), provisioningDurationMs: null }),
];
const change = (id: number, previousStatus: string, newStatus: string) => ({ id: String(id), storeId: "store-1", eventType: "status_change", createdAt: `2026-11-25T10:0${id}:00.000Z`, previousStatus, newStatus, message: "" });
const ANSWERS = {
  "GET /stores": { stores: STORES, total: 4, limit: 100, offset: 0 },
  "GET /limits": { plan: "starter", stores: { limit: 10, used: 4 }, creationCooldown: { seconds: 30, endsAt: null }, requests: { limit: 60, windowSeconds: 60 }, retries: { limit: 3 } },
  "GET /audit": { logs: [change(2, "provisioning", "ready"), change(1, "requested", "provisioning")] },
  "GET /operations": { operations: [{ failure }, { failure }, { failure: { ...failure, code: "unschedulable" } }], nextPageToken: null },
};

test("what needs somebody comes first, with its reason and what to do; then what goes on; then numbers and charts", async () => {
  const asked = serve({ ...ANSWERS, "POST /stores/store-2/retry": () => json(202, { message: "", store: store({ id: "store-2", name: "broken", status: "requested" }) }) });
  show(<Home />);
  for (const chart of ["Stores by state", "Failures by cause"]) await screen.findByText(chart);
  const headings = screen.getAllByRole("heading", { level: 2 }).map((heading) => heading.textContent);
  expect(headings).toEqual(["Needs attention", "Happening now", "Stores by state", "Time to ready", "Failures by cause"]);

  const needy = within(screen.getByRole("heading", { name: "Needs attention" }).closest("section") as HTMLElement);
  expect(needy.getAllByRole("link").map((link) => link.textContent)).toEqual(["broken", "held-up"]);
  expect(needy.getAllByText(/Check the image's name/).length).toBe(2);
  expect(screen.getByText("Left in your plan").previousSibling?.textContent).toBe("6");

  await userEvent.click(needy.getByRole("button", { name: "Retry broken" }));
  await waitFor(() => expect(asked.filter((one) => one.method === "POST").map((one) => one.path)).toEqual(["/stores/store-2/retry"]));
});

test("charts tell their numbers in words, too", async () => {
  serve(ANSWERS);
  show(<Home />);
  expect(await screen.findByRole("img", { name: "How many stores were in which state over time" })).toBeTruthy();
  const causes = within(screen.getByRole("table", { name: "How often each cause made something fail" }));
  expect(causes.getAllByRole("row").map((row) => row.textContent)).toEqual(["Image cannot be had2", "No room in the cluster1"]);
  const times = within(screen.getByRole("table", { name: "How long stores took to become ready" }));
  expect(times.getAllByRole("row").map((row) => row.textContent)).toEqual(["well42 s"]);
});

test("without anything to do it says so, and without a store how to begin", async () => {
  serve({ ...ANSWERS, "GET /stores": { stores: [store()], total: 1, limit: 100, offset: 0 } });
  const { unmount } = show(<Home />);
  expect(await screen.findByText("Nothing needs you")).toBeTruthy();
  unmount();
  serve({ ...ANSWERS, "GET /stores": { stores: [], total: 0, limit: 100, offset: 0 } });
  show(<Home />);
  expect(await screen.findByRole("heading", { name: "No store yet" })).toBeTruthy();
  expect(screen.getAllByRole("link", { name: "Create store" }).length).toBeGreaterThan(0);
});
