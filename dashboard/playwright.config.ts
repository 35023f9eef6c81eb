/// How the tests in a browser run: in the system's Chromium, against servers that they start themselves.
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

/// Two cores bear three: one of them always waits.
const WORKERS = 3;

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  workers: WORKERS,
  // A machine that builds at the same time is slow: nothing here measures time.
  timeout: 400_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    // The document at every action says enough; a film of every test costs as much as the test.
    trace: { mode: "retain-on-failure", screenshots: false },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath,
      args,
    },
  },
  projects: [
    // A test waits for its stores most of the time: others go on meanwhile, each worker with a server of its own.
    { name: "simulated", testMatch: "simulated/*.spec.ts", fullyParallel: true },
    // One server, one cluster, and values of a chart that are spoilt for a while.
    { name: "real", testMatch: "real/*.spec.ts", workers: 1 },
    { name: "screenshots", testMatch: "screenshots.spec.ts", workers: 1 },
    // Hosts of shops are in no DNS: they are where the node's ingress listens.
    {
      name: "shops",
      testMatch: "shops/*.spec.ts",
      workers: 1,
      use: { launchOptions: { executablePath, args: [...args, `--host-resolver-rules=MAP * ${process.env["SHOPWRIGHT_E2E_INGRESS"] ?? "127.0.0.1"}`] } },
    },
  ],
});
