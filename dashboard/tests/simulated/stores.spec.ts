/// The life of a store as a merchant sees it.
import { accessible } from "../support/axe";
import { expect, test } from "../support/fixtures";
import { api, PASSWORD, signIn, somebody, until, type Person } from "../support/people";

test("somebody registers, creates a store, watches it become ready, and deletes it", async ({ page, server }) => {
  const username = `maker-${Date.now().toString(36)}`;
  await page.goto(`${server.url}/register`);
  await page.getByLabel("E-mail").fill(`${username}@example.com`);
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("heading", { name: "No store yet" })).toBeVisible();
  await accessible(page, "home without stores");

  await page.getByRole("link", { name: "Create store" }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: "Create a store" })).toBeFocused();
  await page.getByText("WooCommerce", { exact: true }).click();
  await page.getByText("Astra", { exact: true }).click();
  await page.getByLabel("Name of the store").fill("Tea--shop");
  await expect(page.getByText("No two hyphens in a row")).toBeVisible();
  await accessible(page, "create store with a mistake");
  const name = `tea-${Date.now().toString(36)}`;
  await page.getByLabel("Name of the store").fill(name);
  await page.getByRole("button", { name: "Create store" }).click();

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByText(/Step [1-6] of 6, for/)).toBeVisible();
  await accessible(page, "a store that is being set up");
  await expect(page.getByLabel("Messages").getByText(`${name} is ready`)).toBeVisible({ timeout: 90_000 });
  const shop = page.getByRole("link", { name: "Open shop" });
  await expect(shop).toHaveAttribute("href", new RegExp(`^http://${name}\\.localhost`));
  await expect(shop).toHaveAttribute("rel", /noopener/);
  await expect(page.locator(".steps li.done")).toHaveCount(6);

  await page.getByRole("button", { name: "Show credentials" }).click();
  await page.getByRole("button", { name: "Show password" }).click();
  await expect(page.locator(".secret code").last()).not.toHaveText(/•/);
  await expect(page.locator(".meters")).toContainText("0.5 of 2 cores");
  await accessible(page, "a store that is ready");

  for (const tab of ["Timeline", "Logs"]) {
    await page.getByRole("tab", { name: tab }).click();
    await expect(page.getByText(/Setting up|State changed/).first()).toBeVisible();
    await accessible(page, tab);
  }

  await page.getByRole("tab", { name: "Overview" }).click();
  await page.getByRole("button", { name: "Delete store" }).click();
  const sure = page.getByRole("button", { name: "Delete for good" });
  await expect(sure).toBeDisabled();
  await expect(page.getByLabel(/to confirm/)).toBeFocused();
  await accessible(page, "deleting asks");
  await page.getByLabel(/to confirm/).fill(name);
  await sure.click();
  await expect(page.locator(".head .state")).toHaveText("Deleting");
  await expect(page.locator(".head .state")).toHaveText("Deleted", { timeout: 90_000 });
});

test("a set-up is cancelled and retried", async ({ page, server }) => {
  const ada = await somebody(server.url);
  await api(server.url, "POST", "/stores", ada.token, { name: "changed-mind", engine: "medusa" });
  await signIn(page, server.url, ada, "/stores");
  await page.getByRole("link", { name: "changed-mind" }).click();
  await page.getByRole("button", { name: "Cancel set-up" }).click();
  await accessible(page, "cancelling asks");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel set-up" }).click();

  await expect(page.locator(".head .state")).toHaveText("Failed");
  await expect(page.getByRole("alert").getByText("It failed: cancelled")).toBeVisible();
  await accessible(page, "a store that failed");
  await page.getByRole("link", { name: "Home", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Needs attention" })).toBeVisible();
  await accessible(page, "home with something that needs attention");

  await page.getByRole("link", { name: "changed-mind" }).first().click();
  await expect(page.locator(".head .state")).toHaveText("Failed");
  await page.getByRole("button", { name: "Retry", exact: true }).click();
  await expect(page.locator(".head .state")).toHaveText("Ready", { timeout: 120_000 });
});

/// A store that is ready, made without a page.
async function ready(url: string, owner: Person, name: string): Promise<string> {
  const { store } = await api<{ store: { id: string } }>(url, "POST", "/stores", owner.token, { name, engine: "medusa" });
  const read = () => api<{ store: { status: string } }>(url, "GET", `/stores/${store.id}`, owner.token);
  await until(read, (answer) => answer.store.status === "ready", `${name} ready`);
  return store.id;
}

test("credentials are replaced while they are shown", async ({ page, server }) => {
  const ada = await somebody(server.url);
  const id = await ready(server.url, ada, "leaked");
  await signIn(page, server.url, ada, `/stores/${id}`);
  await page.getByRole("button", { name: "Show credentials" }).click();
  await page.getByRole("button", { name: "Show password" }).click();
  const password = page.locator(".secret code").last();
  await expect(password).not.toHaveText(/•/);
  const before = await password.innerText();

  await page.getByRole("button", { name: "Replace …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/Database's password/).check();
  await expect(dialog.getByText(/the old ones stop working/)).toBeVisible();
  await accessible(page, "replacing credentials");
  await dialog.getByRole("button", { name: "Replace", exact: true }).click();
  await expect(dialog).toBeHidden();

  await expect(page.getByText(/New credentials took/)).toBeVisible({ timeout: 120_000 });
  await expect(page.locator(".steps li.done")).toHaveCount(6);
  await expect(page.locator(".head .state")).toHaveText("Ready");
  await expect(password).not.toHaveText(before);
  await expect(password).not.toHaveText(/•/);
  const { credentials } = await api<{ credentials: { password: string } }>(server.url, "POST", `/stores/${id}/credentials/reveal`, ada.token);
  await expect(password).toHaveText(credentials.password);
  await accessible(page, "a store with new credentials");
});

test("a store is said to be up to date, and upgraded once there is something newer", async ({ page, server }) => {
  const ada = await somebody(server.url);
  const id = await ready(server.url, ada, "older");
  await signIn(page, server.url, ada, `/stores/${id}`);
  await page.getByRole("button", { name: "Look for an upgrade" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("Nothing to upgrade")).toBeVisible();
  await accessible(page, "nothing to upgrade");
  await dialog.getByRole("button", { name: "Close" }).click();

  // A simulated server's charts never change: what is newer is told in its place, and the upgrade itself is its own.
  const { upgrade } = await api<{ upgrade: object }>(server.url, "GET", `/stores/${id}/upgrade`, ada.token);
  const fields = [{ path: "spec.template.spec.containers[web].image", before: "shop:1", after: "shop:2" }];
  const newer = { ...upgrade, upToDate: false, changes: [{ kind: "Deployment", name: "web", change: "changed", fields }] };
  await page.route(`**/api/v1/stores/${id}/upgrade`, (route) => (route.request().method() === "GET" ? route.fulfill({ json: { upgrade: newer } }) : route.continue()));
  await page.getByRole("button", { name: "Look for an upgrade" }).click();
  await expect(dialog.getByText("shop:1 becomes shop:2")).toBeVisible();
  await accessible(page, "what an upgrade changes");
  await dialog.getByRole("button", { name: "Upgrade", exact: true }).click();
  await expect(dialog).toBeHidden();

  await expect(page.getByText(/Upgrade took/)).toBeVisible({ timeout: 120_000 });
  await expect(page.locator(".steps li.done")).toHaveCount(4);
  await expect(page.locator(".head .state")).toHaveText("Ready");
  await accessible(page, "a store that was upgraded");
});

test("stores are searched, filtered and changed together", async ({ page, server }) => {
  const ada = await somebody(server.url, "many");
  for (const name of ["tea-house", "tea-garden", "coffee-bar"]) await api(server.url, "POST", "/stores", ada.token, { name, engine: "woocommerce" });
  await signIn(page, server.url, ada, "/stores");
  await expect(page.getByRole("row")).toHaveCount(4);
  await accessible(page, "stores");

  await page.getByLabel("State").selectOption("failed");
  await expect(page.getByRole("heading", { name: "Nothing matches" })).toBeVisible();
  await expect(page).toHaveURL(/status=failed/);
  await accessible(page, "no store matches");
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect(page.getByRole("row")).toHaveCount(4);

  await page.getByRole("searchbox", { name: "Search" }).fill("TEA");
  await expect(page.getByRole("row")).toHaveCount(3);
  await page.getByLabel("Order").selectOption("name");
  await expect(page.getByRole("row").nth(1)).toContainText("tea-garden");
  await page.getByLabel("Engine").selectOption("medusa");
  await expect(page.getByRole("heading", { name: "Nothing matches" })).toBeVisible();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect(page.getByRole("row")).toHaveCount(4);

  await page.getByLabel("Choose tea-house").check();
  await page.getByLabel("Choose tea-garden").check();
  await page.getByRole("button", { name: "Delete …" }).click();
  await page.getByLabel(/to confirm/).fill("delete 2");
  await accessible(page, "deleting several asks");
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByText("2 stores are being deleted")).toBeVisible();
  await expect(page.getByRole("link", { name: "tea-house" })).toBeHidden({ timeout: 90_000 });
  await expect(page.getByRole("link", { name: "coffee-bar" })).toBeVisible();
});

test("a second organisation sees nothing of the first", async ({ page, server }) => {
  const [ada, bob] = [await somebody(server.url, "ada"), await somebody(server.url, "bob")];
  const { store } = await api<{ store: { id: string } }>(server.url, "POST", "/stores", ada.token, { name: "private-shop", engine: "medusa" });
  await signIn(page, server.url, bob, "/stores");
  await expect(page.getByRole("heading", { name: "No store yet" })).toBeVisible();
  await page.goto(`${server.url}/stores/${store.id}`);
  await expect(page.getByRole("heading", { name: "You may not see this" })).toBeVisible();
  await expect(page.getByText("private-shop")).toHaveCount(0);
  await accessible(page, "forbidden");
});
