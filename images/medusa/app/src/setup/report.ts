/**
 * The result of a set-up: one JSON line in the pod's termination message, which is what the control plane reads.
 *
 * What always holds: no value of a secret is in it, whatever an error's text says; it fits into the 4096 bytes that the kubelet keeps.
 */
import { readdirSync, writeFileSync } from "node:fs"
import { connection, secret } from "../lib/environment"

export interface StepTime {
  name: string
  ms: number
}

/** A failure that no repetition will cure; the Job fails at once. */
export class Permanent extends Error {}

/** A step's failure, carrying the name of the step that the store's owner will read. */
export class StepFailed extends Error {
  constructor(
    readonly step: string,
    reason: string,
  ) {
    super(reason)
  }
}

/** Says on stdout that a step is done, when it is: whoever follows the log knows how far this run has come. */
export function done(step: StepTime): StepTime {
  console.log(`setup: ${step.name}, ${step.ms} ms`)
  return step
}

export function succeeded(version: string, steps: StepTime[]): void {
  write({ result: "ok", engine: "medusa", version, note: null, steps })
}

export function failed(step: string, reason: string): void {
  write({ result: "failed", step, reason: redact(reason).slice(0, 1500) })
}

function write(result: object): void {
  const line = JSON.stringify(result)
  console.log(line)
  try {
    writeFileSync(process.env.TERMINATION_LOG ?? "/dev/termination-log", `${line}\n`)
  } catch (error) {
    console.error(`setup: the result could not be written: ${(error as Error).message}`)
  }
}

export function redact(text: string): string {
  const directory = process.env.SECRETS_DIR ?? "/run/store-secrets"
  let redacted = text
  let keys: string[]
  try {
    keys = readdirSync(directory)
  } catch {
    // Without the Secret there is nothing that could leak.
    return text
  }
  for (const key of keys) {
    // The e-mail is no secret, and useful in "already exists".
    if (key.startsWith(".") || key === "admin-email") continue
    // Of the database's URL it is the password that an error may quote by itself.
    const value = key === "database-url" ? databasePassword() : secret(key)
    if (!value) continue
    for (const form of [value, encodeURIComponent(value)]) redacted = redacted.replaceAll(form, "***")
  }
  return redacted
}

function databasePassword(): string {
  try {
    return connection().password
  } catch {
    // A URL that cannot be read connects to nothing, and nothing quotes it.
    return ""
  }
}
