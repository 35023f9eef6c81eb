/**
 * `store-medusa setup`: makes an empty database a store that can take an order, and brings an older store to this release.
 *
 * What always holds: it may be killed at any moment and run again; the marker is written last; nothing is ever dropped of a store that
 * was finished once; a database that holds tables of somebody else, or of a newer release, is not touched.
 */
import { fork } from "node:child_process"
import { createHmac } from "node:crypto"
import { readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Client } from "pg"
import { secret } from "../lib/environment"
import { hasTables, isCurrent, type Marker, readMarker, writeFinished, writeStarted } from "../lib/marker"
import { compareVersions, medusaVersion } from "../lib/release"
import { lock, waitForDatabase } from "./database"
import { done, failed, Permanent, StepFailed, type StepTime, succeeded } from "./report"

const EXIT_AGAIN = 1
const EXIT_NEVER = 3
const STORE_REPORT = join(tmpdir(), "setup-store.json")
const CLI = require.resolve("@medusajs/cli/cli.js")

const steps: StepTime[] = []
let current = "start"

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  current = name
  const started = Date.now()
  const result = await work()
  steps.push(done({ name, ms: Date.now() - started }))
  return result
}

/** Runs Medusa's command line and keeps the last lines of what it said, for the reason. */
function medusa(args: string[], env: Record<string, string> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(CLI, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe", "ipc"] })
    const tail: string[] = []
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        process.stdout.write(chunk)
        tail.push(...chunk.toString().split("\n").filter((line) => line.trim()))
        tail.splice(0, Math.max(0, tail.length - 8))
      })
    }
    child.on("error", reject)
    child.on("close", (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`medusa ${args[0]} ended with ${signal ?? `exit ${code}`}: ${tail.join(" | ")}`))
    })
  })
}

/** What may not be touched is refused here, before the first write. */
async function begin(db: Client, marker: Marker | null): Promise<void> {
  if (marker === null) {
    if (await hasTables(db)) {
      throw new Permanent("the database has tables but no set-up record; nothing was changed. Give this store an empty database.")
    }
    await writeStarted(db)
    return
  }
  if (marker.version !== null && compareVersions(marker.version, medusaVersion) > 0) {
    throw new Permanent(
      `the database is of Medusa ${marker.version}, this image of ${medusaVersion}: restore the backup from before the upgrade, or deploy the newer image`,
    )
  }
}

/** Not the password: a keyed hash, to see that the control plane has written another one since. */
const passwordFingerprint = () =>
  createHmac("sha256", secret("app-secret")).update("admin-password\0").update(secret("admin-password")).digest("hex")

/** The part inside Medusa (store.ts); its report says which of its steps failed. */
async function provision(mode: "everything" | "password"): Promise<void> {
  rmSync(STORE_REPORT, { force: true })
  let problem: Error | undefined
  try {
    await medusa(["exec", join(__dirname, "store.js")], { SETUP_MODE: mode, SETUP_REPORT: STORE_REPORT })
  } catch (error) {
    problem = error as Error
  }
  let report: { steps: StepTime[]; failed?: { step: string; reason: string } } = { steps: [] }
  try {
    report = JSON.parse(readFileSync(STORE_REPORT, "utf8"))
  } catch {
    problem ??= new Error("the set-up inside Medusa left no report")
  }
  steps.push(...report.steps)
  if (report.failed) throw new StepFailed(report.failed.step, report.failed.reason)
  if (problem) throw problem
}

async function setUp(): Promise<void> {
  const db = await step("wait-database", waitForDatabase)
  await step("lock", () => lock(db))
  const marker = await readMarker(db)
  const fingerprint = passwordFingerprint()

  if (isCurrent(marker) && marker?.passwordFingerprint === fingerprint) {
    console.log("setup: this store is set up already")
  } else {
    await step("begin", () => begin(db, marker))
    if (!isCurrent(marker)) {
      await step("migrate", () => medusa(["db:migrate", "--execute-safe-links", "--execute-safe-search", "--skip-scripts"]))
      await step("migrate-data", () => medusa(["db:migrate:scripts"]))
    }
    // What the merchant changed in a finished store is theirs: only a password that is new in the Secret is applied.
    if (!marker?.finished) await provision("everything")
    else if (marker.passwordFingerprint !== fingerprint) await provision("password")
    await step("marker", () => writeFinished(db, fingerprint))
  }
  succeeded(medusaVersion, steps)
}

// As process 1 it would not die of a signal by itself. What was under way is repeated by the next run.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    failed(current, `stopped by ${signal}`)
    process.exit(EXIT_AGAIN)
  })
}

setUp().then(
  () => process.exit(0),
  (error: Error) => {
    failed(error instanceof StepFailed ? error.step : current, error.message)
    process.exit(error instanceof Permanent ? EXIT_NEVER : EXIT_AGAIN)
  },
)
