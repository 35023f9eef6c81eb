/**
 * GET /: the storefront's page with this store's name in it, so that a title is there before any script runs.
 */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http"
import { escapeHtml, page, SECURITY_HEADERS } from "../lib/storefront"

export const GET = async (req: MedusaRequest, res: MedusaResponse) => {
  const { data } = await req.scope.resolve("query").graph({ entity: "store", fields: ["name"] })
  const body = page.body.replaceAll("{{store}}", () => escapeHtml(data[0]?.name ?? ""))
  res.set({ ...SECURITY_HEADERS, "content-type": page.type, "cache-control": "no-cache" }).send(body)
}
