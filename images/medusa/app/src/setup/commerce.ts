/**
 * Everything an order needs before there are products: channel, currency, region, taxes, warehouse, shipping, publishable key.
 *
 * What always holds: each function looks before it makes, and finds what a killed run left half made: it completes or replaces it.
 */
import type { MedusaContainer } from "@medusajs/framework/types"
import { ContainerRegistrationKeys, Modules } from "@medusajs/framework/utils"
import {
  createApiKeysWorkflow,
  createCollectionsWorkflow,
  createRegionsWorkflow,
  createSalesChannelsWorkflow,
  createShippingOptionsWorkflow,
  createShippingProfilesWorkflow,
  createStockLocationsWorkflow,
  createTaxRegionsWorkflow,
  deleteShippingOptionsWorkflow,
  linkSalesChannelsToApiKeyWorkflow,
  linkSalesChannelsToStockLocationWorkflow,
  updateRegionsWorkflow,
  updateStoresWorkflow,
} from "@medusajs/medusa/core-flows"
import { storeName } from "../lib/environment"
import { COLLECTIONS, CURRENCY, REGION, SHIPPING } from "./catalogue"

const PAYMENT = "pp_system_default"
const FULFILMENT = "manual_manual"
const WAREHOUSE = "Warehouse"
const DELIVERY = "Delivery"

const graphOf = (container: MedusaContainer) => container.resolve(ContainerRegistrationKeys.QUERY)

export async function salesChannel(container: MedusaContainer): Promise<string> {
  const { data } = await graphOf(container).graph({ entity: "sales_channel", fields: ["id"], pagination: { take: 1, order: { created_at: "ASC" } } })
  if (data[0]) return data[0].id
  const input = { salesChannelsData: [{ name: "Online shop" }] }
  return (await createSalesChannelsWorkflow(container).run({ input })).result[0].id
}

export async function storeSettings(container: MedusaContainer, channel: string): Promise<void> {
  const [store] = await container.resolve(Modules.STORE).listStores({})
  await updateStoresWorkflow(container).run({
    input: {
      selector: { id: store.id },
      update: {
        name: storeName(),
        supported_currencies: [{ currency_code: CURRENCY, is_default: true }],
        default_sales_channel_id: channel,
      },
    },
  })
}

export async function region(container: MedusaContainer): Promise<string> {
  const { data } = await graphOf(container).graph({ entity: "region", fields: ["id", "payment_providers.id"], filters: { name: REGION.name } })
  const existing = data[0]
  if (!existing) {
    const input = { regions: [{ name: REGION.name, currency_code: CURRENCY, countries: REGION.countries, payment_providers: [PAYMENT] }] }
    return (await createRegionsWorkflow(container).run({ input })).result[0].id
  }
  if (!existing.payment_providers?.length) {
    await updateRegionsWorkflow(container).run({ input: { selector: { id: existing.id }, update: { payment_providers: [PAYMENT] } } })
  }
  return existing.id
}

export async function taxes(container: MedusaContainer): Promise<void> {
  const { data } = await graphOf(container).graph({ entity: "tax_region", fields: ["country_code"] })
  const known = new Set(data.map((entry) => entry.country_code))
  const input = REGION.countries.filter((code) => !known.has(code)).map((country_code) => ({ country_code, provider_id: "tp_system" }))
  if (input.length) await createTaxRegionsWorkflow(container).run({ input })
}

export async function warehouse(container: MedusaContainer, channel: string): Promise<string> {
  const { data } = await graphOf(container).graph({ entity: "stock_location", fields: ["id"], filters: { name: WAREHOUSE } })
  const location =
    data[0] ??
    (
      await createStockLocationsWorkflow(container).run({
        input: { locations: [{ name: WAREHOUSE, address: { address_1: "To be filled in", country_code: REGION.countries[0] } }] },
      })
    ).result[0]
  await linkSalesChannelsToStockLocationWorkflow(container).run({ input: { id: location.id, add: [channel] } })
  await container.resolve(ContainerRegistrationKeys.LINK).create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
    [Modules.FULFILLMENT]: { fulfillment_provider_id: FULFILMENT },
  })
  return location.id
}

export async function shippingProfile(container: MedusaContainer): Promise<string> {
  const [existing] = await container.resolve(Modules.FULFILLMENT).listShippingProfiles({ type: "default" })
  if (existing) return existing.id
  return (await createShippingProfilesWorkflow(container).run({ input: { data: [{ name: "Default", type: "default" }] } })).result[0].id
}

async function deliveryZone(container: MedusaContainer, location: string): Promise<string> {
  const fulfilment = container.resolve(Modules.FULFILLMENT)
  const [existing] = await fulfilment.listFulfillmentSets({ name: DELIVERY }, { relations: ["service_zones"] })
  // One call of the module is one transaction: a set without its zone cannot be left behind.
  const set =
    existing ??
    (await fulfilment.createFulfillmentSets({
      name: DELIVERY,
      type: "shipping",
      service_zones: [{ name: REGION.name, geo_zones: REGION.countries.map((country_code) => ({ type: "country" as const, country_code })) }],
    }))
  await container.resolve(ContainerRegistrationKeys.LINK).create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location },
    [Modules.FULFILLMENT]: { fulfillment_set_id: set.id },
  })
  return set.service_zones[0].id
}

export async function shipping(container: MedusaContainer, location: string, profile: string, regionId: string): Promise<void> {
  const zone = await deliveryZone(container, location)
  for (const option of SHIPPING) {
    const { data } = await graphOf(container).graph({
      entity: "shipping_option",
      fields: ["id", "prices.amount"],
      filters: { name: option.name },
    })
    if (data.length === 1 && (data[0] as { prices?: unknown[] }).prices?.length) continue
    if (data.length) await deleteShippingOptionsWorkflow(container).run({ input: { ids: data.map((entry) => entry.id) } })
    await createShippingOptionsWorkflow(container).run({
      input: [
        {
          name: option.name,
          price_type: "flat",
          provider_id: FULFILMENT,
          service_zone_id: zone,
          shipping_profile_id: profile,
          type: { label: option.name, description: option.description, code: option.code },
          prices: [
            { currency_code: CURRENCY, amount: option.amount },
            { region_id: regionId, amount: option.amount },
          ],
          rules: [
            { attribute: "enabled_in_store", value: "true", operator: "eq" },
            { attribute: "is_return", value: "false", operator: "eq" },
          ],
        },
      ],
    })
  }
}

export async function publishableKey(container: MedusaContainer, channel: string): Promise<void> {
  const { data } = await graphOf(container).graph({ entity: "api_key", fields: ["id"], filters: { type: "publishable" } })
  const key =
    data[0] ??
    (await createApiKeysWorkflow(container).run({ input: { api_keys: [{ title: "Storefront", type: "publishable", created_by: "" }] } })).result[0]
  await linkSalesChannelsToApiKeyWorkflow(container).run({ input: { id: key.id, add: [channel] } })
}

/** Ids by handle. */
export async function collections(container: MedusaContainer): Promise<Map<string, string>> {
  const read = async () =>
    (await graphOf(container).graph({ entity: "product_collection", fields: ["id", "handle"] })).data as { id: string; handle: string }[]
  const known = new Set((await read()).map((entry) => entry.handle))
  const missing = COLLECTIONS.filter((entry) => !known.has(entry.handle))
  if (missing.length) await createCollectionsWorkflow(container).run({ input: { collections: missing } })
  return new Map((await read()).map((entry) => [entry.handle, entry.id]))
}
