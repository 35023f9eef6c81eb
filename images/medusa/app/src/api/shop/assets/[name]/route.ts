/**
 * GET /shop/assets/{name}: a script or style of the storefront, revalidated by its hash.
 */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http"
import { assets, SECURITY_HEADERS } from "../../../../lib/storefront"

export const GET = async (req: MedusaRequest, res: MedusaResponse) => {
  const asset = assets.get(req.params.name)
  if (!asset) {
    res.status(404).json({ type: "not_found", message: "There is no such file" })
    return
  }
  res.set({ ...SECURITY_HEADERS, "content-type": asset.type, "cache-control": "no-cache", etag: asset.etag })
  if (req.headers["if-none-match"] === asset.etag) res.status(304).end()
  else res.send(asset.body)
}
