/**
 * The products a new shop starts with.
 *
 * Medusa makes a product in several transactions (product, stock items, prices, links). What a killed run left in between is neither
 * complete nor repaired by asking again, so a product that lacks a part is removed and made anew. That is safe because it happens
 * only before the store was ever finished: nobody can have ordered it.
 */
import type { MedusaContainer } from "@medusajs/framework/types"
import { ContainerRegistrationKeys, Modules, ProductStatus } from "@medusajs/framework/utils"
import { createInventoryLevelsWorkflow, createProductsWorkflow, deleteProductsWorkflow } from "@medusajs/medusa/core-flows"
import { CURRENCY, type Item, PRODUCTS, STOCK } from "./catalogue"

export interface Places {
  channel: string
  profile: string
  location: string
  collections: Map<string, string>
}

interface Found {
  id: string
  handle: string
  sales_channels?: { id: string }[]
  shipping_profile?: { id: string } | null
  variants?: { sku: string; prices?: unknown[]; inventory_items?: unknown[] }[]
}

const FIELDS = ["id", "handle", "sales_channels.id", "shipping_profile.id", "variants.sku", "variants.prices.amount", "variants.inventory_items.inventory_item_id"]

async function find(container: MedusaContainer): Promise<Found[]> {
  const filters = { handle: PRODUCTS.map((item) => item.handle) }
  const { data } = await container.resolve(ContainerRegistrationKeys.QUERY).graph({ entity: "product", fields: FIELDS, filters })
  return data as unknown as Found[]
}

const isComplete = (item: Item, found: Found | undefined): boolean =>
  found !== undefined &&
  Boolean(found.sales_channels?.length) &&
  Boolean(found.shipping_profile) &&
  item.variants.every(([, sku]) => {
    const variant = found.variants?.find((candidate) => candidate.sku === sku)
    return Boolean(variant?.prices?.length) && Boolean(variant?.inventory_items?.length)
  })

async function discard(container: MedusaContainer, items: Item[], found: Found[]): Promise<void> {
  const handles = new Set(items.map((item) => item.handle))
  const ids = found.filter((product) => handles.has(product.handle)).map((product) => product.id)
  if (ids.length) await deleteProductsWorkflow(container).run({ input: { ids } })
  // A stock item that was never linked to its variant stays behind, and its SKU is unique.
  const inventory = container.resolve(Modules.INVENTORY)
  const left = await inventory.listInventoryItems({ sku: items.flatMap((item) => item.variants.map(([, sku]) => sku)) }, { take: 100 })
  if (left.length) await inventory.deleteInventoryItems(left.map((entry) => entry.id))
}

const asInput = (item: Item, places: Places) => ({
  title: item.title,
  handle: item.handle,
  description: item.description,
  status: ProductStatus.PUBLISHED,
  collection_id: places.collections.get(item.collection),
  shipping_profile_id: places.profile,
  options: [{ title: item.option, values: item.variants.map(([value]) => value) }],
  variants: item.variants.map(([value, sku, amount]) => ({
    title: value,
    sku,
    manage_inventory: true,
    options: { [item.option]: value },
    prices: [{ currency_code: CURRENCY, amount }],
  })),
  sales_channels: [{ id: places.channel }],
})

export async function products(container: MedusaContainer, places: Places): Promise<void> {
  const found = await find(container)
  const missing = PRODUCTS.filter((item) => !isComplete(item, found.find((product) => product.handle === item.handle)))
  if (missing.length === 0) return
  await discard(container, missing, found)
  await createProductsWorkflow(container).run({ input: { products: missing.map((item) => asInput(item, places)) } })
}

export async function stock(container: MedusaContainer, location: string): Promise<void> {
  const skus = PRODUCTS.flatMap((item) => item.variants.map(([, sku]) => sku))
  const { data } = await container.resolve(ContainerRegistrationKeys.QUERY).graph({
    entity: "inventory_item",
    fields: ["id", "sku", "location_levels.id"],
    filters: { sku: skus },
  })
  const inventory_levels = data
    .filter((item) => !item.location_levels?.length)
    .map((item) => ({ inventory_item_id: item.id, location_id: location, stocked_quantity: STOCK }))
  if (inventory_levels.length) await createInventoryLevelsWorkflow(container).run({ input: { inventory_levels } })
}

/** The last look before the marker. */
export async function verifyProducts(container: MedusaContainer): Promise<void> {
  const found = await find(container)
  const lacking = PRODUCTS.filter((item) => !isComplete(item, found.find((product) => product.handle === item.handle)))
  if (lacking.length) throw new Error(`these products are not complete: ${lacking.map((item) => item.handle).join(", ")}`)
}
