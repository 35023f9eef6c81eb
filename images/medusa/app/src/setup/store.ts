/**
 * The part of the set-up that runs inside Medusa (`medusa exec`): from a migrated database to a shop that takes orders.
 *
 * What always holds: every step can be repeated, after a kill at any point; the report names each finished step and the one that failed.
 */
import { writeFileSync } from "node:fs"
import type { MedusaContainer } from "@medusajs/framework/types"
import { administrator } from "./administrator"
import { collections, publishableKey, region, salesChannel, shipping, shippingProfile, storeSettings, taxes, warehouse } from "./commerce"
import { products, stock, verifyProducts } from "./products"
import { done, type StepTime } from "./report"

export default async function store({ container }: { container: MedusaContainer }): Promise<void> {
  const steps: StepTime[] = []
  const file = process.env.SETUP_REPORT
  if (!file) throw new Error("the environment variable SETUP_REPORT is missing; store-medusa setup sets it")
  const report = (failure?: { step: string; reason: string }) =>
    writeFileSync(file, JSON.stringify({ steps, failed: failure }))

  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = Date.now()
    try {
      const result = await work()
      steps.push(done({ name, ms: Date.now() - started }))
      report()
      return result
    } catch (error) {
      report({ step: name, reason: (error as Error).message })
      throw error
    }
  }

  await step("administrator", () => administrator(container))
  if (process.env.SETUP_MODE === "password") return

  const channel = await step("sales-channel", () => salesChannel(container))
  await step("store", () => storeSettings(container, channel))
  const regionId = await step("region", () => region(container))
  await step("taxes", () => taxes(container))
  const location = await step("warehouse", () => warehouse(container, channel))
  const profile = await step("shipping-profile", () => shippingProfile(container))
  await step("shipping", () => shipping(container, location, profile, regionId))
  await step("publishable-key", () => publishableKey(container, channel))
  const byHandle = await step("collections", () => collections(container))
  await step("products", () => products(container, { channel, profile, location, collections: byHandle }))
  await step("stock", () => stock(container, location))
  await step("verify", () => verifyProducts(container))
}
