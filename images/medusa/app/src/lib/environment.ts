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
}

export function connection(): Connection {
  return {
    host: setting("DB_HOST"),
    port: Number(process.env.DB_PORT ?? "5432"),
    database: setting("DB_NAME"),
    user: setting("DB_USER"),
    password: secret("database-password"),
  }
}

/** The same as a URL, which is what Medusa takes. */
export function connectionUrl(): string {
  const { host, port, database, user, password } = connection()
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`
}
