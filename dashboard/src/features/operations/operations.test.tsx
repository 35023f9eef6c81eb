import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { show, store } from "../../testing/render";
import { serve } from "../../testing/server";
import { Operations } from "./Operations";

beforeEach(() => window.history.replaceState(null, "", "/operations"));

const failure = { code: "delete_blocked", class: "platform", detail: "", message: "pvc data is held by a finalizer", hint: "Remove what holds it." };
const one = (id: string, more: object) => ({ id, storeId: "store-1a2b3c4d", kind: "provision", status: "running", step: "install_release", attempt: 1, failure: null, createdAt: "2026-11-25T10:00:00.000Z", requestedAt: "2026-11-25T10:00:00.000Z", startedAt: "2026-11-25T10:00:01.000Z", finishedAt: null, ...more });

test("what runs says at which step, what waits or is stuck says why, and what is over how long it took", async () => {
  const asked = serve({
    "GET /stores": { stores: [store()], total: 1, limit: 100, offset: 0 },
    "GET /operations": {
      operations: [
        one("1", {}),
        one("2", { status: "waiting", failure: { ...failure, code: "cluster_unreachable", message: "" } }),
        one("3", { status: "stuck", kind: "delete", step: "verify_gone", failure }),
        one("4", { status: "succeeded", finishedAt: "2026-11-25T10:00:43.000Z", failure }),
      ],
      nextPageToken: null,
    },
  });
  show(<Operations />);
  const rows = (await screen.findAllByRole("row")).slice(1).map((row) => within(row));
  await waitFor(() => expect(screen.getAllByRole("link", { name: "teashop" }).length).toBe(4));
  expect(rows[0]?.getByText("Installing the shop")).toBeTruthy();
  expect(rows[1]?.getByText("Waiting")).toBeTruthy();
  expect(rows[1]?.getByText("Cluster does not answer: Remove what holds it.")).toBeTruthy();
  expect(rows[2]?.getByText("Stuck")).toBeTruthy();
  expect(rows[2]?.getByText("Something holds it: pvc data is held by a finalizer")).toBeTruthy();
  expect(rows[3]?.getByText("42 s")).toBeTruthy();
  expect(rows[3]?.queryByText(/Something holds it/)).toBeNull();

  await userEvent.selectOptions(screen.getByLabelText("State"), "stuck");
  await userEvent.selectOptions(screen.getByLabelText("Kind"), "delete");
  await waitFor(() => expect(Object.fromEntries(asked.filter(({ path }) => path === "/operations").at(-1)?.query ?? [])).toEqual({ status: "stuck", kind: "delete", limit: "25" }));
});
