/**
 * What the container is told: by environment what is public, by files what is secret.
 *
 * What always holds: a missing setting names itself. At image build time BUILD_TIME=1 stands in for all of them.
 */
import { readFileSync } from "node:fs"

const building = process.env.BUILD_TIME === "1"

function setting(name: string): string {
  const value = process.env[name]
  if (value) return value
  if (building) return "build-time"
  throw new Error(`the environment variable ${name} is missing`)
}

/** The value of one key of the store's Secret. */
export function secret(key: string): string {
  if (building) return "build-time"
  const path = `${process.env.SECRETS_DIR ?? "/run/store-secrets"}/${key}`
  const value = readFileSync(path, "utf8").replace(/\r?\n$/, "")
  if (!value) throw new Error(`the secret file ${path} is empty`)
  return value
}

/** The same for a key that is there only at times; null when it is not. */
export function secretIfAny(key: string): string | null {
  if (building) return null
  try {
    return secret(key)
  } catch {
    return null
  }
}

/** Scheme, host and port as a browser sees them, without a slash at the end. */
export const publicUrl = (): string => (building ? "http://localhost" : setting("PUBLIC_URL").replace(/\/+$/, ""))

export const storeName = (): string => setting("STORE_NAME")

export const uploadsDir = (): string => process.env.UPLOADS_DIR ?? "/srv/uploads"

export interface Connection {
  host: string
  port: number
  database: string
  user: string
  password: string
  ssl: false | { rejectUnauthorized: boolean }
}

export function connection(): Connection {
  if (process.env.DATABASE_URL_FILE && !building) return ofUrl(readFileSync(process.env.DATABASE_URL_FILE, "utf8").trim())
  return {
    host: setting("DB_HOST"),
    port: Number(process.env.DB_PORT ?? "5432"),
    database: setting("DB_NAME"),
    user: setting("DB_USER"),
    password: secret("database-password"),
    ssl: false,
  }
}

/** A managed database: postgres://user:password@host:port/name?sslmode=disable|require|verify-full; without a word it is `require`. */
function ofUrl(text: string): Connection {
  const url = URL.canParse(text) ? new URL(text) : null
  const mode = url?.searchParams.get("sslmode") ?? "require"
  const database = decodeURIComponent(url?.pathname.slice(1) ?? "")
  // The text is a secret: what is wrong with it is said without it.
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || !url.hostname || !database || !["disable", "require", "verify-full"].includes(mode)) {
    throw new Error(`${process.env.DATABASE_URL_FILE} holds no postgres://user:password@host:port/name?sslmode=disable|require|verify-full`)
  }
  return {
    host: url.hostname,
    port: Number(url.port || "5432"),
    database,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ssl: mode === "disable" ? false : { rejectUnauthorized: mode === "verify-full" },
  }
}

/** Where Redis is, with its password; null where there is none. */
export function redisUrl(): string | null {
  const file = process.env.REDIS_URL_FILE
  if (!file || building) return null
  const text = readFileSync(file, "utf8").trim()
  // The text is a secret: what is wrong with it is said without it.
  if (!URL.canParse(text) || !/^rediss?:$/.test(new URL(text).protocol)) {
    throw new Error(`${file} holds no redis://user:password@host:port/number or rediss://...`)
  }
  return text
}

const WORKER_MODES = ["shared", "server", "worker"] as const

/** Whether this process answers requests, runs workflows and events, or does both. */
export function workerMode(): (typeof WORKER_MODES)[number] {
  const mode = WORKER_MODES.find((known) => known === (process.env.WORKER_MODE || "shared"))
  if (!mode) throw new Error(`WORKER_MODE must be one of ${WORKER_MODES.join(", ")}`)
  return mode
}

/** The same as a URL, which is what Medusa takes. */
export function connectionUrl(): string {
  const { host, port, database, user, password } = connection()
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`
}
