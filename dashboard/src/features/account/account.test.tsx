import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { show } from "../../testing/render";
import { json, refusal, serve } from "../../testing/server";
import { Account } from "./Account";

const session = (id: string, current: boolean) => ({ id, current, userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0", ipAddress: "192.0.2.1", createdAt: "2026-11-25T10:00:00.000Z", lastUsedAt: "2026-11-25T11:00:00.000Z" });

test("a session is ended at once in what is shown, and comes back when the server refuses", async () => {
  let answer: (outcome: Response) => void = () => undefined;
  let sessions = [session("s1", true), session("s2", false)];
  serve({
    "GET /auth/sessions": () => ({ sessions }),
    "DELETE /auth/sessions/s2": () => new Promise<Response>((resolve) => (answer = resolve)),
  });
  show(<Account />);
  expect((await screen.findAllByText("Firefox on Linux")).length).toBe(2);
  expect(screen.getByText("This one")).toBeTruthy();

  await userEvent.click(screen.getByRole("button", { name: "End" }));
  await waitFor(() => expect(screen.getAllByText("Firefox on Linux").length).toBe(1));
  answer(refusal(503, "SERVICE_UNAVAILABLE"));
  await screen.findByText("refused with SERVICE_UNAVAILABLE");
  await waitFor(() => expect(screen.getAllByText("Firefox on Linux").length).toBe(2));

  await userEvent.click(screen.getByRole("button", { name: "End" }));
  sessions = [session("s1", true)];
  answer(json(200, {}));
  await waitFor(() => expect(screen.getAllByText("Firefox on Linux").length).toBe(1));
});

test("all other sessions are ended together, and this one is kept", async () => {
  const asked = serve({ "GET /auth/sessions": { sessions: [session("s1", true), session("s2", false)] }, "DELETE /auth/sessions": () => json(200, {}) });
  show(<Account />);
  await userEvent.click(await screen.findByRole("button", { name: "End all others" }));
  await screen.findByText("All other sessions are ended");
  expect(asked.filter((one) => one.method === "DELETE").map((one) => [one.path, one.query.get("keep")])).toEqual([["/auth/sessions", "current"]]);
});

test("a new password is judged before it is sent, and a wrong current one is said at its field", async () => {
  const asked = serve({ "GET /auth/sessions": { sessions: [] }, "PATCH /auth/password": refusal(422, "INVALID_PASSWORD") });
  show(<Account />);
  await userEvent.type(screen.getByLabelText("Current password"), "not mine");
  await userEvent.type(screen.getByLabelText("New password"), "short");
  await userEvent.click(screen.getByRole("button", { name: "Change password" }));
  expect(screen.getByText("3 more characters to go")).toBeTruthy();
  expect(asked.filter((one) => one.method === "PATCH")).toEqual([]);

  await userEvent.type(screen.getByLabelText("New password"), "er and longer");
  await userEvent.click(screen.getByRole("button", { name: "Change password" }));
  const form = within(screen.getByLabelText("Current password").closest("form") as HTMLElement);
  expect(await form.findByText("refused with INVALID_PASSWORD")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});
