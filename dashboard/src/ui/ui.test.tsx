import { readFileSync } from "node:fs";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ApiError } from "../api/errors";
import type { Role } from "../api/types";
import { isOwnPath } from "../app/routes";
import { EVERYWHERE, may, type Action } from "../app/me";
import { show } from "../testing/render";
import { serve } from "../testing/server";
import { browser } from "./browsers";
import { Confirm } from "./confirm";
import { Menu } from "./menu";
import { nameRule } from "./names";
import { Problem } from "./notice";
import { passwordRule } from "./passwords";
import { ago, duration, When } from "./times";

test("names are judged by the server's rule while somebody types", () => {
  for (const good of ["tea", "tea-shop", "1a2", "x".repeat(63)]) expect(nameRule(good)).toBeNull();
  for (const bad of ["te", "Tea", "-tea", "tea-", "te--a", "tea shop", "x".repeat(64)]) expect(nameRule(bad), bad).not.toBeNull();
});

test("passwords have 8 to 128 characters", () => {
  expect(passwordRule("1234567")).toBe("1 more character to go");
  expect(passwordRule("12345678")).toBeNull();
  expect(passwordRule("x".repeat(129))).toBe("At most 128 characters");
});

test("durations and distances read like sentences", () => {
  expect([900, 42_000, 64_000, 3_720_000].map(duration)).toEqual(["0.9 s", "42 s", "1 min 04 s", "1 h 02 min"]);
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(ago(now - 3000, now)).toBe("just now");
  expect(ago(now - 86_400_000, now)).toBe("yesterday");
});

test("a time shows the reader's zone and UTC on demand", () => {
  show(<When at="2026-11-25T10:00:00.000Z" as="date" />);
  expect(screen.getByText(/2026/).getAttribute("title")).toContain("2026-11-25 10:00:00 UTC");
});

test("after signing in one is led only to paths of this page", () => {
  expect(["/stores", "/stores?x=1"].map(isOwnPath)).toEqual([true, true]);
  expect(["//evil.example", "/\\evil.example", "https://evil.example", ""].map(isOwnPath)).toEqual([false, false, false, false]);
});

/// What the server's table calls what is asked about here. The table in the documentation is the server's: its own test says so.
const WORDS: Record<Action, string> = {
  "stores:create": "create stores",
  "stores:change": "retry, cancel and upgrade",
  "stores:delete": "delete stores",
  "credentials:read": "see and replace the credentials of stores",
  "audit:read": "read the audit trail",
  "members:write": "invite, change and remove members",
  "owners:write": "make, change and remove owners",
  "organisation:rename": "rename the organisation",
  "organisation:delete": "delete the organisation",
};

test("roles and platform administrators may here what the server's table lets them", () => {
  const lines = readFileSync("../docs/API.md", "utf8").split("\n");
  const roles: Role[] = ["owner", "admin", "developer", "viewer"];
  for (const [action, words] of Object.entries(WORDS) as [Action, string][]) {
    const here = [...roles.map((role) => may(role, action)), EVERYWHERE.includes(action)];
    expect(lines, action).toContain(`| ${words} | ${here.map((yes) => (yes ? "yes" : "-")).join(" | ")} |`);
  }
  expect(may(undefined, "stores:create")).toBe(true);
});

test("what cannot be taken back needs its name typed", async () => {
  serve({});
  const confirmed = vi.fn();
  show(
    <Confirm opened onClose={() => undefined} title="Delete teashop?" word="teashop" action="Delete for good" busy={false} onConfirm={confirmed}>
      Gone is gone.
    </Confirm>,
  );
  const button = screen.getByRole("button", { name: "Delete for good" });
  expect(button).toHaveProperty("disabled", true);

  await userEvent.type(screen.getByLabelText(/to confirm/), "teasho");
  expect(button).toHaveProperty("disabled", true);
  await userEvent.type(screen.getByLabelText(/to confirm/), "p{Enter}");

  expect(confirmed).toHaveBeenCalledOnce();
});

test("a menu is worked by keyboard and gives the focus back", async () => {
  serve({});
  const chosen = vi.fn();
  show(<Menu label="Things" items={[{ text: "One", onChoose: chosen }, { text: "Two", onChoose: chosen }]} button={(props) => <button {...props}>Open</button>} />);
  const button = screen.getByRole("button", { name: "Open" });
  await userEvent.click(button);
  expect(document.activeElement?.textContent).toBe("One");
  await userEvent.keyboard("{ArrowDown}{ArrowDown}");
  expect(document.activeElement?.textContent).toBe("One");
  await userEvent.keyboard("{Escape}");
  expect(document.activeElement).toBe(button);
  expect(screen.queryByRole("menuitem")).toBeNull();
  expect(chosen).not.toHaveBeenCalled();
});

test("a refusal shows its words, what to do and its id; a missing route is no error", () => {
  serve({});
  show(<Problem error={new ApiError(429, "CREATION_COOLDOWN", "Too soon", "Wait, then create the store.", true, 12, "req_1")} onRetry={() => undefined} />);
  expect(screen.getByRole("alert").textContent).toMatch(/Too soon.*Wait, then create the store\..*Try again in 12 s.*req_1/);

  show(<Problem error={new ApiError(404, "NOT_FOUND", "There is nothing here")} />);
  expect(screen.getByText("This server does not offer this yet.")).toBeTruthy();
});

test("browsers are named in two words", () => {
  expect(browser("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36")).toBe("Chrome on Linux");
  expect(browser("curl/8.0")).toBe("curl");
  expect(browser(null)).toBe("Unknown program");
});
