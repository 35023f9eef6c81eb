// The storefront's start and its pages by the address's fragment. No build, no dependency.
import * as api from "./api.js"
import { checkoutPage } from "./checkout.js"
import { element, show } from "./dom.js"
import { cartPage, countItems, productPage, productsPage } from "./shop.js"

const PAGES = [
  [/^#?\/?$/, () => productsPage()],
  [/^#\/product\/([^/]+)$/, (handle) => productPage(decodeURIComponent(handle))],
  [/^#\/cart$/, () => cartPage()],
  [/^#\/checkout$/, () => checkoutPage()],
]

async function route() {
  for (const [pattern, page] of PAGES) {
    const match = location.hash.match(pattern)
    if (match) return attempt(() => page(...match.slice(1)))
  }
  show("Not found", element("p", {}, "There is no such page."), element("p", {}, element("a", { href: "#/" }, "See the products")))
}

async function attempt(work) {
  try {
    await work()
  } catch (error) {
    show("That did not work", element("p", { class: "wrong", role: "alert" }, error.message),
      element("p", {}, element("button", { type: "button", onclick: () => location.reload() }, "Try again")))
  }
}

// The fragment is the page here, so the skip link must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault()
  document.querySelector("main").focus()
})

await attempt(async () => {
  await api.start()
  countItems(await api.cart())
  addEventListener("hashchange", route)
  await route()
})
