/// An organisation from its first invitation to its last member's removal, in two browsers: what a role may not do is hidden, and the
/// server refuses it whatever a browser shows.
import { expect, type Browser, type Page } from "@playwright/test";
import { accessible } from "./axe";
import { api, PASSWORD, signIn, somebody, until, type Person } from "./people";

interface Store {
  id: string;
  status: string;
  operation: { id: string; status: string } | null;
}

/// What the server answers to somebody who asks by themselves.
async function status(url: string, token: string, organisation: string, method: string, path: string, body?: unknown): Promise<number> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "x-organisation": organisation, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return answer.status;
}

/// Makes a link for a viewer on the page of invitations.
async function invite(page: Page, url: string): Promise<string> {
  await page.goto(`${url}/organisation?tab=invitations`);
  await page.getByLabel("Role").selectOption("viewer");
  await page.getByRole("button", { name: "Make a link" }).click();
  const link = page.locator(".secret code");
  await expect(link).toHaveText(/\/invitation#swi_/);
  return link.innerText();
}

async function giveRole(page: Page, username: string, role: string): Promise<void> {
  await page.getByLabel(`Role of ${username}`).selectOption(role);
  await expect(page.getByLabel("Messages").getByText(`The role of ${username} is changed`)).toBeVisible();
}

export async function rolesFlow(page: Page, url: string, browser: Browser): Promise<void> {
  const ada = await somebody(url, "ada");
  await signIn(page, url, ada);
  await page.getByRole("button", { name: /^Organisation: / }).click();
  await page.getByRole("menuitem", { name: "New organisation" }).click();
  await accessible(page, "new organisation");
  await page.getByRole("dialog").getByLabel("Name").fill("Tea & Co");
  await page.getByRole("button", { name: "Create organisation" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Tea & Co" })).toBeVisible();
  const { organisations } = await api<{ organisations: { id: string; name: string }[] }>(url, "GET", "/organisations", ada.token);
  const organisation = organisations.find(({ name }) => name === "Tea & Co")?.id ?? "";
  const inIt = { "x-organisation": organisation };
  const as = (person: Person, method: string, path: string, body?: unknown) => status(url, person.token, organisation, method, path, body);

  // Two stores that failed, so that there is something to retry and to delete. What was made so far is taken back, and the last look at
  // that may come half a minute later: it goes on while somebody is invited.
  const inOrder = async (name: string) => {
    const { store } = await api<{ store: Store }>(url, "POST", "/stores", ada.token, { name, engine: "medusa" }, inIt);
    return store.id;
  };
  const read = async (id: string) => (await api<{ store: Store }>(url, "GET", `/stores/${id}`, ada.token, undefined, inIt)).store;
  const ids = [await inOrder("shared-shop"), await inOrder("second-shop")] as const;
  for (const id of ids) await api(url, "POST", `/operations/${(await read(id)).operation?.id}/cancel`, ada.token, undefined, inIt);
  const [mended, refused] = ids;

  // One invitation is taken back, one is used.
  const withdrawn = await invite(page, url);
  await accessible(page, "an invitation's link");
  await page.getByRole("button", { name: "Withdraw the invitation of whoever has the link" }).click();
  await expect(page.getByText("Nobody is invited at the moment.")).toBeVisible();
  const link = await invite(page, url);

  const theirs = await (await browser.newContext()).newPage();
  await theirs.goto(withdrawn);
  await expect(theirs.getByText("This invitation cannot be used")).toBeVisible();
  await theirs.goto("about:blank");
  await theirs.goto(link);
  await expect(theirs.getByRole("heading", { level: 1, name: "Join Tea & Co" })).toBeVisible();
  await expect(theirs).toHaveURL(`${url}/invitation`);
  await accessible(theirs, "an invitation");
  const username = `bob-${Date.now().toString(36)}`;
  const bob: Person = { email: `${username}@example.com`, username, password: PASSWORD, token: "" };
  await theirs.getByLabel("E-mail").fill(bob.email);
  await theirs.getByLabel("Username").fill(bob.username);
  await theirs.getByLabel("Password", { exact: true }).fill(bob.password);
  await theirs.getByRole("button", { name: "Register and join" }).click();
  await expect(theirs.getByText("How Tea & Co is doing")).toBeVisible();
  await expect(theirs.getByRole("button", { name: "Organisation: Tea & Co. Switch" })).toBeVisible();
  bob.token = (await api<{ token: string }>(url, "POST", "/auth/login", null, { email: bob.email, password: bob.password })).token;

  const late = await (await browser.newContext()).newPage();
  await late.goto(link);
  await expect(late.getByText("This invitation cannot be used")).toBeVisible();
  await accessible(late, "an invitation that was used");
  await late.context().close();

  const over = ({ status, operation }: Store) => status === "failed" && ["succeeded", "cancelled"].includes(operation?.status ?? "");
  for (const id of ids) await until(() => read(id), over, `${id} cancelled and taken back`);
  const head = theirs.locator(".head");
  const retry = theirs.getByRole("button", { name: "Retry", exact: true });
  const remove = theirs.getByRole("button", { name: "Delete store" });
  const create = theirs.getByRole("link", { name: "Create store" });
  const audit = theirs.getByRole("link", { name: "Audit log" });
  const seeStore = async (id: string) => {
    await theirs.goto(`${url}/stores/${id}`);
    await expect(head.getByText("Failed")).toBeVisible();
    await expect(theirs.getByText("Last operation")).toBeVisible();
  };

  // A viewer looks.
  await theirs.goto(`${url}/stores`);
  await expect(theirs.getByRole("link", { name: "shared-shop" })).toBeVisible();
  for (const hidden of [create, audit, theirs.getByRole("checkbox")]) await expect(hidden).toHaveCount(0);
  await seeStore(mended);
  for (const hidden of [retry, remove]) await expect(hidden).toHaveCount(0);
  for (const path of ["/stores/new", "/audit"]) {
    await theirs.goto(`${url}${path}`);
    await expect(theirs.getByRole("heading", { name: "You may not see this" })).toBeVisible();
  }
  await theirs.goto(`${url}/organisation?tab=invitations`);
  await expect(theirs.getByText("Only owners and administrators invite")).toBeVisible();
  const asViewer = [
    as(bob, "POST", "/stores", { name: "sneaky-shop", engine: "medusa" }),
    as(bob, "POST", `/stores/${mended}/retry`),
    as(bob, "DELETE", `/stores/${mended}`),
    as(bob, "POST", `/stores/${mended}/credentials/reveal`),
    as(bob, "GET", "/audit"),
    as(bob, "POST", `/organisations/${organisation}/invitations`, { role: "viewer" }),
  ];
  expect(await Promise.all(asViewer)).toEqual([403, 403, 403, 403, 403, 403]);

  // A developer mends, and deletes nothing.
  await page.goto(`${url}/organisation`);
  await giveRole(page, bob.username, "developer");
  await seeStore(mended);
  await expect(retry).toBeVisible();
  await expect(audit).toBeVisible();
  await expect(remove).toHaveCount(0);
  expect(await Promise.all([as(bob, "DELETE", `/stores/${mended}`), as(bob, "POST", `/stores/${mended}/credentials/reveal`), as(bob, "PATCH", `/organisations/${organisation}`, { name: "Mine" })])).toEqual([403, 403, 403]);
  expect(await as(bob, "POST", `/stores/${mended}/retry`)).toBe(202);

  // Who becomes less while they look is refused, told why, and from then on not offered it any more.
  await seeStore(refused);
  await giveRole(page, bob.username, "viewer");
  await retry.click();
  await expect(theirs.getByLabel("Messages").getByText(/viewer/)).toBeVisible();
  await accessible(theirs, "a change that was refused");
  await expect(retry).toHaveCount(0);

  // An administrator does everything but make and change owners.
  await giveRole(page, bob.username, "admin");
  await seeStore(refused);
  await expect(remove).toBeVisible();
  await theirs.goto(`${url}/organisation`);
  await expect(theirs.getByLabel(`Role of ${bob.username}`)).toBeVisible();
  for (const hidden of [theirs.getByLabel(`Role of ${ada.username}`), theirs.getByRole("button", { name: `Remove ${ada.username}` })]) await expect(hidden).toHaveCount(0);
  await accessible(theirs, "members, to an administrator");
  await theirs.goto(`${url}/organisation?tab=general`);
  await expect(theirs.getByRole("button", { name: "Save" })).toBeVisible();
  await expect(theirs.getByRole("button", { name: "Delete organisation" })).toHaveCount(0);
  const me = (await api<{ user: { id: string } }>(url, "GET", "/auth/me", bob.token)).user.id;
  expect(await as(bob, "PATCH", `/organisations/${organisation}/members/${me}`, { role: "owner" })).toBe(403);
  expect(await as(bob, "DELETE", `/organisations/${organisation}`)).toBe(403);
  for (const id of ids) expect(await as(bob, "DELETE", `/stores/${id}`)).toBe(202);
  for (const id of ids) await until(() => read(id), (now) => now.status === "deleted", `${id} deleted`);

  // Who is removed is out at once.
  await page.getByRole("button", { name: `Remove ${bob.username}` }).click();
  await accessible(page, "removing a member");
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(await as(bob, "GET", "/stores")).toBe(403);
  await theirs.getByRole("link", { name: "Stores", exact: true }).click();
  await expect(theirs.getByRole("button", { name: `Organisation: ${bob.username}. Switch` })).toBeVisible({ timeout: 60_000 });
  await theirs.context().close();
}
