import { expect, test } from "vitest";
import { json, refusal, serve, signedInAs } from "../testing/server";
import { call, url } from "./client";
import { connection } from "./connection";
import { ApiError, asApiError } from "./errors";
import { chooseOrganisation } from "./organisation";
import { signedIn } from "./session";

test("a query leaves out what is not given", () => {
  expect(url("/stores", { search: "tea shop", status: "", limit: 20, pageToken: undefined })).toBe("/api/v1/stores?search=tea+shop&limit=20");
});

test("a request names the organisation, unless it is about the person", async () => {
  signedIn(signedInAs("token"));
  chooseOrganisation("o1");
  const asked = serve({ "GET /stores": {}, "GET /auth/me": {} });

  await call("/stores");
  await call("/auth/me", { personal: true });

  expect(asked.map((one) => one.headers.get("x-organisation"))).toEqual(["o1", null]);
  chooseOrganisation(null);
});

test("an error says what the server said, field by field", async () => {
  signedIn(signedInAs("token"));
  const details = [{ path: ["name"], message: "name is reserved" }];
  serve({ "POST /stores": refusal(400, "VALIDATION_ERROR", { details, suggestion: "Correct it." }) });

  const error = asApiError(await call("/stores", { method: "POST", body: {} }).catch((refused: unknown) => refused));

  expect(error).toMatchObject({ status: 400, code: "VALIDATION_ERROR", suggestion: "Correct it.", requestId: "req_test" });
  expect([error.field("name"), error.field("engine")]).toEqual(["name is reserved", null]);
});

test("a proxy's page is an error too, and Retry-After is kept", async () => {
  serve({ "GET /health": new Response("<html>", { status: 502, headers: { "retry-after": "7" } }) });

  const error = await call("/health", { open: true }).catch((refused: unknown) => refused);

  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 502, retryAfterSeconds: 7, isOutage: true });
});

test("nobody's answer is an outage, and the first answer ends it", async () => {
  serve({ "GET /health": () => Promise.reject(new TypeError("Failed to fetch")) });
  await expect(call("/health", { open: true })).rejects.toMatchObject({ code: "UNREACHABLE", isOutage: true });
  expect(connection.get()).toBe("unreachable");

  serve({ "GET /health": json(200, {}) });
  await call("/health", { open: true });
  expect(connection.get()).toBe("online");
});
