import { act, cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import type { Engine, Operation, Role, Store, User } from "../../api/types";
import { show, store } from "../../testing/render";
import { json, refusal, serve, USER } from "../../testing/server";
import { NewStore } from "../stores/NewStore";
import { Credentials } from "./Credentials";
import { Progress } from "./Progress";
import { Resources } from "./Resources";
import { StorePage } from "./StorePage";
import { Upgrade } from "./Upgrade";

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

test("the set-up's own steps are told while it runs, and their times after", () => {
  serve({});
  const setup = [{ name: "wait-database", durationMs: 1500 }, { name: "theme", durationMs: 20 }, { name: "theme", durationMs: 30 }];
  show(<Progress operation={{ ...operation, setup }} open title="Setting up" setupSteps={["wait-database", "theme", "marker"]} />);
  expect(screen.getByText("Set-up: 2 of 3 steps, last “Theme”")).toBeTruthy();
  cleanup();

  const steps = operation.steps?.map((step) => ({ ...step, status: "succeeded" as const }));
  show(<Progress operation={{ ...operation, setup, steps, status: "succeeded" }} open={false} title="Last operation" setupSteps={["wait-database", "theme", "marker"]} />);
  expect(screen.getByText("Set-up: 3 steps in 1.6 s")).toBeTruthy();
  expect(screen.getByText("Wait database").nextSibling?.textContent).toBe("1.5 s");
  cleanup();

  show(<Progress operation={{ ...operation, setup: [] }} open title="Setting up" />);
  expect(screen.queryByText(/Set-up:/)).toBeNull();
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

/// The same store with an operation on it.
const during = (changes: Partial<Operation>) => store({ operation: { ...operation, failure: null, ...changes } });
const MEDUSA: Engine = { name: "medusa", title: "Medusa", summary: "A shop of today", themes: [], defaultTheme: null, storefrontPath: "/", adminPath: "/app", administrator: { signsInWith: "email", username: null }, rotates: ["administrator", "database"], setupSteps: [], warmPool: true, available: true, unavailableReason: null, note: null };
const WOOCOMMERCE: Engine = { ...MEDUSA, name: "woocommerce", title: "WooCommerce", summary: "A shop of always", themes: ["storefront", "midnight"], defaultTheme: "storefront", administrator: { signsInWith: "name", username: "admin" }, note: "it takes no orders" };
const ENGINES = [MEDUSA, WOOCOMMERCE];

test("credentials are replaced: which ones is asked, and that the old ones end is said before", async () => {
  const asked = serve({
    "GET /engines": { engines: ENGINES },
    "POST /stores/store-1a2b3c4d/credentials/rotate": () => json(202, { message: "", store: during({ kind: "rotate", status: "queued" }) }),
  });
  show(<Credentials store={store()} />);
  await userEvent.click(screen.getByRole("button", { name: "Replace …" }));
  const dialog = within(await screen.findByRole("dialog"));
  const database = await dialog.findByRole<HTMLInputElement>("checkbox", { name: /Database's password/ });
  const administrator = dialog.getByRole<HTMLInputElement>("checkbox", { name: /Administrator's password/ });
  expect([administrator.checked, database.checked]).toEqual([true, false]);
  expect(dialog.getByText(/the old ones stop working/)).toBeTruthy();

  await userEvent.click(administrator);
  expect(dialog.getByRole<HTMLButtonElement>("button", { name: "Replace" }).disabled).toBe(true);
  await userEvent.click(administrator);
  await userEvent.click(database);
  await userEvent.click(dialog.getByRole("button", { name: "Replace" }));
  await screen.findByText("teashop gets new credentials");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(asked.filter((one) => one.method === "POST").map((one) => one.body)).toEqual([{ targets: ["administrator", "database"] }]);
});

test("a refused replacement says why, and an engine that replaces nothing is said to", async () => {
  serve({ "GET /engines": { engines: ENGINES }, "POST /stores/store-1a2b3c4d/credentials/rotate": refusal(409, "OPERATION_RUNNING") });
  show(<Credentials store={store()} />);
  await userEvent.click(screen.getByRole("button", { name: "Replace …" }));
  await userEvent.click(await screen.findByRole("button", { name: "Replace" }));
  expect(await screen.findByText("refused with OPERATION_RUNNING")).toBeTruthy();
  cleanup();

  serve({ "GET /engines": { engines: ENGINES.map((engine) => ({ ...engine, rotates: [] })) } });
  show(<Credentials store={store()} />);
  await userEvent.click(screen.getByRole("button", { name: "Replace …" }));
  expect(await screen.findByText("Nothing here can be replaced")).toBeTruthy();
});

test("a password that is shown is read anew once a replacement is over, and forgotten when that is refused", async () => {
  const revealed = (password: string) => ({ credentials: { email: "ada@example.com", username: null, password } });
  const answers: (object | Response)[] = [revealed("first"), revealed("second"), refusal(429, "REVEAL_RATE_LIMITED")];
  const asked = serve({ "POST /stores/store-1a2b3c4d/credentials/reveal": () => answers.shift() ?? refusal(500, "INTERNAL") });
  let change: (now: Store) => void = () => undefined;
  function Live() {
    const [now, setNow] = useState(store());
    change = setNow;
    return <Credentials store={now} />;
  }
  show(<Live />);
  await userEvent.click(screen.getByRole("button", { name: "Show credentials" }));
  await userEvent.click(await screen.findByRole("button", { name: "Show password" }));
  expect(screen.getByText("first")).toBeTruthy();

  act(() => change(during({ id: "op2", kind: "rotate", status: "running" })));
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Replace …" }).disabled).toBe(true);
  expect(asked.length).toBe(1);
  act(() => change(during({ id: "op2", kind: "rotate", status: "succeeded" })));
  await screen.findByText("second");
  expect(screen.queryByText("first")).toBeNull();
  expect(asked.length).toBe(2);

  act(() => change(during({ id: "op3", kind: "revert", status: "succeeded" })));
  await screen.findByText("refused with REVEAL_RATE_LIMITED");
  expect(screen.queryByText("second")).toBeNull();
});

test("who may not see credentials cannot replace them", () => {
  serve({});
  show(<Credentials store={store()} />, "developer");
  expect(screen.queryByRole("button", { name: "Replace …" })).toBeNull();
});

test("an engine that nobody signs in to shows no credentials, and its database's password can be replaced", async () => {
  const site: Engine = { ...MEDUSA, name: "site", adminPath: null, administrator: { signsInWith: "none", username: null }, rotates: [] };
  const now = store({ engine: "site", urls: { storefront: "http://teashop.localhost", admin: "http://teashop.localhost" } });
  window.history.replaceState(null, "", `/stores/${now.id}`);
  const offered = async (engine: Engine) => {
    serve({ "GET /engines": { engines: [MEDUSA, engine] }, [`GET /stores/`]: { store: now } });
    show(<StorePage />);
    await screen.findByRole("link", { name: /Open shop/ });
    expect(screen.queryByRole("link", { name: /Open admin/ })).toBeNull();
    await waitFor(() => expect(screen.queryByText(/Looking at/)).toBeNull());
    const found = ["Show credentials", "Replace …"].map((name) => screen.queryByRole("button", { name }) !== null);
    cleanup();
    return found;
  };
  expect(await offered(site)).toEqual([false, false]);

  serve({});
  show(<Credentials store={now} signsIn={false} />);
  expect(screen.queryByRole("button", { name: "Show credentials" })).toBeNull();
  expect(screen.getByRole("button", { name: "Replace …" })).toBeTruthy();
});

test("a store's resources are told against its quota, and an older store's are not missed", async () => {
  const gibibytes = (count: number) => count * 2 ** 30;
  serve({
    "GET /stores/store-1a2b3c4d/resources": { resources: { cpuMillicores: { taken: 1500, quota: 8000 }, memoryBytes: { taken: gibibytes(0.5), quota: gibibytes(3) }, storageBytes: { taken: gibibytes(2), quota: null } } },
  });
  show(<Resources store={store()} />);
  expect((await screen.findByText("Processor")).parentElement?.textContent).toBe("Processor1.5 of 8 cores");
  expect(screen.getByText("Memory").parentElement?.textContent).toBe("Memory0.5 of 3 GiB");
  expect(screen.getByText("Storage").parentElement?.textContent).toBe("Storage2 GiB");
  cleanup();

  const asked = serve({ "GET /stores/store-1a2b3c4d/resources": refusal(409, "NOTHING_KEPT") });
  show(<Resources store={store()} />);
  await waitFor(() => expect(asked.length).toBe(1));
  await waitFor(() => expect(screen.queryByText(/Looking at/)).toBeNull());
  expect(screen.queryByRole("alert")).toBeNull();
});

const digests = (chart: string) => ({ chart, values: "sha256:b", helm: "sha256:c" });

test("an upgrade shows what it changes before it is started", async () => {
  const asked = serve({
    "GET /stores/store-1a2b3c4d/upgrade": {
      upgrade: {
        upToDate: false,
        from: digests("sha256:a"),
        to: digests("sha256:d"),
        changes: [
          { kind: "Deployment", name: "web", change: "changed", fields: [{ path: "c[web].image", before: "x:1", after: "x:2" }, { path: "c[web].env[A].value", before: null, after: null }] },
          { kind: "Job", name: "old", change: "removed", fields: [] },
        ],
      },
    },
    "POST /stores/store-1a2b3c4d/upgrade": () => json(202, { message: "", store: during({ kind: "upgrade", status: "queued" }) }),
  });
  let done = false;
  show(<Upgrade store={store()} onDone={() => (done = true)} />);
  const changes = within(await screen.findByRole("region", { name: "What changes" }));
  const [web, old] = changes.getAllByRole("listitem");
  expect(web?.textContent).toBe("Deployment web changesc[web].imagex:1 becomes x:2c[web].env[A].value");
  expect(old?.textContent).toBe("Job old goes");
  expect(asked.filter((one) => one.method === "POST")).toEqual([]);

  await userEvent.click(screen.getByRole("button", { name: "Upgrade" }));
  await screen.findByText("teashop is being upgraded");
  expect(done).toBe(true);
  expect(asked.filter((one) => one.method === "POST").map((one) => one.path)).toEqual(["/stores/store-1a2b3c4d/upgrade"]);
});

test("nothing to upgrade is said so, and a refusal with its reason", async () => {
  serve({ "GET /stores/store-1a2b3c4d/upgrade": { upgrade: { upToDate: true, from: digests("sha256:a"), to: digests("sha256:a"), changes: [] } } });
  show(<Upgrade store={store()} onDone={() => undefined} />);
  expect(await screen.findByText("Nothing to upgrade")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Upgrade" })).toBeNull();
  cleanup();

  serve({ "GET /stores/store-1a2b3c4d/upgrade": refusal(409, "STORE_NOT_READY") });
  show(<Upgrade store={store()} onDone={() => undefined} />);
  expect(await screen.findByText("refused with STORE_NOT_READY")).toBeTruthy();
});

test("a store is upgraded by who changes stores, when it is ready and nothing else is done to it", async () => {
  const offer = async (now: Store, role: Role) => {
    window.history.replaceState(null, "", `/stores/${now.id}`);
    serve({ "GET /stores/": { store: now } });
    show(<StorePage />, role);
    await screen.findByRole("heading", { level: 1, name: "teashop" });
    const button = screen.queryByRole<HTMLButtonElement>("button", { name: "Look for an upgrade" });
    cleanup();
    return button && !button.disabled;
  };
  expect(await offer(store(), "developer")).toBe(true);
  expect(await offer(store(), "viewer")).toBe(null);
  expect(await offer(store({ status: "failed" }), "owner")).toBe(null);
  expect(await offer(during({ kind: "rotate", status: "running" }), "owner")).toBe(false);
});

test("a platform administrator mends and deletes what others own, whatever they are themselves, and sees no credentials", async () => {
  const look = async (now: Store, user: User) => {
    window.history.replaceState(null, "", `/stores/${now.id}`);
    serve({ "GET /stores/": { store: now }, "GET /engines": { engines: ENGINES } });
    show(<StorePage />, "viewer", user);
    await screen.findByRole("heading", { level: 1, name: "teashop" });
    const found = ["Retry", "Delete store", "Look for an upgrade", "Show credentials"].filter((name) => screen.queryByRole("button", { name }));
    cleanup();
    return found;
  };
  const theirs = store({ isCredentialOwner: false });
  const operator: User = { ...USER, role: "admin" };
  expect(await look(theirs, operator)).toEqual(["Delete store", "Look for an upgrade"]);
  expect(await look({ ...theirs, status: "failed" }, operator)).toEqual(["Retry", "Delete store"]);
  expect(await look({ ...theirs, status: "failed" }, USER)).toEqual([]);
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
    "GET /engines": { engines: ENGINES },
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

test("what stores can be made of is what the server offers, with its looks and what it lacks", async () => {
  const asked = serve({
    "GET /engines": { engines: [{ ...MEDUSA, available: false, unavailableReason: "its image is missing" }, WOOCOMMERCE] },
    "POST /stores": () => json(202, { message: "", store: store({ status: "requested" }) }),
  });
  show(<NewStore />);
  const medusa = await screen.findByRole<HTMLInputElement>("radio", { name: /^Medusa/ });
  expect(medusa.disabled).toBe(true);
  expect(screen.getByText("A shop of today. Its image is missing")).toBeTruthy();
  expect(screen.getByRole<HTMLInputElement>("radio", { name: /^WooCommerce/ }).checked).toBe(true);
  expect(screen.getByText("A shop of always. It takes no orders")).toBeTruthy();
  expect(screen.getByText("admin")).toBeTruthy();

  expect(screen.getByRole<HTMLInputElement>("radio", { name: /^Storefront/ }).checked).toBe(true);
  await userEvent.click(screen.getByRole("radio", { name: "midnight" }));
  await userEvent.type(screen.getByLabelText("Name of the store"), "teashop");
  await userEvent.click(screen.getByRole("button", { name: "Create store" }));
  await waitFor(() => expect(asked.find((one) => one.method === "POST")?.body).toEqual({ name: "teashop", engine: "woocommerce", theme: "midnight" }));
});

test("without engines nothing is created, and why there are none is said", async () => {
  serve({ "GET /engines": refusal(403, "FORBIDDEN") });
  show(<NewStore />);
  expect(await screen.findByText("refused with FORBIDDEN")).toBeTruthy();
  await userEvent.type(screen.getByLabelText("Name of the store"), "teashop");
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Create store" }).disabled).toBe(true);
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

test("a store that is ready shows where it is, with its shop and its administration to open", async () => {
  const now = store({ theme: "storefront" });
  window.history.replaceState(null, "", `/stores/${now.id}`);
  serve({ "GET /stores/": { store: now }, "GET /engines": { engines: ENGINES } });
  show(<StorePage />);
  for (const [name, href] of [["Open shop", "http://teashop.localhost"], ["Open admin", "http://teashop.localhost/app"], ["http://teashop.localhost", "http://teashop.localhost"], ["http://teashop.localhost/app", "http://teashop.localhost/app"]] as const) {
    const link = await screen.findByRole("link", { name });
    expect([link.getAttribute("href"), link.getAttribute("rel")]).toEqual([href, "noopener noreferrer"]);
  }
  expect(screen.getByText("Ready after").nextSibling?.textContent).toBe("42 s");
  expect(screen.getByText("Theme").nextSibling?.textContent).toBe("storefront");
});

test("what is wrong with a store is said with its cause, what to do, and who must", async () => {
  const failure = { ...operation.failure, code: "unschedulable", message: "0/3 nodes have room", hint: "Make room, then retry." } as NonNullable<Operation["failure"]>;
  const look = async (now: Store) => {
    window.history.replaceState(null, "", `/stores/${now.id}`);
    serve({ "GET /stores/": { store: now }, "GET /engines": { engines: ENGINES } });
    show(<StorePage />);
    const said = (await screen.findByText(/: no room in the cluster$/)).closest(".notice");
    const found = [said?.getAttribute("role"), said?.textContent];
    cleanup();
    return found;
  };
  const words = ": no room in the cluster0/3 nodes have room. Make room, then retry.Whoever runs the platform has something to mend. unschedulable";
  expect(await look(store({ status: "failed", failure }))).toEqual(["alert", `It failed${words}`]);
  expect(await look(store({ status: "provisioning", operation: { ...operation, status: "waiting", failure } }))).toEqual(["status", `It waits${words}`]);
  expect(await look(store({ status: "deleting", operation: { ...operation, kind: "delete", status: "stuck", failure } }))).toEqual(["alert", `It waits${words}`]);
});

test("a password is copied without being shown", async () => {
  serve({ "POST /stores/store-1a2b3c4d/credentials/reveal": { credentials: { email: "ada@example.com", username: null, password: "KGXv-secret" } } });
  const user = userEvent.setup();
  show(<Credentials store={store()} />);
  await user.click(screen.getByRole("button", { name: "Show credentials" }));
  await user.click(await screen.findByRole("button", { name: "Copy password" }));
  expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy();
  expect(await navigator.clipboard.readText()).toBe("KGXv-secret");
  expect(screen.queryByText("KGXv-secret")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Hide" }));
  expect(screen.queryByText("ada@example.com")).toBeNull();
});
