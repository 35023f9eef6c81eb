// Medusa's store API: same origin, with the shop's publishable key.
//
// The cart's id is kept in this browser. A cart that is gone or was already ordered is forgotten and begun anew.

const CART = "cart"
let config
let region

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { "content-type": "application/json", "x-publishable-api-key": config?.publishableKey ?? "" },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) {
    const error = new Error(answer.message || "The shop did not answer as it should. Please try again.")
    error.status = response.status
    throw error
  }
  return answer
}

const get = (path) => call("GET", path)
const post = (path, body = {}) => call("POST", path, body)

export async function start() {
  config = await get("/shop/config")
  region = (await get("/store/regions")).regions[0]
  return { name: config.name, region }
}

export const countries = () => region.countries.map(({ iso_2, display_name }) => ({ code: iso_2, name: display_name }))

const FIELDS = "*variants.calculated_price,+variants.inventory_quantity,*variants.options,*collection"
const catalogue = (more) => get(`/store/products?region_id=${region.id}&fields=${FIELDS}&${more}`)

export const products = async (offset, limit) => catalogue(`limit=${limit}&offset=${offset}&order=created_at`)
export const product = async (handle) => (await catalogue(`handle=${encodeURIComponent(handle)}`)).products[0]

export async function cart() {
  const id = localStorage.getItem(CART)
  if (!id) return null
  try {
    const { cart } = await get(`/store/carts/${id}`)
    if (!cart.completed_at) return cart
  } catch (error) {
    if (error.status !== 404) throw error
  }
  localStorage.removeItem(CART)
  return null
}

export async function addToCart(variant, quantity) {
  let current = await cart()
  if (!current) {
    current = (await post("/store/carts", { region_id: region.id })).cart
    localStorage.setItem(CART, current.id)
  }
  return (await post(`/store/carts/${current.id}/line-items`, { variant_id: variant, quantity })).cart
}

export const setQuantity = async (cart, line, quantity) => (await post(`/store/carts/${cart}/line-items/${line}`, { quantity })).cart
export const removeLine = async (cart, line) => (await call("DELETE", `/store/carts/${cart}/line-items/${line}`)).parent

export const setAddress = async (cart, email, address) =>
  (await post(`/store/carts/${cart}`, { email, shipping_address: address, billing_address: address })).cart

export const shippingOptions = async (cart) => (await get(`/store/shipping-options?cart_id=${cart}`)).shipping_options
export const setShipping = async (cart, option) => (await post(`/store/carts/${cart}/shipping-methods`, { option_id: option })).cart

/** Payment is settled with the merchant by hand: the session is Medusa's own "system" provider, or the first that the region has. */
export async function placeOrder(cart) {
  const { payment_providers } = await get(`/store/payment-providers?region_id=${region.id}`)
  const { payment_collection } = await post("/store/payment-collections", { cart_id: cart })
  await post(`/store/payment-collections/${payment_collection.id}/payment-sessions`, { provider_id: payment_providers[0].id })
  const answer = await post(`/store/carts/${cart}/complete`)
  if (answer.type !== "order") throw new Error(answer.error?.message || "The order could not be placed. Please check the cart.")
  localStorage.removeItem(CART)
  return answer.order
}
