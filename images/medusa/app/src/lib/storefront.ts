/**
 * The storefront's files, read once. They are few and small; a request for anything else is not a file lookup.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"

export interface Asset {
  type: string
  body: string
  etag: string
}

const DIRECTORY = join(process.cwd(), "storefront")

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
}

function load(name: string): Asset {
  const body = readFileSync(join(DIRECTORY, name), "utf8")
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`
  return { type: TYPES[name.split(".").pop() ?? ""], body, etag }
}

export const page = load("index.html")

export const assets = new Map(
  ["style.css", "app.js", "api.js", "dom.js", "shop.js", "checkout.js"].map((name) => [name, load(name)]),
)

/** Scripts and styles only from here: a product's description cannot bring its own. */
export const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' https: data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "strict-origin-when-cross-origin",
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
