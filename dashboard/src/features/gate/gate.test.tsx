import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { RegisterForm } from "./RegisterForm";

async function fill() {
  await userEvent.type(screen.getByLabelText("E-mail"), "ada@example.com");
  await userEvent.type(screen.getByLabelText("Username"), "ada");
  await userEvent.type(screen.getByLabelText("Password"), "long enough");
  await userEvent.click(screen.getByRole("button", { name: "Register" }));
}

test("where registration is closed, whoever tries is told how accounts are made", async () => {
  serve({ "POST /auth/register": refusal(403, "REGISTRATION_CLOSED") });
  show(<RegisterForm />);
  await fill();
  expect(await screen.findByText("Accounts are made by invitation here")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Register" })).toBeNull();
});

test("what is wrong with a field is said at that field", async () => {
  serve({ "POST /auth/register": refusal(400, "VALIDATION_ERROR", { details: [{ path: ["username"], message: "username is reserved" }] }) });
  show(<RegisterForm />);
  await fill();
  expect(await screen.findByText("username is reserved")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});
