/// How the dashboard is built, served while it is developed, and tested.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/// Where `npm run dev` finds the API.
const server = process.env["SHOPWRIGHT_SERVER"] ?? "http://127.0.0.1:3001";

const proxy = Object.fromEntries(["/api", "/docs", "/readyz"].map((path) => [path, { target: server }]));

export default defineConfig({
  plugins: [react()],
  server: { host: "127.0.0.1", port: 5173, proxy },
  preview: { host: "127.0.0.1", port: 4173, proxy },
  build: {
    outDir: ".build",
    manifest: true,
    target: "es2023",
    // The server's paths are matched in any case: hashes must not depend on it.
    // Few files: every one is a request.
    rolldownOptions: {
      output: {
        hashCharacters: "hex",
        codeSplitting: {
          groups: [
            { name: "vendor", test: /node_modules/, minShareCount: 2 },
            { name: "shared", test: /src\/(api|ui)\//, minShareCount: 4 },
          ],
        },
      },
    },
    // A file in the page would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "jsdom",
    include: ["{src,tools}/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    // As patient as the tests in a browser: nothing here measures time.
    testTimeout: 60_000,
    restoreMocks: true,
    css: false,
  },
});
