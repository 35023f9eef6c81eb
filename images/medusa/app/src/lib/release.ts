/**
 * Which release this image is: the version of Medusa and the revision of our own set-up.
 */
import { readFileSync } from "node:fs"

/** Raise when the set-up has something to do on stores that an earlier one finished. */
export const SETUP_REVISION = 1

export const medusaVersion: string = JSON.parse(
  readFileSync(require.resolve("@medusajs/medusa/package.json"), "utf8"),
).version

/** Compares dotted versions by number; what follows a hyphen is ignored. */
export function compareVersions(left: string, right: string): number {
  const parts = (version: string) => version.split("-")[0].split(".").map(Number)
  const [a, b] = [parts(left), parts(right)]
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}
