/// Signing in, staying so, and what happens when the session, the network or the server goes.
import { accessible } from "../support/axe";
import { expect, test } from "../support/fixtures";
import { api, signIn, somebody } from "../support/people";

test("the pages before signing in", async ({ page, server }) => {
  await page.goto(`${server.url}/stores?status=ready`);
  await expect(page).toHaveURL(/\/sign-in\?next=%2Fstores%3Fstatus%3Dready/);
  await page.getByLabel("E-mail").fill("nobody@example.com");
  await page.getByLabel("Password", { exact: true }).fill("wrong password");
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  await page.route("**/api/v1/auth/login", (route) => held.then(() => route.continue()));
  const button = page.getByRole("button", { name: "Sign in" });
  await button.click();
  await expect(button).toHaveAttribute("data-loading", "true");
  await expect(button.locator(".mantine-Button-inner")).toHaveCSS("opacity", "1");
  goOn();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.unroute("**/api/v1/auth/login");
  await accessible(page, "sign in, refused");
  await page.getByRole("link", { name: "Register" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Register" })).toBeVisible();
  await page.goto(`${server.url}/invitation`);
  await expect(page.getByText("This link holds no invitation")).toBeVisible();
});

test("a reload stays signed in and nothing secret is in storage", async ({ page, server, context }) => {
  const ada = await somebody(server.url);
  await signIn(page, server.url, ada, "/stores?status=ready");
  await expect(page).toHaveURL(/\/stores\?status=ready/);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Stores" })).toBeVisible();

  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  expect(stored).not.toMatch(/swr_|eyJ/);
  const cookies = await context.cookies();
  expect(cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite }))).toEqual([{ httpOnly: true, sameSite: "Strict" }]);
});

test("two tabs are one session: signing out in one signs out the other", async ({ page, server, context }) => {
  const ada = await somebody(server.url);
  await signIn(page, server.url, ada);
  const other = await context.newPage();
  await other.goto(server.url);
  await expect(other.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();

  await page.getByRole("button", { name: /Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  await expect(other.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
});

test("two tabs see the same store change", async ({ page, server, context }) => {
  const ada = await somebody(server.url);
  await signIn(page, server.url, ada, "/stores");
  const other = await context.newPage();
  await other.goto(`${server.url}/stores`);
  await expect(other.getByRole("heading", { level: 1, name: "Stores" })).toBeVisible();
  await api(server.url, "POST", "/stores", ada.token, { name: "both-tabs", engine: "woocommerce" });
  for (const tab of [page, other]) await expect(tab.getByRole("row", { name: /both-tabs/ }).getByText("Ready", { exact: true })).toBeVisible({ timeout: 120_000 });
});

test("a session that is ended elsewhere asks for the password and goes on where one was", async ({ page, server }) => {
  const ada = await somebody(server.url);
  await signIn(page, server.url, ada, "/stores/new");
  await page.getByLabel("Name of the store").fill("half-typed");
  await api(server.url, "DELETE", "/auth/sessions", ada.token);

  await expect(page.getByRole("dialog", { name: "Your session has ended" })).toBeVisible({ timeout: 60_000 });
  await accessible(page, "session expired");
  await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill(ada.password);
  await page.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByLabel("Name of the store")).toHaveValue("half-typed");
});

test("offline is said, and coming back needs no reload", async ({ page, server, context }) => {
  const ada = await somebody(server.url);
  await signIn(page, server.url, ada, "/stores");
  await expect(page.getByRole("heading", { name: "No store yet" })).toBeVisible();
  await context.setOffline(true);
  await expect(page.getByText(/You are offline/)).toBeVisible();
  await accessible(page, "offline");
  await api(server.url, "POST", "/stores", ada.token, { name: "meanwhile", engine: "woocommerce" });
  await context.setOffline(false);
  await expect(page.getByRole("link", { name: "meanwhile" })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/You are offline/)).toHaveCount(0);
});

test("a server's fault is told with its id and a way to try again", async ({ page, server }) => {
  const ada = await somebody(server.url);
  await page.route("**/api/v1/audit?*", (route) =>
    route.fulfill({ status: 500, json: { requestId: "req_5d9f7e00a800", error: { code: "INTERNAL_ERROR", message: "Something went wrong.", suggestion: "Try again; if it happens again, report it with the request id.", retryable: true } } }),
  );
  await signIn(page, server.url, ada, "/audit");
  await expect(page.getByText("req_5d9f7e00a800")).toBeVisible();
  await accessible(page, "server error");
  await page.unroute("**/api/v1/audit?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("req_5d9f7e00a800")).toHaveCount(0);
});
