/// What merchants do, on real PostgreSQL, kube-apiserver and helm; pods only pretend to run.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test as base, expect } from "@playwright/test";
import { accessible } from "../support/axe";
import { api, PASSWORD, signIn, somebody, until, type Person } from "../support/people";
import { rolesFlow } from "../support/roles";
import { Server } from "../support/server";

const settings = JSON.parse(process.env["SHOPWRIGHT_E2E_SETTINGS"] ?? "{}") as Record<string, string>;

const test = base.extend<object, { server: Server }>({
  server: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const server = await Server.start(settings);
      await use(server);
      await server.end();
    },
    { scope: "worker" },
  ],
});

interface Store {
  id: string;
  name: string;
  status: string;
}

async function create(server: Server, person: Person, name: string, engine = "medusa"): Promise<Store> {
  return (await api<{ store: Store }>(server.url, "POST", "/stores", person.token, { name, engine })).store;
}

/// Nothing of a test stays in the cluster.
async function clear(server: Server, person: Person, headers: Record<string, string> = {}): Promise<void> {
  const all = async () => (await api<{ stores: Store[] }>(server.url, "GET", "/stores?limit=100", person.token, undefined, headers)).stores;
  for (const store of await all()) await api(server.url, "DELETE", `/stores/${store.id}`, person.token, undefined, headers);
  await until(all, (stores) => stores.length === 0, "all stores deleted");
}

test("somebody registers, creates a store, watches it become ready live, and deletes it", async ({ page, server }) => {
  const username = `maker-${Date.now().toString(36)}`;
  await page.goto(`${server.url}/register`);
  await page.getByLabel("E-mail").fill(`${username}@example.com`);
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByRole("link", { name: "Create store" }).first().click();
  const name = `tea-${Date.now().toString(36)}`;
  await page.getByLabel("Name of the store").fill(name);
  await page.getByRole("button", { name: "Create store" }).click();

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByLabel("Messages").getByText(`${name} is ready`)).toBeVisible({ timeout: 120_000 });
  await expect(page.locator(".steps li.done")).toHaveCount(6);
  await expect(page.getByRole("link", { name: "Open shop" })).toBeVisible();
  await accessible(page, "a store that is ready, on real parts");

  await page.getByRole("button", { name: "Delete store" }).click();
  await page.getByLabel(/to confirm/).fill(name);
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.locator(".head .state")).toHaveText("Deleted", { timeout: 120_000 });
});

test("a seeded failure says what is wrong, and a retry recovers", async ({ page, server }) => {
  const ada = await somebody(server.url);
  const values = join(settings["STORE_VALUES"] ?? "", "woocommerce.yaml");
  const good = readFileSync(values, "utf8");
  writeFileSync(values, `${good}unheardOf: true\n`);
  try {
    await signIn(page, server.url, ada, "/stores/new");
    await page.getByText("WooCommerce", { exact: true }).click();
    await page.getByLabel("Name of the store").fill("unlucky");
    await page.getByRole("button", { name: "Create store" }).click();
    await expect(page.locator(".head .state")).toHaveText("Failed", { timeout: 120_000 });
    await expect(page.getByRole("alert").getByText("It failed: chart refuses its values")).toBeVisible();
    await expect(page.getByRole("alert").getByText(/unheardOf/)).toBeVisible();
    await accessible(page, "a store that failed, on real parts");
  } finally {
    writeFileSync(values, good);
  }
  await page.getByRole("button", { name: "Retry", exact: true }).click();
  await expect(page.locator(".head .state")).toHaveText("Ready", { timeout: 120_000 });
  await clear(server, ada);
});

test("a second organisation sees nothing of the first", async ({ page, server }) => {
  const [ada, bob] = [await somebody(server.url, "ada"), await somebody(server.url, "bob")];
  const store = await create(server, ada, "private-shop");
  await signIn(page, server.url, bob, "/stores");
  await expect(page.getByRole("heading", { name: "No store yet" })).toBeVisible();
  for (const path of [`/stores/${store.id}`, "/audit", "/operations"]) {
    await page.goto(`${server.url}${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText("private-shop")).toHaveCount(0);
  }
  await clear(server, ada);
});

test("somebody is invited by link, and may do what their role says", async ({ page, server, browser }) => {
  await rolesFlow(page, server.url, browser);
});

test("a server that is killed in the middle of a set-up comes back without a reload", async ({ page, server }) => {
  const ada = await somebody(server.url);
  await signIn(page, server.url, ada, "/stores/new");
  const loaded = await page.evaluate(() => performance.timeOrigin);
  await page.getByLabel("Name of the store").fill("survivor");
  await page.getByRole("button", { name: "Create store" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "survivor" })).toBeVisible();
  await server.stop("SIGKILL");
  await expect(page.getByText(/The server does not answer/)).toBeVisible({ timeout: 60_000 });
  await accessible(page, "the server is away");
  await server.again();
  await expect(page.locator(".head .state")).toHaveText("Ready", { timeout: 150_000 });
  await expect(page.getByText(/The server does not answer/)).toHaveCount(0);
  expect(await page.evaluate(() => performance.timeOrigin)).toBe(loaded);
  await clear(server, ada);
});

test("a session that ends asks for the password and goes on where one was; offline and back needs no reload", async ({ page, server, context }) => {
  const ada = await somebody(server.url);
  await signIn(page, server.url, ada, "/stores");
  await context.setOffline(true);
  await expect(page.getByText(/You are offline/)).toBeVisible();
  await create(server, ada, "meanwhile");
  await context.setOffline(false);
  await expect(page.getByRole("link", { name: "meanwhile" })).toBeVisible({ timeout: 60_000 });

  await api(server.url, "DELETE", "/auth/sessions", ada.token);
  await expect(page.getByRole("dialog", { name: "Your session has ended" })).toBeVisible({ timeout: 90_000 });
  await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill(ada.password);
  await page.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("row", { name: /meanwhile/ }).getByText("Ready", { exact: true })).toBeVisible({ timeout: 120_000 });
  const again = await api<{ token: string }>(server.url, "POST", "/auth/login", null, { email: ada.email, password: ada.password });
  await clear(server, { ...ada, token: again.token });
});
