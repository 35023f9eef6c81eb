import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Store } from "../../api/types";
import { show, store } from "../../testing/render";
import { json, refusal, serve, type Asked } from "../../testing/server";
import { Stores } from "./Stores";

beforeEach(() => window.history.replaceState(null, "", "/stores"));

const ENGINES = { engines: ["medusa", "woocommerce"].map((name) => ({ name, title: name === "medusa" ? "Medusa" : "WooCommerce" })) };
const page = (stores: Store[], nextPageToken: string | null = null) => ({ stores, total: stores.length, limit: 20, offset: 0, nextPageToken });
const teashop = store();
const failed = (id: string, name: string) => store({ id, name, status: "failed", failureReason: "It ended." });

/// What was asked of the list, the last time.
const question = (asked: Asked[]) => Object.fromEntries(asked.filter((one) => one.path === "/stores").at(-1)?.query ?? []);

test("stores are searched, filtered by state and engine, and sorted by the server, and the address keeps the view", async () => {
  const asked = serve({ "GET /stores": page([teashop]), "GET /engines": ENGINES });
  show(<Stores />);
  await screen.findByRole("link", { name: "teashop" });
  expect(question(asked)).toEqual({ limit: "20" });

  await userEvent.type(screen.getByLabelText("Search"), " Tea ");
  await userEvent.selectOptions(screen.getByLabelText("State"), "ready");
  await userEvent.selectOptions(screen.getByLabelText("Engine"), await screen.findByRole("option", { name: "Medusa" }));
  await userEvent.selectOptions(screen.getByLabelText("Order"), "name");

  const view = { search: "tea", status: "ready", engine: "medusa", sort: "name" };
  await waitFor(() => expect(question(asked)).toEqual({ ...view, limit: "20" }));
  expect(Object.fromEntries(new URLSearchParams(window.location.search))).toEqual(view);
});

test("a view that is in the address is what is asked for, and what has none is cleared with one click", async () => {
  window.history.replaceState(null, "", "/stores?search=coffee&engine=unheard-of");
  const asked = serve({ "GET /stores": page([]), "GET /engines": ENGINES });
  show(<Stores />);
  await screen.findByRole("heading", { name: "Nothing matches" });
  expect(question(asked)).toEqual({ search: "coffee", engine: "unheard-of", limit: "20" });

  await userEvent.click(screen.getByRole("button", { name: "Clear the filters" }));
  await waitFor(() => expect(question(asked)).toEqual({ limit: "20" }));
  expect(window.location.search).toBe("");
});

test("pages are turned by the server's tokens, and another question begins at the first", async () => {
  const asked = serve({
    "GET /stores": ({ query }) => (query.get("pageToken") === "second" ? page([store({ id: "store-2", name: "older" })]) : page([teashop], "second")),
    "GET /engines": ENGINES,
  });
  show(<Stores />);
  await userEvent.click(await screen.findByRole("button", { name: "Next" }));
  await screen.findByRole("link", { name: "older" });
  expect(screen.getByRole("button", { name: "Next" })).toHaveProperty("disabled", true);
  await userEvent.click(screen.getByRole("button", { name: "Back" }));
  await screen.findByRole("link", { name: "teashop" });

  await userEvent.click(screen.getByRole("button", { name: "Next" }));
  await userEvent.selectOptions(screen.getByLabelText("State"), "ready");
  await waitFor(() => expect(question(asked)).toEqual({ status: "ready", limit: "20" }));
});

test("several are retried at once: only those that failed, and each refusal is told by name", async () => {
  const asked = serve({
    "GET /stores": page([teashop, failed("store-f1", "one"), failed("store-f2", "two")]),
    "GET /engines": ENGINES,
    "POST /stores/store-f1/retry": () => json(202, { message: "", store: failed("store-f1", "one") }),
    "POST /stores/store-f2/retry": refusal(429, "RETRY_LIMIT"),
  });
  show(<Stores />);
  await userEvent.click(await screen.findByLabelText("Choose all stores of this page"));
  const bulk = within(screen.getByRole("region", { name: "Chosen stores" }));
  expect(bulk.getByText("3 chosen")).toBeTruthy();
  await userEvent.click(bulk.getByRole("button", { name: "Retry 2 failed" }));

  await screen.findByText("1 store is being retried");
  expect(screen.getByText("two: refused with RETRY_LIMIT")).toBeTruthy();
  expect(asked.filter((one) => one.method === "POST").map((one) => one.path)).toEqual(["/stores/store-f1/retry", "/stores/store-f2/retry"]);
  expect(screen.queryByRole("region", { name: "Chosen stores" })).toBeNull();
});

test("several are deleted after their number was typed", async () => {
  const asked = serve({
    "GET /stores": page([teashop, failed("store-f1", "one")]),
    "GET /engines": ENGINES,
    "DELETE /stores/store-1a2b3c4d": () => json(202, { message: "", store: store({ status: "deleting" }) }),
    "DELETE /stores/store-f1": () => json(202, { message: "", store: store({ status: "deleting" }) }),
  });
  show(<Stores />);
  await userEvent.click(await screen.findByLabelText("Choose all stores of this page"));
  await userEvent.click(screen.getByRole("button", { name: "Delete …" }));
  const dialog = within(screen.getByRole("dialog"));
  expect(dialog.getByText("teashop, one")).toBeTruthy();
  await userEvent.type(dialog.getByLabelText(/to confirm/), "delete 1");
  expect(dialog.getByRole("button", { name: "Delete for good" })).toHaveProperty("disabled", true);
  await userEvent.clear(dialog.getByLabelText(/to confirm/));
  await userEvent.type(dialog.getByLabelText(/to confirm/), "delete 2");
  await userEvent.click(dialog.getByRole("button", { name: "Delete for good" }));

  await screen.findByText("2 stores are being deleted");
  expect(asked.filter((one) => one.method === "DELETE").length).toBe(2);
});

test("what the server tells is text, whatever is in it", async () => {
  serve({ "GET /stores": page([{ ...failed("store-f1", "one"), failureReason: "<img src=x onerror=alert(1)>" }]), "GET /engines": ENGINES });
  const { container } = show(<Stores />);
  expect(await screen.findByText("<img src=x onerror=alert(1)>")).toBeTruthy();
  expect(container.querySelector("img")).toBeNull();
});
