import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { show, store } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { Audit } from "./Audit";

beforeEach(() => window.history.replaceState(null, "", "/audit"));

const entry = { id: "7", storeId: "store-1a2b3c4d", storeName: "teashop", eventType: "security", previousStatus: null, newStatus: null, message: "credentials were shown", metadata: { action: "reveal" }, ipAddress: "192.0.2.1", userEmail: "ada@example.com", createdAt: "2026-11-25T10:00:00.000Z", requestId: "req_1" };
const ANSWERS = {
  "GET /audit": { logs: [entry], nextPageToken: null },
  "GET /stores": { stores: [store()], total: 1, limit: 100, offset: 0 },
  "GET /organisations/o1/members": { members: [{ userId: "u1", email: "ada@example.com", username: "ada", role: "owner", joinedAt: entry.createdAt }] },
};

/// What is asked for by days in the reader's zone: from the start of the first to the end of the last.
const start = (day: number) => new Date(2026, 10, day).toISOString();

test("the log is filtered by store, event, person and days, and exported as it is filtered", async () => {
  const asked = serve({ ...ANSWERS, "GET /audit/export": new Response("id,time\n") });
  const saved: string[] = [];
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: () => "blob:audit", revokeObjectURL: () => undefined }));
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function click(this: HTMLAnchorElement) {
    saved.push(this.download);
  });
  show(<Audit />);
  await screen.findByText(/credentials were shown/);
  await userEvent.selectOptions(screen.getByLabelText("Store"), await screen.findByRole("option", { name: "teashop" }));
  await userEvent.selectOptions(screen.getByLabelText("Event"), "security");
  await userEvent.selectOptions(screen.getByLabelText("Who"), await screen.findByRole("option", { name: "ada@example.com" }));
  fireEvent.change(screen.getByLabelText("From"), { target: { value: "2026-11-24" } });
  fireEvent.change(screen.getByLabelText("To"), { target: { value: "2026-11-25" } });
  const filter = { storeId: "store-1a2b3c4d", eventType: "security", actorId: "u1", from: start(24), to: start(26) };
  const last = (path: string) => Object.fromEntries(asked.filter((one) => one.path === path).at(-1)?.query ?? []);
  await waitFor(() => expect(last("/audit")).toEqual({ ...filter, limit: "50" }));

  for (const [name, format] of [["CSV, for spreadsheets", "csv"], ["JSON lines, for programs", "jsonl"]] as const) {
    await userEvent.click(screen.getByRole("button", { name: "Export" }));
    await userEvent.click(screen.getByRole("menuitem", { name }));
    await waitFor(() => expect(last("/audit/export")).toEqual({ ...filter, format }));
    await waitFor(() => expect(saved.at(-1)).toBe(`audit.${format}`));
  }
});

test("an entry says who and from where, and more of it on demand; an export that is refused is told", async () => {
  serve({ ...ANSWERS, "GET /audit/export": refusal(503, "SERVICE_UNAVAILABLE") });
  show(<Audit />);
  const row = (await screen.findByText(/credentials were shown/)).closest("tr");
  expect(row?.textContent).toContain("192.0.2.1");
  expect(screen.queryByText(/request req_1/)).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show details of entry 7" }));
  expect(screen.getByText(/request req_1/)).toBeTruthy();
  expect(screen.getByText(/action=reveal/)).toBeTruthy();

  await userEvent.click(screen.getByRole("button", { name: "Export" }));
  await userEvent.click(screen.getByRole("menuitem", { name: /CSV/ }));
  expect(await screen.findByText("refused with SERVICE_UNAVAILABLE")).toBeTruthy();
});

test("nothing that was written for a filter is said so, and who may not read it is told", async () => {
  serve({ ...ANSWERS, "GET /audit": { logs: [], nextPageToken: null } });
  const { unmount } = show(<Audit />);
  expect(await screen.findByRole("heading", { name: "No entry" })).toBeTruthy();
  unmount();
  show(<Audit />, "viewer");
  expect(screen.getByText(/Your role in this organisation does not read/)).toBeTruthy();
});
