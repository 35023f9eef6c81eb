/// Every page that there is: it opens, says what it should, and axe finds nothing in either colour scheme.
import { readFileSync } from "node:fs";
import { accessible } from "../support/axe";
import { expect, test } from "../support/fixtures";
import { api, signIn, somebody } from "../support/people";

const ADMIN = { email: "admin@example.com", password: "correct-horse" };

test("account: another password ends other sessions", async ({ page, server, browser }) => {
  const ada = await somebody(server.url);
  const elsewhere = await (await browser.newContext()).newPage();
  await signIn(elsewhere, server.url, ada);
  await signIn(page, server.url, ada, "/account");
  await expect(page.getByText("This one")).toBeVisible();
  await page.getByRole("textbox", { name: "Current password" }).fill("not my password");
  await page.getByRole("textbox", { name: "New password" }).fill("another long password");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText(/current password/i).last()).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Account" })).toBeVisible();
  await page.getByRole("textbox", { name: "Current password" }).fill(ada.password);
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("Your password is changed")).toBeVisible();
  await expect(elsewhere.getByRole("dialog", { name: "Your session has ended" })).toBeVisible({ timeout: 60_000 });
  await elsewhere.context().close();
});

test("API tokens are shown once", async ({ page, server }) => {
  await signIn(page, server.url, await somebody(server.url), "/organisation?tab=tokens");
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name").fill("pipeline");
  await accessible(page, "new token");
  await page.getByRole("button", { name: "Make token" }).click();
  await expect(page.locator(".secret code")).toHaveText(/^swt_/);
  await accessible(page, "a token, shown once");
  await page.getByRole("button", { name: "I have it" }).click();
  await expect(page.getByText("pipeline")).toBeVisible();
  await expect(page.locator(".secret code")).toHaveCount(0);
  await page.getByRole("button", { name: "Revoke pipeline" }).click();
  await accessible(page, "revoking a token");
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByRole("heading", { name: "No token yet" })).toBeVisible();
});

/// Every route with its title; `*` is a path that no route has. Pages from before signing in come first.
const OUTSIDE = { "/sign-in": "Sign in", "/register": "Register", "/invitation": "Invitation" };
const INSIDE = {
  "/": "Home",
  "/stores": "Stores",
  "/stores/new": "Create a store",
  "/stores/:id": "everybody-looks",
  "/operations": "Operations",
  "/audit": "Audit log",
  "/organisation": "admin",
  "/account": "Account",
  "/platform": "Platform",
  "*": "Nothing is here",
};

test("every route is looked at by axe", async ({ page, server }) => {
  const routes = [...readFileSync("src/app/routes.tsx", "utf8").matchAll(/<Route(?: path="([^"]+)")?[ >]/g)].map(([, path]) => path ?? "*");
  expect(Object.keys({ ...OUTSIDE, ...INSIDE }).sort()).toEqual([...new Set(routes)].sort());

  const look = async (path: string, title: string) => {
    await page.goto(`${server.url}${path}`);
    await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
    await expect(page.getByText(/^(Looking|Reading|Asking|Loading|Opening|Drawing).*…$/)).toHaveCount(0);
    await accessible(page, path);
  };
  for (const [path, title] of Object.entries(OUTSIDE)) await look(path, title);
  const { token } = await api<{ token: string }>(server.url, "POST", "/auth/login", null, ADMIN);
  const { store } = await api<{ store: { id: string } }>(server.url, "POST", "/stores", token, { name: "everybody-looks", engine: "medusa" });
  await signIn(page, server.url, ADMIN);
  for (const [path, title] of Object.entries(INSIDE)) await look(path.replace("*", "/nowhere").replace(":id", store.id), title);
  await api(server.url, "DELETE", `/stores/${store.id}`, token);
});

test("who is no administrator does not see the platform", async ({ page, server }) => {
  await signIn(page, server.url, await somebody(server.url), "/platform");
  await expect(page.getByRole("heading", { name: "You may not see this" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Platform" })).toHaveCount(0);
});

test("menus that are open have no violations, and change colours and organisations", async ({ page, server }) => {
  const ada = await somebody(server.url);
  await api(server.url, "POST", "/organisations", ada.token, { name: "Tea & Co" });
  await signIn(page, server.url, ada, "/account");
  const account = page.getByRole("button", { name: `Account of ${ada.username}` });
  await account.click();
  await expect(page.getByRole("menuitem", { name: "Account" })).toBeFocused();
  await accessible(page, "the account's menu");
  await page.keyboard.press("Escape");
  await expect(account).toBeFocused();

  await page.getByRole("button", { name: /^Organisation: / }).click();
  await expect(page.getByRole("menuitemradio", { name: ada.username })).toHaveAttribute("aria-checked", "true");
  await accessible(page, "the menu of organisations");
  await page.getByRole("menuitemradio", { name: "Tea & Co" }).click();
  await expect(page.getByText("How Tea & Co is doing")).toBeVisible();
  await page.goto(`${server.url}/organisation`);
  await page.getByRole("button", { name: "Leave the organisation" }).click();
  await expect(page.getByRole("dialog", { name: "Leave Tea & Co?" })).toBeVisible();
  await accessible(page, "leaving an organisation asks");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  // A choice of colours holds against the system's, also after a reload.
  await page.emulateMedia({ colorScheme: "light" });
  await account.click();
  await page.getByRole("menuitem", { name: "Dark colours" }).click();
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
});

test("who wants no motion gets none", async ({ page, server }) => {
  const ada = await somebody(server.url);
  await api(server.url, "POST", "/stores", ada.token, { name: "moving-shop", engine: "medusa" });
  const motion = () => page.locator(".state.moving").first().evaluate((state) => parseFloat(getComputedStyle(state, "::before").animationDuration));
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await signIn(page, server.url, ada, "/stores");
  await expect.poll(motion).toBeGreaterThan(1);
  await page.emulateMedia({ reducedMotion: "reduce" });
  expect(await motion()).toBeLessThan(0.001);
});

test("a phone has everything behind one button, and a keyboard gets everywhere", async ({ page, server }) => {
  await signIn(page, server.url, await somebody(server.url));
  await expect(page.getByRole("link", { name: "Create store" }).first()).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the page" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Create store" }).first()).toBeFocused();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("button", { name: "Open the menu" }).click();
  await accessible(page, "the menu on a phone");
  await page.getByRole("dialog").getByRole("link", { name: "Stores" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Stores" })).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
});
