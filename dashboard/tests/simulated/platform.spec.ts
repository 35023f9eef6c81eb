/// Running the platform: clusters, and people who are let in or not.
import { accessible } from "../support/axe";
import { expect, test } from "../support/fixtures";
import { api, signIn, somebody, until } from "../support/people";

const ADMIN = { email: "admin@example.com", password: "correct-horse" };

test("an administrator sees how clusters are doing", async ({ page, server }) => {
  const ada = await somebody(server.url);
  await api(server.url, "POST", "/stores", ada.token, { name: "on-the-cluster", engine: "woocommerce" });
  await signIn(page, server.url, ADMIN, "/platform");

  const cluster = page.getByRole("listitem").filter({ hasText: "default" });
  await expect(cluster.getByText("Takes work", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(cluster.getByText("Closed: calls pass")).toBeVisible();
  await expect(cluster.getByText("Holds", { exact: true })).toBeVisible();
  await expect(cluster.getByText(/^\d+ of \d+ running, \d+ queued, \d+ waiting, \d+ stuck$/)).toBeVisible();
  await expect(cluster.getByText(/WooCommerce: [1-9]\d* stores?/)).toBeVisible();
  await accessible(page, "platform");
});

test("whom an administrator blocks is signed out at once, and comes back when let in again", async ({ page, server, browser }) => {
  const [ada, bob] = [await somebody(server.url, "ada"), await somebody(server.url, "bob")];
  const { token } = await api<{ token: string }>(server.url, "POST", "/auth/tokens", ada.token, { name: "CI", scopes: ["stores:read"] });
  const elsewhere = await browser.newContext();
  const hers = await elsewhere.newPage();
  await signIn(hers, server.url, ada, "/stores");
  await expect(hers.getByRole("heading", { name: "No store yet" })).toBeVisible();
  await signIn(page, server.url, ADMIN, "/platform");

  await page.getByRole("searchbox", { name: "Search users" }).fill(ada.username.toUpperCase());
  const row = page.getByRole("listitem").filter({ hasText: ada.email });
  await expect(row).toBeVisible();
  await expect(page.getByText(bob.email)).toHaveCount(0);
  await page.getByRole("button", { name: `Block ${ada.username}`, exact: true }).click();
  const dialog = page.getByRole("dialog", { name: `Block ${ada.username}?` });
  await expect(dialog).toBeVisible();
  await accessible(page, "blocking somebody");
  await dialog.getByRole("button", { name: "Block", exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await expect(row.getByText("Blocked", { exact: true })).toBeVisible();
  await accessible(page, "somebody is blocked");

  // Nobody touches her page: its stream ends, and with it the session.
  await expect(hers.getByRole("dialog", { name: "Your session has ended" })).toBeVisible({ timeout: 15_000 });
  await accessible(hers, "blocked meanwhile");
  expect((await fetch(`${server.url}/api/v1/stores`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
  await hers.getByRole("dialog").getByLabel("Password", { exact: true }).fill(ada.password);
  await hers.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(hers.getByRole("dialog").getByRole("alert")).toBeVisible();

  await page.getByRole("button", { name: `Unblock ${ada.username}`, exact: true }).click();
  await expect(row.getByText("Active", { exact: true })).toBeVisible();
  await hers.getByRole("dialog").getByLabel("Password", { exact: true }).fill(ada.password);
  await hers.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(hers.getByRole("dialog")).toHaveCount(0);
  await expect(hers.getByRole("heading", { name: "No store yet" })).toBeVisible();
  expect((await fetch(`${server.url}/api/v1/stores`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
  await elsewhere.close();
});

test("nobody is offered to block themselves, and what was done is in the trail", async ({ page, server }) => {
  const ada = await somebody(server.url);
  const { token } = await api<{ token: string }>(server.url, "POST", "/auth/login", null, ADMIN);
  const found = await api<{ users: { id: string }[] }>(server.url, "GET", `/platform/users?search=${ada.username}`, token);
  await api(server.url, "PATCH", `/platform/users/${found.users[0]?.id}`, token, { active: false });
  await signIn(page, server.url, ADMIN, "/platform");
  await page.getByRole("searchbox", { name: "Search users" }).fill(ADMIN.email);
  const row = page.getByRole("listitem").filter({ hasText: ADMIN.email });
  await expect(row.getByText("(platform administrator)")).toBeVisible();
  await expect(row.getByRole("button")).toHaveCount(0);
  await page.getByRole("searchbox", { name: "Search users" }).fill("nobody of this name");
  await expect(page.getByText("Nobody matches.")).toBeVisible();

  const trail = await until(
    () => api<{ logs: { metadata: Record<string, unknown> }[] }>(server.url, "GET", "/audit?eventType=security", token),
    ({ logs }) => logs.some(({ metadata }) => metadata["action"] === "account_deactivated"),
    "the trail",
  );
  expect(trail.logs.length).toBeGreaterThan(0);
});

test("an ordinary person gets no answer about the platform", async ({ page, server }) => {
  const ada = await somebody(server.url);
  await signIn(page, server.url, ada, "/platform");
  await expect(page.getByRole("heading", { name: "You may not see this" })).toBeVisible();
  await accessible(page, "forbidden");
  for (const path of ["/platform/users", "/platform/clusters"]) {
    await expect(api(server.url, "GET", path, ada.token)).rejects.toThrow(/403.*FORBIDDEN/);
  }
});
