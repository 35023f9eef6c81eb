import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Limits } from "../../api/types";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { NewStore } from "./NewStore";

const ENGINE = { name: "medusa", title: "Medusa", summary: "A shop", themes: [], defaultTheme: null, administrator: { signsInWith: "email", username: null }, available: true, unavailableReason: null, note: null };
const LIMITS: Limits = { plan: "starter", stores: { limit: 5, used: 2 }, creationCooldown: { seconds: 30, endsAt: null }, requests: { limit: 60, windowSeconds: 60 }, retries: { limit: 3 } };
const ANSWERS = {
  "GET /engines": { engines: [ENGINE] },
  "GET /limits": LIMITS,
  "GET /stores/availability": ({ query }: { query: URLSearchParams }) => ({ name: query.get("name"), available: true, reason: null, suggestion: null, host: "teashop.localhost", url: null }),
};

test("the shop's administrator and the rule for their password are told, and what breaks it is not sent", async () => {
  const asked = serve(ANSWERS);
  show(<NewStore />);
  await screen.findByRole("radio", { name: /^Medusa/ });
  expect(screen.getByText("ada@example.com")).toBeTruthy();
  expect(screen.getByText(/^8 to 128 characters\. Leave it empty/)).toBeTruthy();
  await userEvent.type(screen.getByLabelText("Name of the store"), "teashop");
  await userEvent.type(screen.getByLabelText("Password"), "short");
  expect(screen.getByText("3 more characters to go")).toBeTruthy();
  const button = screen.getByRole("button", { name: "Create store" });
  expect(button).toHaveProperty("disabled", true);
  await userEvent.type(screen.getByLabelText("Password"), "er{Enter}");
  expect(asked.filter((one) => one.method === "POST")).toEqual([]);
  await userEvent.type(screen.getByLabelText("Password"), " and longer");
  expect(button).toHaveProperty("disabled", false);
});

test("what the plan leaves is told, and a full plan what makes room", async () => {
  serve(ANSWERS);
  const { unmount } = show(<NewStore />);
  expect(await screen.findByText("3 left")).toBeTruthy();
  unmount();
  serve({ ...ANSWERS, "GET /limits": { ...LIMITS, stores: { limit: 5, used: 5 } } });
  show(<NewStore />);
  expect(await screen.findByText("Delete one to make room")).toBeTruthy();
});

test("between two creations the pause is counted down, and a refusal says what to do", async () => {
  serve({ ...ANSWERS, "GET /limits": { ...LIMITS, creationCooldown: { seconds: 30, endsAt: new Date(Date.now() + 20_000).toISOString() } } });
  const { unmount } = show(<NewStore />);
  expect(await screen.findByRole("button", { name: /^Create store in \d+ s$/ })).toHaveProperty("disabled", true);
  unmount();

  serve({ ...ANSWERS, "POST /stores": refusal(429, "STORE_LIMIT_EXCEEDED", { suggestion: "Delete a store first." }) });
  show(<NewStore />);
  await screen.findByRole("radio", { name: /^Medusa/ });
  await userEvent.type(screen.getByLabelText("Name of the store"), "teashop");
  await userEvent.click(screen.getByRole("button", { name: "Create store" }));
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("Delete a store first."));
});
