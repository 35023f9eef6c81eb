/**
 * GET /static/private-*: files for administrators (exports), for whoever is signed in as one. Public files never get here: Medusa serves
 * them before any route, from another directory.
 */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http"
import { join } from "node:path"
import { uploadsDir } from "../../../lib/environment"

/** Medusa's own naming; a name with a slash or only dots never gets this far. */
const PRIVATE_FILE = /^private-[0-9]+-[^/\\]+$/

export const GET = async (req: MedusaRequest, res: MedusaResponse) => {
  const name = req.params.file
  if (!PRIVATE_FILE.test(name)) {
    res.status(404).json({ type: "not_found", message: "There is no such file" })
    return
  }
  res.set("cache-control", "private, no-store")
  res.download(join(uploadsDir(), "private", name), name, (error) => {
    if (error && !res.headersSent) res.status(404).json({ type: "not_found", message: "There is no such file" })
  })
}
