// Looks at a shop as its visitor and as its administrator: page, admin, products, an order to its confirmation, the order's reading back.
// usage: node smoke-order.mjs URL, with ADMIN_EMAIL and ADMIN_PASSWORD, and ORDERS_BEFORE where there are orders already
import assert from "node:assert/strict"

const [base] = process.argv.slice(2)
const { ADMIN_EMAIL, ADMIN_PASSWORD } = process.env
const before = Number(process.env.ORDERS_BEFORE ?? 0)

async function request(method, path, { body, headers = {} } = {}) {
  const response = await fetch(base + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  })
  const text = await response.text()
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text.slice(0, 300)}`)
  return response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text
}

const page = await request("GET", "/")
assert.match(page, /<title>Smoke &#38; Sons<\/title>/)
for (const [, asset] of page.matchAll(/"(\/shop\/assets\/[^"]+)"/g)) await request("GET", asset)
for (const module of ["api.js", "dom.js", "shop.js", "checkout.js"]) await request("GET", `/shop/assets/${module}`)
assert.match(await request("GET", "/app"), /<div id="medusa"/)

const { publishableKey, name } = await request("GET", "/shop/config")
assert.equal(name, "Smoke & Sons")
const headers = { "x-publishable-api-key": publishableKey }
const store = (method, path, body) => request(method, `/store${path}`, { body, headers })

const [region] = (await store("GET", "/regions")).regions
const { products } = await store("GET", `/products?region_id=${region.id}&fields=*variants.calculated_price,+variants.inventory_quantity`)
assert.equal(products.length, 8)
for (const variant of products.flatMap((product) => product.variants)) {
  assert.ok(variant.calculated_price.calculated_amount > 0, `${variant.sku} has no price`)
  // Each order takes two shirts.
  assert.equal(variant.inventory_quantity, variant.sku === "TSHIRT-M" ? 100 - 2 * before : 100, variant.sku)
}

const variant = products.flatMap((product) => product.variants).find(({ sku }) => sku === "TSHIRT-M")
const { cart } = await store("POST", "/carts", { region_id: region.id, email: "ada@example.com" })
await store("POST", `/carts/${cart.id}/line-items`, { variant_id: variant.id, quantity: 2 })
const address = { first_name: "Ada", last_name: "L", address_1: "1 High Street", city: "Springfield", postal_code: "12345", country_code: "us" }
await store("POST", `/carts/${cart.id}`, { shipping_address: address, billing_address: address })
const { shipping_options } = await store("GET", `/shipping-options?cart_id=${cart.id}`)
assert.deepEqual(shipping_options.map(({ amount }) => amount).sort((a, b) => a - b), [5, 15])
const standard = shipping_options.find(({ amount }) => amount === 5)
await store("POST", `/carts/${cart.id}/shipping-methods`, { option_id: standard.id })
const { payment_collection } = await store("POST", "/payment-collections", { cart_id: cart.id })
await store("POST", `/payment-collections/${payment_collection.id}/payment-sessions`, { provider_id: "pp_system_default" })
const completed = await store("POST", `/carts/${cart.id}/complete`)
assert.equal(completed.type, "order")
assert.equal(completed.order.total, 64.98)

const { token } = await request("POST", "/auth/user/emailpass", { body: { email: ADMIN_EMAIL, password: ADMIN_PASSWORD } })
const authorization = { headers: { authorization: `Bearer ${token}` } }
const { orders } = await request("GET", "/admin/orders", authorization)
assert.equal(orders.length, before + 1)
assert.ok(orders.some(({ id }) => id === completed.order.id))
const { users } = await request("GET", "/admin/users", authorization)
assert.deepEqual(users.map(({ email }) => email), [ADMIN_EMAIL])

// The admin signs in with a cookie, which must come over plain http too.
const session = await fetch(`${base}/auth/session`, { method: "POST", headers: authorization.headers })
assert.match(session.headers.get("set-cookie") ?? "", /connect\.sid=/)

console.log(`smoke: order ${completed.order.display_id} of ${completed.order.total} ${completed.order.currency_code} placed and seen`)
