/**
 * What a new shop sells, where to, and what shipping costs. Amounts are in the currency's main unit, as Medusa v2 has them.
 */
export const CURRENCY = "usd"

export const REGION = { name: "North America", countries: ["us", "ca", "gb"] }

export const SHIPPING = [
  { name: "Standard shipping", code: "standard", description: "Arrives in 3 to 5 days", amount: 5 },
  { name: "Express shipping", code: "express", description: "Arrives on the next working day", amount: 15 },
]

export const COLLECTIONS = [
  { title: "Summer Collection", handle: "summer-collection" },
  { title: "Best Sellers", handle: "best-sellers" },
  { title: "New Arrivals", handle: "new-arrivals" },
]

/** Of each variant, at the one warehouse. */
export const STOCK = 100

export interface Item {
  title: string
  handle: string
  collection: string
  description: string
  option: string
  /** The option's value, the end of the SKU, the price. */
  variants: [value: string, sku: string, amount: number][]
}

const sameForAll = (amount: number, values: [string, string][]): Item["variants"] => values.map(([value, sku]) => [value, sku, amount])

export const PRODUCTS: Item[] = [
  {
    title: "Classic Cotton T-Shirt",
    handle: "classic-cotton-t-shirt",
    collection: "summer-collection",
    description: "Combed cotton, straight cut, a collar that keeps its shape. The shirt to reach for first.",
    option: "Size",
    variants: sameForAll(29.99, [["S", "TSHIRT-S"], ["M", "TSHIRT-M"], ["L", "TSHIRT-L"]]),
  },
  {
    title: "Slim Fit Denim Jeans",
    handle: "slim-fit-denim-jeans",
    collection: "best-sellers",
    description: "Dark denim with a little stretch. Narrow at the leg, easy at the waist.",
    option: "Waist",
    variants: sameForAll(79.99, [["30", "JEANS-30"], ["32", "JEANS-32"], ["34", "JEANS-34"]]),
  },
  {
    title: "Leather Crossbody Bag",
    handle: "leather-crossbody-bag",
    collection: "new-arrivals",
    description: "Full-grain leather, one zipped pocket, room for a day's small things.",
    option: "Colour",
    variants: sameForAll(129.99, [["Black", "BAG-BLACK"], ["Brown", "BAG-BROWN"]]),
  },
  {
    title: "Wireless Bluetooth Headphones",
    handle: "wireless-bluetooth-headphones",
    collection: "best-sellers",
    description: "Closed back, soft pads, thirty hours between charges.",
    option: "Colour",
    variants: sameForAll(199.99, [["Black", "HEADPHONES-BLACK"], ["White", "HEADPHONES-WHITE"]]),
  },
  {
    title: "Canvas Sneakers",
    handle: "canvas-sneakers",
    collection: "summer-collection",
    description: "Light canvas on a rubber sole. They wash well.",
    option: "Size",
    variants: sameForAll(59.99, [["8", "SNEAKERS-8"], ["9", "SNEAKERS-9"], ["10", "SNEAKERS-10"]]),
  },
  {
    title: "Stainless Steel Watch",
    handle: "stainless-steel-watch",
    collection: "new-arrivals",
    description: "Brushed steel, a quiet movement, water-tight to fifty metres.",
    option: "Strap",
    variants: [["Steel", "WATCH-STEEL", 249.99], ["Leather", "WATCH-LEATHER", 229.99]],
  },
  {
    title: "Organic Cotton Hoodie",
    handle: "organic-cotton-hoodie",
    collection: "best-sellers",
    description: "Heavy organic cotton, brushed inside, with a hood that stays up.",
    option: "Size",
    variants: sameForAll(69.99, [["S", "HOODIE-S"], ["M", "HOODIE-M"], ["L", "HOODIE-L"]]),
  },
  {
    title: "Portable Power Bank",
    handle: "portable-power-bank",
    collection: "new-arrivals",
    description: "Charges two things at once and fits a coat pocket.",
    option: "Capacity",
    variants: [["10000 mAh", "POWERBANK-10", 34.99], ["20000 mAh", "POWERBANK-20", 49.99]],
  },
]
