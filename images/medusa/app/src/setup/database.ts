/**
 * Connections of the set-up: waiting for the database, and the lock that lets one set-up run at a time.
 */
import { Client } from "pg"
import { connection, secret, secretIfAny } from "../lib/environment"
import { StepFailed } from "./report"

/** Less than half of the Job's deadline: the deadline deletes the pod, and with it the reason. */
const PATIENCE_MS = 240_000
/** A password that is refused for so long is wrong; the database's first start is over by then. */
const REFUSED_PATIENCE_MS = 20_000
const RETRY_MS = 500
const REFUSED = new Set(["28P01", "28000", "3D000"])

/** Any number will do that nobody else takes in this database. */
const LOCK = 7_246_031_557

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Connects once. A connection that breaks ends the process: nothing may go on without the lock that it holds. */
export async function connect(name: string): Promise<Client> {
  const client = new Client({ ...connection(), application_name: name, connectionTimeoutMillis: 3000, keepAlive: true })
  client.on("error", (error) => {
    console.error(`setup: lost the connection to the database: ${error.message}`)
    process.exit(1)
  })
  await client.connect()
  return client
}

/**
 * While the database's password is replaced nobody knows which of the two is in force. When it is the other one, this one is put in its
 * place: whoever comes after finds it so.
 */
async function takeOverPassword(): Promise<boolean> {
  const before = secretIfAny("database-password-before")
  if (!before || process.env.DATABASE_URL_FILE) return false
  const client = new Client({ ...connection(), password: before, application_name: "setup", connectionTimeoutMillis: 3000 })
  client.on("error", () => {})
  try {
    await client.connect()
    // The statement holds the password: it belongs in no log.
    await client.query("set log_min_error_statement = 'panic'").catch(() => {})
    await client.query(`alter role current_user password ${client.escapeLiteral(secret("database-password"))}`)
    console.log("setup: the database has the new password")
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

export async function waitForDatabase(): Promise<Client> {
  const started = Date.now()
  let said = ""
  for (;;) {
    try {
      return await connect("setup")
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      if (code === "28P01" && (await takeOverPassword())) continue
      const reason = message || code || "unknown error"
      if (reason !== said) console.log(`setup: waiting for the database: ${reason}`)
      said = reason
      const patience = code && REFUSED.has(code) ? REFUSED_PATIENCE_MS : PATIENCE_MS
      const waited = Date.now() - started
      if (waited > patience) {
        throw new StepFailed("wait-database", `the database did not answer for ${Math.round(waited / 1000)} s: ${reason}`)
      }
      await pause(RETRY_MS)
    }
  }
}

/** Two migrations at once break each other (both fail on what the other inserts), so the second set-up waits for the first. */
export async function lock(client: Client): Promise<void> {
  const { rows } = await client.query("select pg_try_advisory_lock($1) as got", [LOCK])
  if (rows[0].got) return
  console.log("setup: another set-up of this store is running, waiting for it")
  await client.query("select pg_advisory_lock($1)", [LOCK])
}
