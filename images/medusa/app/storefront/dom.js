// Elements without innerHTML: what a shop's owner or a visitor typed can only ever become text.

/** element("p", {class: "price"}, "text", child, ...); `onclick` and the like are listeners, true and false are present and absent. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value)
    else if (value === true) node.setAttribute(key, "")
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value)
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined))
  return node
}

/** Replaces the page, names it, and takes the focus there as a browser does for a new document. */
export function show(title, ...children) {
  const main = document.querySelector("main")
  main.replaceChildren(element("h1", {}, title), ...children.flat().filter(Boolean))
  document.title = document.querySelector(".brand").textContent + (title ? ` – ${title}` : "")
  main.focus({ preventScroll: true })
  window.scrollTo(0, 0)
}

let fading
/** Tells what happened, to the eye and to a screen reader. */
export function tell(message) {
  const status = document.getElementById("status")
  status.textContent = message
  clearTimeout(fading)
  fading = setTimeout(() => (status.textContent = ""), 4000)
}

export const money = (amount, currency) =>
  new Intl.NumberFormat(navigator.language, { style: "currency", currency: currency.toUpperCase() }).format(amount)

/** Disables a form's button while its work runs, and shows what went wrong beside it. */
export async function busy(form, work) {
  const button = form.querySelector("[type=submit]")
  const problem = form.querySelector("[role=alert]")
  problem.textContent = ""
  button.disabled = true
  try {
    await work()
  } catch (error) {
    problem.textContent = error.message
  } finally {
    button.disabled = false
  }
}
