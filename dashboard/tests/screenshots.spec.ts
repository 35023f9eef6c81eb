/// Takes every screen, in light, dark and on a phone, into docs/screenshots. Not a test: `make screenshots` runs it.
///
/// The server is a simulated one with real answers. What a simulation never does, such as an image that cannot be had, is put into its
/// answers here.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "./support/fixtures";
import { api, PASSWORD, signIn, until, type Person } from "./support/people";

const OUT = resolve("../docs/screenshots");
const ADMIN = { email: "admin@example.com", password: "correct-horse" };
const LOOKS = [
  { look: "light", colorScheme: "light", viewport: { width: 1280, height: 832 } },
  { look: "dark", colorScheme: "dark", viewport: { width: 1280, height: 832 } },
  { look: "phone", colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
] as const;

const FAILURE = {
  code: "image_pull",
  class: "platform",
  detail: "pod web-0: ErrImagePull: registry.example.com/shop:2.1 was not found",
  message: "pod web-0: ErrImagePull: registry.example.com/shop:2.1 was not found",
  hint: "Check the image's name and that the node can pull it, then retry.",
};

interface Store {
  id: string;
  name: string;
  status: string;
}

test.setTimeout(900_000);

let ada: Person;
let bob: Person;
let byName: Map<string, Store>;

async function registered(url: string, username: string, invitation?: string): Promise<Person> {
  const person = { email: `${username}@example.com`, username, password: PASSWORD };
  const { token } = await api<{ token: string }>(url, "POST", "/auth/register", null, invitation ? { ...person, invitation } : person);
  return { ...person, token };
}

/// An organisation of several people, somebody more being invited.
async function together(url: string): Promise<void> {
  const { organisation } = await api<{ organisation: { id: string } }>(url, "POST", "/organisations", ada.token, { name: "Linen & Co" });
  const invite = (body: object) => api<{ token: string }>(url, "POST", `/organisations/${organisation.id}/invitations`, ada.token, body);
  for (const [username, role] of [["grace", "admin"], ["linus", "developer"], ["edsger", "viewer"]] as const) await registered(url, username, (await invite({ role })).token);
  await invite({ role: "developer", email: "barbara@example.com" });
}

test.beforeAll(async ({ server }) => {
  mkdirSync(OUT, { recursive: true });
  ada = await registered(server.url, "ada");
  bob = await registered(server.url, "bob");
  await together(server.url);
  const names = { "linen-and-thread": "woocommerce", "tea-garden": "woocommerce", "bike-works": "medusa", "field-notes": "medusa", "oak-and-ash": "woocommerce" };
  for (const [name, engine] of Object.entries(names)) await api(server.url, "POST", "/stores", ada.token, { name, engine });
  const all = async () => (await api<{ stores: Store[] }>(server.url, "GET", "/stores", ada.token)).stores;
  const stores = await until(all, (found) => found.every((store) => store.status === "ready"), "all stores ready");
  byName = new Map(stores.map((store) => [store.name, store]));
});

/// One store's set-up as it would look had its image been missing.
async function failing(page: Page, name: string) {
  const store = byName.get(name);
  const broken = (one: Store): Store =>
    one.id === store?.id ? ({ ...one, status: "failed", failure: FAILURE, failureReason: `${FAILURE.message}. ${FAILURE.hint}`, urls: { storefront: null, admin: null }, provisioningDurationMs: null, retryCount: 1 } as Store) : one;
  await page.route(/\/api\/v1\/stores(\?|\/store-[0-9a-f]+$|$)/, async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const answer = await route.fetch();
    const body = (await answer.json()) as { stores?: Store[]; store?: Store };
    if (body.stores) body.stores = body.stores.map(broken);
    if (body.store) body.store = broken(body.store);
    return route.fulfill({ response: answer, json: body });
  });
  const failed = { status: "failed", step: "await_workloads", failure: FAILURE };
  await page.route(/\/api\/v1\/operations(\?|$)/, async (route) => {
    const asked = new URL(route.request().url());
    const onlyFailed = asked.searchParams.get("status") === "failed";
    asked.searchParams.delete("status");
    const answer = await route.fetch({ url: asked.href });
    const body = (await answer.json()) as { operations: { storeId: string; failure: unknown }[] };
    const operations = body.operations.map((one) => (one.storeId === store?.id ? { ...one, ...failed } : one));
    const of = (code: string) => ({ storeId: "", ...operations[0], failure: { ...FAILURE, code } });
    // What failed before and was mended since.
    body.operations = onlyFailed ? [...operations.filter((one) => one.failure === FAILURE), of("image_pull"), of("unschedulable"), of("quota_exceeded")] : operations;
    return route.fulfill({ response: answer, json: body });
  });
  await page.route(/\/api\/v1\/audit\?/, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { logs: { storeId: string; newStatus: string | null; message: string }[] };
    for (const entry of body.logs) if (entry.storeId === store?.id && entry.newStatus === "ready") Object.assign(entry, { newStatus: "failed", message: "provisioning → failed" });
    return route.fulfill({ response: answer, json: body });
  });
  await page.route(/\/api\/v1\/operations\/[0-9a-f-]+$/, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { operation: { storeId: string; status: string; step: string; failure: unknown; steps: { status: string; attempts: number; finishedAt: string | null; error: unknown }[] } };
    const { operation } = body;
    if (operation.storeId !== store?.id) return route.fulfill({ response: answer });
    Object.assign(operation, failed);
    operation.steps.forEach((step, index) => {
      if (index === 3) Object.assign(step, { status: "failed", attempts: 3, error: FAILURE });
      if (index > 3) Object.assign(step, { status: "pending", startedAt: null, finishedAt: null });
    });
    return route.fulfill({ response: answer, json: body });
  });
}

for (const { look, viewport, ...how } of LOOKS) {
  test(`every screen, ${look}`, async ({ browser, server }) => {
    const open = async () => {
      const context = await browser.newContext({ ...how, viewport, deviceScaleFactor: 1, reducedMotion: "reduce" });
      return context.newPage();
    };
    const take = async (page: Page, name: string, whole = true) => {
      await expect(page.getByText(/^(Looking|Reading|Asking|Loading|Opening|Drawing).*…$/)).toHaveCount(0);
      await page.evaluate(() => document.fonts.ready);
      // A window as high as the page: what stands fixed in it stands where it belongs.
      if (whole) {
        const height = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.setViewportSize({ ...viewport, height: Math.max(viewport.height, height) });
      }
      await page.screenshot({ path: `${OUT}/${name}-${look}.png`, animations: "disabled" });
      await page.setViewportSize(viewport);
    };
    const go = (page: Page, path: string) => page.goto(`${server.url}${path}`);

    const outside = await open();
    await go(outside, "/sign-in");
    await take(outside, "sign-in");
    await go(outside, "/register");
    await take(outside, "register");

    const page = await open();
    await failing(page, "field-notes");
    await signIn(page, server.url, ada);
    await expect(page.getByRole("heading", { name: "Needs attention" })).toBeVisible();
    await expect(page.getByRole("heading", { name: "Time to ready" })).toBeVisible();
    await take(page, "home");
    await go(page, "/stores");
    await expect(page.getByRole("link", { name: "tea-garden" })).toBeVisible();
    if (look !== "phone") {
      await page.getByLabel("Choose field-notes").check();
      await page.getByLabel("Choose oak-and-ash").check();
    }
    await take(page, "stores");
    await go(page, `/stores/${byName.get("field-notes")?.id}`);
    await expect(page.getByRole("heading", { level: 1, name: "field-notes" })).toBeVisible();
    await expect(page.locator(".steps")).toBeVisible();
    await take(page, "store-failed");
    await go(page, `/stores/${byName.get("bike-works")?.id}`);
    await page.getByRole("button", { name: "Show credentials" }).click();
    await expect(page.locator(".secret").first()).toBeVisible();
    await expect(page.locator(".meters")).toBeVisible();
    await take(page, "store-ready");
    await page.getByRole("tab", { name: "Timeline" }).click();
    await expect(page.locator(".trail")).toBeVisible();
    await take(page, "store-timeline");
    await page.getByRole("tab", { name: "Logs" }).click();
    await expect(page.getByRole("region", { name: "Log lines" })).toBeVisible();
    await take(page, "store-logs");
    await page.getByRole("tab", { name: "Overview" }).click();
    await page.getByRole("button", { name: "Delete store" }).click();
    await take(page, "store-delete", false);
    await page.keyboard.press("Escape");

    await go(page, "/stores/new");
    await page.getByText("WooCommerce", { exact: true }).click();
    await page.getByLabel("Name of the store").fill(`paper-boat-${look}`);
    await expect(page.getByText(/Checking whether/)).toHaveCount(0);
    await take(page, "create");
    await page.getByText("Medusa", { exact: true }).click();
    await page.getByRole("button", { name: "Create store" }).click();
    await expect(page.getByText(/Step 4 of 6/)).toBeVisible();
    await take(page, "store-progress");

    for (const [name, path] of [["operations", "/operations"], ["audit", "/audit"], ["organisation-tokens", "/organisation?tab=tokens"], ["account", "/account"], ["not-found", "/nowhere"], ["forbidden", "/platform"]] as const) {
      await go(page, path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await take(page, name, name !== "audit");
    }
    await go(page, "/organisation?tab=tokens");
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel("Name").fill(`pipeline ${look}`);
    await page.getByRole("button", { name: "Make token" }).click();
    await expect(page.locator(".secret code")).toBeVisible();
    await take(page, "token-once", false);
    await page.getByRole("button", { name: "I have it" }).click();

    await go(page, "/");
    await expect(page.getByRole("heading", { name: "Time to ready" })).toBeVisible();
    await page.context().setOffline(true);
    await expect(page.getByText(/You are offline/)).toBeVisible();
    await take(page, "offline", false);
    await page.context().setOffline(false);
    await page.route("**/api/v1/audit?*", (route) =>
      route.fulfill({ status: 500, json: { requestId: "req_5d9f7e00a800", error: { code: "INTERNAL_ERROR", message: "Something went wrong.", suggestion: "Try again; if it happens again, report it with the request id.", retryable: true } } }),
    );
    await go(page, "/audit");
    await expect(page.getByText("req_5d9f7e00a800")).toBeVisible();
    await take(page, "server-error", false);
    if (look === "phone") {
      await page.getByRole("button", { name: "Open the menu" }).click();
      await take(page, "menu", false);
      await page.keyboard.press("Escape");
    }
    await page.route("**/api/v1/auth/refresh", (route) => route.fulfill({ status: 401, json: { error: { code: "SESSION_OVER", message: "The session is over.", retryable: false } } }));
    await page.route("**/api/v1/stores?*", (route) => route.fulfill({ status: 401, json: { error: { code: "UNAUTHORIZED", message: "Sign in.", retryable: false } } }));
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    if (look === "phone") await page.getByRole("button", { name: "Open the menu" }).click();
    await page.getByRole("link", { name: "Stores" }).click();
    await expect(page.getByRole("dialog", { name: "Your session has ended" })).toBeVisible();
    await take(page, "session-expired", false);
    await page.context().close();

    const member = await open();
    await signIn(member, server.url, ada);
    if (look === "phone") await member.getByRole("button", { name: "Open the menu" }).click();
    await member.getByRole("button", { name: /^Organisation: / }).click();
    await member.getByRole("menuitemradio", { name: "Linen & Co" }).click();
    await expect(member.getByText("How Linen & Co is doing")).toBeVisible();
    for (const [name, path] of [["organisation", "/organisation"], ["organisation-invitations", "/organisation?tab=invitations"], ["organisation-general", "/organisation?tab=general"]] as const) {
      await go(member, path);
      await expect(member.getByRole("heading", { level: 1, name: "Linen & Co" })).toBeVisible();
      await take(member, name);
    }
    await member.context().close();
    const operator = await open();
    await signIn(operator, server.url, ADMIN, "/platform");
    await expect(operator.getByRole("heading", { name: "Health" })).toBeVisible();
    await take(operator, "platform");
    await operator.context().close();
    const newcomer = await open();
    await signIn(newcomer, server.url, bob);
    await expect(newcomer.getByRole("heading", { name: "No store yet" })).toBeVisible();
    await take(newcomer, "empty", false);
    await newcomer.context().close();
    await outside.context().close();
  });
}
