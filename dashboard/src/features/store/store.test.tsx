import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Operation } from "../../api/types";
import { show, store } from "../../testing/render";
import { json, refusal, serve } from "../../testing/server";
import { NewStore } from "../stores/NewStore";
import { Credentials } from "./Credentials";
import { Progress } from "./Progress";
import { StorePage } from "./StorePage";

const operation: Operation = {
  id: "op1",
  storeId: "store-1a2b3c4d",
  kind: "provision",
  status: "waiting",
  step: "await_workloads",
  attempt: 2,
  failure: { code: "image_pull", class: "platform", detail: "pod web-0: ErrImagePull", message: "pod web-0: ErrImagePull", hint: "Check the image's name." },
  createdAt: "2026-11-25T10:00:00.000Z",
  requestedAt: "2026-11-25T10:00:00.000Z",
  startedAt: "2026-11-25T10:00:01.000Z",
  finishedAt: null,
  steps: [
    { name: "install_release", status: "succeeded", attempts: 1, startedAt: "2026-11-25T10:00:01.000Z", finishedAt: "2026-11-25T10:00:04.000Z", error: null },
    { name: "await_workloads", status: "started", attempts: 2, startedAt: "2026-11-25T10:00:04.000Z", finishedAt: null, error: null },
    { name: "publish", status: "pending", attempts: 0, startedAt: null, finishedAt: null, error: null },
  ],
};

test("steps are told with their times, and the one that waits with its reason", () => {
  serve({});
  show(<Progress operation={operation} open title="Setting up" />);

  const [done, now, todo] = screen.getAllByRole("listitem");
  expect(done?.textContent).toMatch(/Install the shop, done.*3\.0 s/);
  expect(now?.textContent).toMatch(/Starting the shop and setting it up, in progress.*Image cannot be had: pod web-0: ErrImagePull.*2 attempts/);
  expect(now?.getAttribute("aria-current")).toBe("step");
  expect(todo?.textContent).toMatch(/Hand it over, to do/);
});

test("credentials are fetched only when asked for, from the endpoint that writes it down", async () => {
  const asked = serve({ "POST /stores/store-1a2b3c4d/credentials/reveal": { credentials: { email: "ada@example.com", username: null, password: "KGXv-secret" } } });
  show(<Credentials store={store()} />);
  expect(asked).toEqual([]);

  await userEvent.click(screen.getByRole("button", { name: "Show credentials" }));
  await screen.findByText("ada@example.com");
  expect(screen.queryByText("KGXv-secret")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show password" }));
  expect(screen.getByText("KGXv-secret")).toBeTruthy();
});

test("a viewer sees no credentials and no form", () => {
  serve({});
  const { container } = show(<Credentials store={store()} />, "viewer");
  expect(container.textContent).not.toContain("Show credentials");
  show(<NewStore />, "viewer");
  expect(screen.getByText(/Your role in this organisation/)).toBeTruthy();
});

test("a new store is asked for once under one key, with the address it will get shown before", async () => {
  let tries = 0;
  const asked = serve({
    "GET /limits": { plan: "starter", stores: { limit: 5, used: 2 }, creationCooldown: { seconds: 30, endsAt: null }, requests: { limit: 60, windowSeconds: 60 }, retries: { limit: 3 } },
    "GET /stores/availability": ({ query }) => ({ name: query.get("name"), available: true, reason: null, suggestion: null, host: "teashop.localhost", url: "http://teashop.localhost:8080" }),
    "POST /stores": () => (++tries === 1 ? Promise.reject(new TypeError("Failed to fetch")) : json(202, { message: "", store: store({ status: "requested" }) })),
  });
  show(<NewStore />);
  expect(await screen.findByText("2 of 5")).toBeTruthy();

  await userEvent.type(screen.getByLabelText("Name of the store"), "Tea shop-");
  expect(screen.getByText("End with a letter or a digit")).toBeTruthy();
  await userEvent.clear(screen.getByLabelText("Name of the store"));
  await userEvent.type(screen.getByLabelText("Name of the store"), "teashop");
  await screen.findByText("http://teashop.localhost:8080");

  await userEvent.click(screen.getByRole("button", { name: "Create store" }));
  await screen.findByText("The server does not answer.");
  await userEvent.click(screen.getByRole("button", { name: "Create store" }));
  await waitFor(() => expect(window.location.pathname).toBe("/stores/store-1a2b3c4d"));

  const creations = asked.filter((one) => one.method === "POST");
  expect(creations.map((one) => one.body)).toEqual([{ name: "teashop", engine: "medusa" }, { name: "teashop", engine: "medusa" }]);
  expect(new Set(creations.map((one) => one.headers.get("idempotency-key"))).size).toBe(1);
});

test("a taken name says why and offers another", async () => {
  serve({
    "GET /stores/availability": ({ query }) => ({ name: query.get("name"), available: query.get("name") !== "teashop", reason: "You have a store of this name", suggestion: "teashop-2", host: null, url: null }),
  });
  show(<NewStore />);
  await userEvent.type(screen.getByLabelText("Name of the store"), "teashop");
  await screen.findByText("You have a store of this name");
  await userEvent.click(screen.getByRole("button", { name: "Take teashop-2 instead" }));
  expect(screen.getByLabelText<HTMLInputElement>("Name of the store").value).toBe("teashop-2");
});

test("somebody else's store is said not to be theirs to see", async () => {
  serve({ "GET /stores/": refusal(403, "FORBIDDEN") });
  show(<StorePage />);
  expect(await screen.findByText("You may not see this")).toBeTruthy();
});
