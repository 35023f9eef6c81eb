/// People of a test: registered by the API, signed in by the page.
import { expect, type Page } from "@playwright/test";

export const PASSWORD = "a long enough password";

export interface Person {
  email: string;
  username: string;
  password: string;
  token: string;
}

let count = 0;

/// Somebody new.
export async function somebody(url: string, name = "ada"): Promise<Person> {
  const username = `${name}-${Date.now().toString(36)}${count++}`;
  const email = `${username}@example.com`;
  const { token } = await api<{ token: string }>(url, "POST", "/auth/register", null, { email, username, password: PASSWORD });
  return { email, username, password: PASSWORD, token };
}

export async function api<T>(url: string, method: string, path: string, token: string | null, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

export async function signIn(page: Page, url: string, person: { email: string; password: string }, path = "/"): Promise<void> {
  await page.goto(`${url}${path}`);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("navigation", { name: "Pages" }).or(page.getByRole("button", { name: "Open the menu" })).first()).toBeVisible();
}

/// The store's life as the API tells it, until `wanted`.
export async function until<T>(read: () => Promise<T>, wanted: (value: T) => boolean, what: string, limitMs = 120_000): Promise<T> {
  const began = Date.now();
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (Date.now() - began > limitMs) throw new Error(`${what}: not within ${limitMs} ms, last ${JSON.stringify(value)}`);
    await new Promise((done) => setTimeout(done, 200));
  }
}
