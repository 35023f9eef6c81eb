// Lists the packages that are shipped with the dashboard, and fails for a licence that is not allowed.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ALLOWED = new Set(["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Unlicense", "CC0-1.0"]);
const here = dirname(fileURLToPath(import.meta.url));
const { packages } = JSON.parse(readFileSync(join(here, "../package-lock.json"), "utf8"));
const shipped = Object.entries(packages).filter(([path, one]) => path && !one.dev && !one.optional);
let refused = 0;
for (const [path, one] of shipped) {
  const name = path.replace(/^.*node_modules\//, "");
  // Of several that are offered, one is enough.
  const good = one.license.replace(/[()]/g, "").split(" OR ").some((licence) => ALLOWED.has(licence));
  if (!good) refused += 1;
  console.log(`${name.padEnd(34)} ${one.version.padEnd(10)} ${one.license}${good ? "" : "  NOT ALLOWED"}`);
}
process.exit(refused === 0 ? 0 : 1);
