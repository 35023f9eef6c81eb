/// What guards the build fails when it should.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let place = "";
beforeEach(() => (place = mkdtempSync(join(tmpdir(), "shopwright-tools-"))));
afterEach(() => rmSync(place, { recursive: true, force: true }));

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync("node", args, { encoding: "utf8" });
  return { status, text: stdout + stderr };
};

/// A build whose entry, home page and charts have so many bytes that no compression makes smaller.
function build(entry: number, home: number, charts: number): string {
  mkdirSync(join(place, ".vite"));
  const manifest = {
    "index.html": { file: "entry.js", isEntry: true, imports: ["_vendor.js"] },
    "_vendor.js": { file: "vendor.js" },
    "src/app/Shell.tsx": { file: "shell.js", isDynamicEntry: true, imports: ["_vendor.js"] },
    "src/features/home/Home.tsx": { file: "home.js", isDynamicEntry: true, css: ["home.css"] },
    "src/features/insights/Insights.tsx": { file: "charts.js", isDynamicEntry: true },
  };
  writeFileSync(join(place, ".vite/manifest.json"), JSON.stringify(manifest));
  for (const [name, size] of Object.entries({ "index.html": 10, "entry.js": entry, "vendor.js": 1000, "shell.js": 1000, "home.js": home, "home.css": 1000, "charts.js": charts })) writeFileSync(join(place, name), randomBytes(size));
  return place;
}

test("a page past its budget fails the build; what is loaded later does not count", () => {
  const within = run("tools/report.mjs", build(100_000, 40_000, 90_000));
  expect([within.status, within.text]).toEqual([0, expect.stringMatching(/Home +143\.\d kB\n[^]*later: charts\.js +90\.0 kB/)]);
  rmSync(join(place, ".vite"), { recursive: true });

  const past = run("tools/report.mjs", build(100_000, 50_000, 0));
  expect([past.status, past.text]).toEqual([1, expect.stringMatching(/over the budget[^]*the budget is 150\.0 kB/)]);
});

test("a package whose licence is not allowed fails the build, unless nobody gets it", () => {
  mkdirSync(join(place, "tools"));
  copyFileSync("tools/licences.mjs", join(place, "tools/licences.mjs"));
  const of = (licence: string, more = {}) => {
    writeFileSync(join(place, "package-lock.json"), JSON.stringify({ packages: { "": {}, "node_modules/thing": { version: "1.0.0", license: licence, ...more } } }));
    return run(join(place, "tools/licences.mjs"));
  };
  expect(of("MIT")).toEqual({ status: 0, text: expect.stringMatching(/^thing +1\.0\.0 +MIT\n$/) });
  expect(of("(GPL-3.0 OR MIT)").status).toBe(0);
  expect(of("GPL-3.0")).toEqual({ status: 1, text: expect.stringContaining("NOT ALLOWED") });
  expect(of("GPL-3.0", { dev: true }).status).toBe(0);
});
