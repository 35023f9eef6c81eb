/**
 * GET /ready: 200 when the database answers and holds the set-up marker of this release, 503 otherwise, within 2 seconds.
 *
 * It has a connection of its own: Medusa's pool waits for a minute when the database is gone, and a probe must not.
 */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http"
import { Pool } from "pg"
import { connection } from "../../lib/environment"
import { isCurrent, readMarker } from "../../lib/marker"

const pool = new Pool({
  ...connection(),
  max: 1,
  connectionTimeoutMillis: 1500,
  query_timeout: 1500,
  statement_timeout: 1500,
  application_name: "ready",
})
// A connection that breaks while idle is replaced by the next query; unheard, the event would end the process.
pool.on("error", () => {})

const limit = (ms: number) => new Promise<never>((_, reject) => setTimeout(() => reject(new Error("timeout")), ms).unref())

export const GET = async (_req: MedusaRequest, res: MedusaResponse) => {
  res.set("cache-control", "no-store")
  try {
    const marker = await Promise.race([readMarker(pool), limit(2000)])
    if (isCurrent(marker)) res.json({ ready: true })
    else res.status(503).json({ ready: false, reason: "the store is not set up" })
  } catch {
    res.status(503).json({ ready: false, reason: "the database does not answer" })
  }
}
