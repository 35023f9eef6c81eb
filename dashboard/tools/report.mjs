// Prints what each page costs before it can be shown, compressed, and fails past the budget.
//
//   node tools/report.mjs BUILD
//
// A page costs the document, the entry, the frame around pages and its own chunk, each with everything that they import; styles too.
// What a page fetches afterwards, such as the charts, is listed but not counted.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET = 150_000;
const build = process.argv[2];
const manifest = JSON.parse(readFileSync(join(build, ".vite/manifest.json"), "utf8"));
const sizes = new Map();

function size(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(join(build, file)), { level: 9 }).length);
  return sizes.get(file);
}

function filesOf(name, into = new Set()) {
  const chunk = manifest[name];
  if (into.has(chunk.file)) return into;
  into.add(chunk.file);
  for (const css of chunk.css ?? []) into.add(css);
  for (const next of chunk.imports ?? []) filesOf(next, into);
  return into;
}

const cost = (...names) => {
  const files = new Set(["index.html", ...names.flatMap((name) => [...filesOf(name)])]);
  return [...files].reduce((sum, file) => sum + size(file), 0);
};
const kB = (bytes) => `${(bytes / 1000).toFixed(1).padStart(7)} kB`;

const entry = Object.keys(manifest).find((name) => manifest[name].isEntry);
const shell = "src/app/Shell.tsx";
const pages = Object.keys(manifest).filter((name) => name.startsWith("src/features/") && manifest[name].isDynamicEntry);
// Charts, and what stands behind a tab or in a dialog.
const outside = (page) => page.startsWith("src/features/gate/");
const later = (page) => /\/(Insights|Resources|Timeline|Rotate|Upgrade|ApiTokens|General|Invitations)\.tsx$/.test(page);

let most = 0;
console.log(`${"page".padEnd(22)} ${"gzip".padStart(10)}`);
for (const page of pages.filter((page) => !later(page)).sort()) {
  const bytes = outside(page) ? cost(entry, page) : cost(entry, shell, page);
  most = Math.max(most, bytes);
  console.log(`${page.replace(/^.*\/(.*)\.tsx$/, "$1").padEnd(22)} ${kB(bytes)}${bytes > BUDGET ? "  over the budget" : ""}`);
}
console.log("\nlargest files");
for (const file of Object.values(manifest).flatMap((chunk) => [chunk.file, ...(chunk.css ?? [])])) size(file);
for (const [file, bytes] of [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 6)) console.log(`${file.padEnd(38)} ${kB(bytes)}`);
for (const page of pages.filter(later)) console.log(`later: ${manifest[page].file.padEnd(31)} ${kB(size(manifest[page].file))}`);
if (most > BUDGET) {
  console.error(`a page needs ${kB(most).trim()} to be shown; the budget is ${kB(BUDGET).trim()}`);
  process.exit(1);
}
