/**
 * `store-medusa wait`: ends when the database holds the set-up marker of this release. It says why it waits, once per reason.
 */
import { Client } from "pg"
import { connection } from "../lib/environment"
import { isCurrent, readMarker } from "../lib/marker"
import { medusaVersion } from "../lib/release"

const POLL_MS = 500

async function look(): Promise<string | null> {
  const client = new Client({ ...connection(), application_name: "wait", connectionTimeoutMillis: 3000, query_timeout: 3000 })
  client.on("error", () => {})
  try {
    await client.connect()
    const marker = await readMarker(client)
    if (isCurrent(marker)) return null
    if (marker === null) return "the set-up has not started"
    return marker.finished ? `the store is of Medusa ${marker.version}, the set-up for ${medusaVersion} is due` : "the set-up is not finished"
  } catch (error) {
    return `the database does not answer: ${(error as Error).message || (error as { code?: string }).code}`
  } finally {
    await client.end().catch(() => {})
  }
}

async function wait(): Promise<void> {
  let said: string | null = ""
  for (;;) {
    const reason = await look()
    if (reason === null) {
      console.log("wait: the store is set up")
      return
    }
    if (reason !== said) console.log(`wait: ${reason}`)
    said = reason
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(143))
wait().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(`wait: ${error.message}`)
    process.exit(1)
  },
)
