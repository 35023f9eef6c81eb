// From a cart to a confirmed order: address, then shipping and the order, then the confirmation.
import * as api from "./api.js"
import { busy, element, money, show } from "./dom.js"
import { countItems, lineName, totals } from "./shop.js"

const field = (label, name, value, attributes = {}) =>
  element("label", {}, label, element("input", { name, value: value ?? "", required: true, ...attributes }))

export async function checkoutPage() {
  const cart = await api.cart()
  if (!cart?.items?.length) {
    location.hash = "#/cart"
    return
  }
  addressPage(cart)
}

function addressPage(cart) {
  const known = cart.shipping_address ?? {}
  const form = element("form", { onsubmit: (event) => {
    event.preventDefault()
    const { email, ...address } = Object.fromEntries(new FormData(form))
    busy(form, async () => {
      const updated = await api.setAddress(cart.id, email, address)
      await shippingPage(updated)
    })
  } },
    element("fieldset", {}, element("legend", {}, "Contact"),
      field("E-mail", "email", cart.email, { type: "email", autocomplete: "email" })),
    element("fieldset", {}, element("legend", {}, "Delivery address"),
      field("First name", "first_name", known.first_name, { autocomplete: "given-name" }),
      field("Last name", "last_name", known.last_name, { autocomplete: "family-name" }),
      field("Street and number", "address_1", known.address_1, { autocomplete: "street-address" }),
      field("Postal code", "postal_code", known.postal_code, { autocomplete: "postal-code" }),
      field("City", "city", known.city, { autocomplete: "address-level2" }),
      element("label", {}, "Country", element("select", { name: "country_code", autocomplete: "country", required: true },
        api.countries().map(({ code, name }) => element("option", { value: code, selected: code === known.country_code }, name))))),
    element("p", { class: "wrong", role: "alert" }),
    element("button", { type: "submit" }, "Go on to shipping"))
  show("Checkout: address", element("div", { class: "two" }, form, summary(cart)))
}

async function shippingPage(cart) {
  const options = await api.shippingOptions(cart.id)
  if (options.length === 0) throw new Error("There is no shipping to this address.")
  const form = element("form", { onsubmit: (event) => {
    event.preventDefault()
    busy(form, async () => {
      await api.setShipping(cart.id, new FormData(form).get("shipping"))
      confirmationPage(await api.placeOrder(cart.id))
    })
  } },
    element("fieldset", {}, element("legend", {}, "Shipping"), options.map((option, index) =>
      element("label", { class: "choice" },
        element("input", { type: "radio", name: "shipping", value: option.id, required: true, checked: index === 0 }),
        `${option.name}: ${money(option.amount, cart.currency_code)}`,
        option.type?.description ? element("span", { class: "quiet" }, option.type.description) : null))),
    element("fieldset", {}, element("legend", {}, "Payment"), element("p", {}, "You pay on agreement with the shop; nothing is charged now.")),
    element("p", { class: "wrong", role: "alert" }),
    element("button", { type: "submit" }, "Place the order"))
  show("Checkout: shipping", element("div", { class: "two" }, form, summary(cart)))
}

const summary = (cart) =>
  element("section", { "aria-label": "Your order" },
    element("h2", {}, "Your order"),
    element("ul", {}, cart.items.map((line) => element("li", {}, `${line.quantity} × ${lineName(line)}`))),
    totals(cart))

function confirmationPage(order) {
  countItems(null)
  show("Thank you",
    element("p", {}, "Your order number is ", element("strong", { id: "order-number" }, String(order.display_id)), "."),
    element("p", {}, `The shop will write to ${order.email}.`),
    summary(order),
    element("p", {}, element("a", { class: "button", href: "#/" }, "Go on shopping")))
}
