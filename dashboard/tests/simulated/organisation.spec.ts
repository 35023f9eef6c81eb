/// Working together: who is invited, what they may do, and how it ends.
import { accessible } from "../support/axe";
import { expect, test } from "../support/fixtures";
import { api, signIn, somebody } from "../support/people";
import { rolesFlow } from "../support/roles";

test("somebody is invited by link, and may do what their role says", async ({ page, server, browser }) => {
  await rolesFlow(page, server.url, browser);
});

test("an organisation is deleted once it has no store, and its owner goes on in their own", async ({ page, server }) => {
  const ada = await somebody(server.url);
  const { organisation } = await api<{ organisation: { id: string } }>(server.url, "POST", "/organisations", ada.token, { name: "Short-lived" });
  const inIt = { "x-organisation": organisation.id };
  const { store } = await api<{ store: { id: string } }>(server.url, "POST", "/stores", ada.token, { name: "in-the-way", engine: "medusa" }, inIt);
  await signIn(page, server.url, ada);
  await page.getByRole("button", { name: /^Organisation: / }).click();
  await page.getByRole("menuitemradio", { name: "Short-lived" }).click();
  await expect(page.getByText("How Short-lived is doing")).toBeVisible();
  await page.goto(`${server.url}/organisation?tab=general`);
  await page.getByRole("button", { name: "Delete organisation" }).click();
  await page.getByLabel(/to confirm/).fill("Short-lived");
  await page.getByRole("button", { name: "Delete for good" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("alert")).toBeVisible();
  await accessible(page, "a deletion that was refused");
  await api(server.url, "DELETE", `/stores/${store.id}`, ada.token, undefined, inIt);
  const read = async () => (await api<{ store: { status: string } }>(server.url, "GET", `/stores/${store.id}`, ada.token, undefined, inIt)).store.status;
  await expect.poll(read, { timeout: 60_000 }).toBe("deleted");
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await expect(page.getByRole("button", { name: `Organisation: ${ada.username}. Switch` })).toBeVisible();
});
