/// A simulated server for all tests of a file, and pages that must not log errors of their own.
import { test as base, expect } from "@playwright/test";
import { Server, SIMULATED } from "./server";

export const test = base.extend<{ faults: string[] }, { server: Server }>({
  server: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const server = await Server.start(SIMULATED);
      await use(server);
      await server.end();
    },
    { scope: "worker" },
  ],
  // What a page throws fails its test, whatever the test looks at.
  faults: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error" && /Content Security Policy|Minified React error/.test(message.text())) faults.push(message.text());
      });
      await use(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
