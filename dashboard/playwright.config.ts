/// How the tests in a browser run: one at a time, in the system's Chromium, against servers that they start themselves.
import { defineConfig } from "@playwright/test";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  workers: 1,
  fullyParallel: false,
  // A machine that builds at the same time is slow: nothing here measures time.
  timeout: 400_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath,
      args,
    },
  },
  projects: [
    { name: "simulated", testMatch: "simulated/*.spec.ts" },
    { name: "real", testMatch: "real/*.spec.ts" },
    { name: "screenshots", testMatch: "screenshots.spec.ts" },
    // Hosts of shops are in no DNS: they are where the node's ingress listens.
    {
      name: "shops",
      testMatch: "shops/*.spec.ts",
      use: { launchOptions: { executablePath, args: [...args, `--host-resolver-rules=MAP * ${process.env["SHOPWRIGHT_E2E_INGRESS"] ?? "127.0.0.1"}`] } },
    },
  ],
});
