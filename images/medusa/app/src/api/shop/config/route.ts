/**
 * GET /shop/config: what the storefront needs before its first call: the shop's name and its publishable key. Nothing here is secret.
 */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http"

export const GET = async (req: MedusaRequest, res: MedusaResponse) => {
  const query = req.scope.resolve("query")
  const [stores, keys] = await Promise.all([
    query.graph({ entity: "store", fields: ["name"] }),
    query.graph({ entity: "api_key", fields: ["token", "revoked_at"], filters: { type: "publishable" } }),
  ])
  const key = keys.data.find((candidate) => !candidate.revoked_at)
  res.set("cache-control", "no-cache").json({ name: stores.data[0]?.name ?? "", publishableKey: key?.token ?? null })
}
