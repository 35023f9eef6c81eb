/// The log of changes as a browser shows it and takes it along.
import { readFileSync } from "node:fs";
import { accessible } from "../support/axe";
import { expect, test } from "../support/fixtures";
import { api, signIn, somebody } from "../support/people";

test("the audit log is filtered and taken along", async ({ page, server }) => {
  const ada = await somebody(server.url);
  for (const name of ["one-shop", "two-shop"]) await api(server.url, "POST", "/stores", ada.token, { name, engine: "woocommerce" });
  await signIn(page, server.url, ada, "/audit");
  await expect(page.getByRole("link", { name: "two-shop" }).first()).toBeVisible();
  await page.getByLabel("Store").selectOption({ label: "one-shop" });
  await page.getByLabel("Event").selectOption("store_created");
  await expect(page.getByRole("link", { name: "two-shop" })).toHaveCount(0);
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(page).toHaveURL(/storeId=store-[0-9a-f]{8}&eventType=store_created/);
  await page.getByRole("button", { name: /^Show details/ }).click();
  await accessible(page, "an entry of the audit log, unfolded");

  await page.getByRole("button", { name: "Export" }).click();
  await expect(page.getByRole("menuitem", { name: "CSV, for spreadsheets" })).toBeFocused();
  await accessible(page, "formats of an export");
  const began = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "JSON lines, for programs" }).click();
  const file = await began;
  expect(file.suggestedFilename()).toBe("audit.jsonl");
  const lines = readFileSync(await file.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line) as { storeId?: string; eventType: string });
  expect(lines.map((line) => line.eventType)).toEqual(["store_created"]);

  await page.getByLabel("To", { exact: true }).fill("2020-01-01");
  await expect(page.getByRole("heading", { name: "No entry" })).toBeVisible();
});
