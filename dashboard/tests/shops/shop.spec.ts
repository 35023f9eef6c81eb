/// A merchant's shop on real pods, as its shopper and its owner see it in a browser: from the front page to a confirmed order, and into the
/// administration. `tests/tests/e2e_orders.rs` says which shop; what it is made of is the engine's, so there is one flow for each.
import { expect, type Page, test } from "@playwright/test";

interface Shop {
  url: string;
  name: string;
  engine: "medusa" | "woocommerce";
  /// WordPress without its shop.
  bare: boolean;
  email: string;
  username: string;
  password: string;
}

const shop = JSON.parse(process.env["SHOPWRIGHT_E2E_SHOP"] ?? "null") as Shop;
const SHOPPER = "grace@example.com";

test("a shopper buys something, and the owner sees it", async ({ page }) => {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  if (shop.engine === "medusa") {
    const number = await buyFromMedusa(page);
    await ownMedusa(page, number);
  } else {
    const number = shop.bare ? null : await buyFromWooCommerce(page);
    await ownWordPress(page, number);
  }
  // What a shop's own pages throw is a fault of ours; WordPress' administration is not ours.
  if (shop.engine === "medusa") expect(faults).toEqual([]);
});

async function buyFromMedusa(page: Page): Promise<string> {
  await page.goto(shop.url);
  await expect(page).toHaveTitle(new RegExp(`^${shop.name}`));
  await page.getByRole("link", { name: /Classic Cotton T-Shirt/ }).click();
  await page.getByLabel("Size").selectOption({ label: "M" });
  await page.getByLabel("Quantity").fill("2");
  await page.getByRole("button", { name: "Add to cart" }).click();
  await expect(page.getByRole("status")).toHaveText("Classic Cotton T-Shirt is in the cart.");
  await page.getByRole("link", { name: /^Cart/ }).click();
  await expect(page.getByRole("rowheader", { name: "Classic Cotton T-Shirt (M)" })).toBeVisible();
  await page.getByRole("link", { name: "Check out" }).click();
  const fields = { "E-mail": SHOPPER, "First name": "Grace", "Last name": "H", "Street and number": "1 High Street", "Postal code": "12345", City: "Springfield" };
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label).fill(value);
  await page.getByLabel("Country").selectOption("us");
  await page.getByRole("button", { name: "Go on to shipping" }).click();
  await page.getByRole("radio", { name: /Express shipping/ }).check();
  await page.getByRole("button", { name: "Place the order" }).click();
  await expect(page.getByRole("heading", { name: "Thank you" })).toBeVisible();
  await expect(page.getByRole("row", { name: /Total.*74\.98/ })).toBeVisible();
  return (await page.locator("#order-number").textContent()) ?? "";
}

/// Over plain http, where a cookie that is for https alone would send the owner round in circles.
async function ownMedusa(page: Page, order: string): Promise<void> {
  await page.goto(`${shop.url}/app`);
  await page.locator("input[name=email]").fill(shop.email);
  await page.locator("input[name=password]").fill(shop.password);
  await page.locator("input[name=password]").press("Enter");
  await page.waitForURL(/\/app\/orders/);
  await expect(page.getByText(`#${order}`, { exact: true })).toBeVisible();
}

async function buyFromWooCommerce(page: Page): Promise<string> {
  await page.goto(shop.url);
  await expect(page.getByText(shop.name).first()).toBeVisible();
  // A sale shows both prices; the shop's theme links each product to its page.
  await page.getByRole("link", { name: /Classic T-Shirt/ }).first().click();
  await page.getByRole("button", { name: "Add to cart", exact: true }).click();
  await page.goto(`${shop.url}/checkout/`);
  await page.locator("#email").fill(SHOPPER);
  const fields = { first_name: "Grace", last_name: "H", address_1: "1 High Street", city: "Springfield", postcode: "90210", phone: "+12025550123" };
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`#shipping-${name}`);
    if ((name !== "phone" || (await field.count())) && (await field.isVisible())) await field.fill(value);
  }
  await expect(page.getByText("Cash on delivery").first()).toBeVisible();
  // Prices are worked out anew a moment after the last letter was typed: until then the button hears nothing.
  await expect(async () => {
    if (/order-received/.test(page.url())) return;
    await page.getByRole("button", { name: /Place order/i }).click({ timeout: 5_000 });
    await page.waitForURL(/order-received/, { timeout: 20_000 });
  }).toPass();
  await expect(page.getByText(/Your order has been received/).first()).toBeVisible();
  return /order-received\/(\d+)/.exec(page.url())?.[1] ?? "";
}

async function ownWordPress(page: Page, order: string | null): Promise<void> {
  await page.goto(`${shop.url}/wp-login.php`);
  await page.getByLabel("Username or Email Address").fill(shop.username);
  await page.locator("#user_pass").fill(shop.password);
  await page.getByRole("button", { name: "Log In" }).click();
  await page.waitForURL(/\/wp-admin\//);
  if (order === null) return;
  await page.goto(`${shop.url}/wp-admin/admin.php?page=wc-orders`);
  await expect(page.getByText(new RegExp(`#${order} Grace`)).first()).toBeVisible();
}
