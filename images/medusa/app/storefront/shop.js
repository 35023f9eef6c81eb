// The pages before checkout: products, one product, cart.
import * as api from "./api.js"
import { busy, element, money, show, tell } from "./dom.js"

const PAGE = 24

const picture = (product) =>
  product.thumbnail
    ? element("img", { class: "picture", src: product.thumbnail, alt: "", loading: "lazy" })
    : element("div", { class: "picture", "aria-hidden": "true" }, product.title.slice(0, 1))

const priceOf = (variant) => variant.calculated_price

function priceText(product) {
  const prices = product.variants.map(priceOf).filter(Boolean)
  if (prices.length === 0) return "Not for sale here"
  const amounts = prices.map((price) => price.calculated_amount)
  const lowest = money(Math.min(...amounts), prices[0].currency_code)
  return Math.min(...amounts) === Math.max(...amounts) ? lowest : `from ${lowest}`
}

const card = (product) =>
  element("li", {},
    element("article", { class: "card" },
      element("a", { href: `#/product/${encodeURIComponent(product.handle)}` },
        picture(product),
        element("div", { class: "text" },
          element("h2", {}, product.title),
          element("p", { class: "price" }, priceText(product)),
          product.collection ? element("p", { class: "quiet" }, product.collection.title) : null))))

export async function productsPage() {
  const { products, count } = await api.products(0, PAGE)
  if (products.length === 0) return show("Products", element("p", {}, "There is nothing to buy yet."))
  const list = element("ul", { class: "grid" }, products.map(card))
  const more = element("button", { type: "button", onclick: async () => {
    const next = await api.products(list.children.length, PAGE)
    list.append(...next.products.map(card))
    more.hidden = list.children.length >= next.count
  } }, "Show more")
  more.hidden = products.length >= count
  show("Products", list, element("p", {}, more))
}

const available = (variant) => !variant.manage_inventory || variant.allow_backorder || variant.inventory_quantity > 0

export async function productPage(handle) {
  const product = await api.product(handle)
  if (!product) return show("Not found", element("p", {}, "This product is not sold here (any more)."))

  const choice = element("select", { name: "variant" }, product.variants.map((variant) =>
    element("option", { value: variant.id, disabled: !available(variant) || !priceOf(variant) },
      variant.title + (available(variant) ? "" : " (sold out)"))))
  const price = element("p", { class: "price", "aria-live": "polite" })
  const chosen = () => product.variants.find((variant) => variant.id === choice.value)
  const update = () => {
    const cost = chosen() && priceOf(chosen())
    price.textContent = cost ? money(cost.calculated_amount, cost.currency_code) : "Not for sale here"
  }
  choice.addEventListener("change", update)
  update()

  const quantity = element("input", { type: "number", name: "quantity", min: 1, max: 99, value: 1, required: true })
  const form = element("form", { onsubmit: (event) => {
    event.preventDefault()
    busy(form, async () => {
      countItems(await api.addToCart(choice.value, Number(quantity.value)))
      tell(`${product.title} is in the cart.`)
    })
  } },
    element("label", {}, product.options?.[0]?.title ?? "Variant", choice),
    price,
    element("label", {}, "Quantity", quantity),
    element("p", { class: "wrong", role: "alert" }),
    element("button", { type: "submit", disabled: !product.variants.some((variant) => available(variant) && priceOf(variant)) }, "Add to cart"))
  show(product.title, element("div", { class: "two" }, picture(product), element("div", {}, element("p", {}, product.description ?? ""), form)))
}

export function countItems(cart) {
  const count = (cart?.items ?? []).reduce((sum, line) => sum + line.quantity, 0)
  const badge = document.getElementById("cart-count")
  badge.textContent = count
  badge.hidden = count === 0
}

export const lineName = (line) => (line.variant_title ? `${line.product_title} (${line.variant_title})` : line.product_title)

export function totals(cart) {
  const row = (name, amount) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "number" }, money(amount, cart.currency_code)))
  return element("table", {}, element("tbody", {},
    row("Items", cart.item_subtotal ?? cart.item_total),
    cart.shipping_methods?.length ? row("Shipping", cart.shipping_total) : null,
    cart.tax_total ? row("Taxes", cart.tax_total) : null,
    row("Total", cart.total)))
}

export async function cartPage(given) {
  const cart = given ?? (await api.cart())
  countItems(cart)
  if (!cart?.items?.length) {
    return show("Cart", element("p", {}, "The cart is empty."), element("p", {}, element("a", { class: "button", href: "#/" }, "See the products")))
  }
  const change = (work) => async () => {
    try {
      await work()
    } catch (error) {
      tell(error.message)
    }
    await cartPage()
  }
  const lines = cart.items.map((line) => {
    const quantity = element("input", { type: "number", min: 1, max: 99, value: line.quantity, "aria-label": `Quantity of ${lineName(line)}` })
    quantity.addEventListener("change", change(() => api.setQuantity(cart.id, line.id, Math.max(1, Number(quantity.value)))))
    return element("tr", {},
      element("th", { scope: "row" }, lineName(line)),
      element("td", {}, quantity),
      element("td", { class: "number" }, money(line.unit_price * line.quantity, cart.currency_code)),
      element("td", {}, element("button", { type: "button", class: "plain", "aria-label": `Remove ${lineName(line)}`,
        onclick: change(() => api.removeLine(cart.id, line.id)) }, "Remove")))
  })
  show("Cart",
    element("div", { class: "scroll" }, element("table", {},
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, "Product"), element("th", { scope: "col" }, "Quantity"),
        element("th", { scope: "col", class: "number" }, "Price"), element("td", {}))),
      element("tbody", {}, lines))),
    totals(cart),
    element("p", {}, element("a", { class: "button", href: "#/checkout" }, "Check out")))
}
