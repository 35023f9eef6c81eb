/**
 * Medusa's configuration for one store.
 *
 * What always holds: secrets are read from files and are never in the environment. Without Redis there is one process per store, and events,
 * workflows, locks and sessions live in it; with it they live there, and a second process may do the work.
 */
import { defineConfig } from "@medusajs/framework/utils"
import { connection, connectionUrl, publicUrl, redisUrl, secret, uploadsDir, workerMode } from "./src/lib/environment"

const secure = publicUrl().startsWith("https:")
const redis = redisUrl()

const shared = (redisUrl: string) => [
  { resolve: "@medusajs/medusa/event-bus-redis", options: { redisUrl } },
  { resolve: "@medusajs/medusa/workflow-engine-redis", options: { redis: { redisUrl } } },
  {
    resolve: "@medusajs/medusa/locking",
    options: { providers: [{ resolve: "@medusajs/medusa/locking-redis", id: "locking-redis", is_default: true, options: { redisUrl } }] },
  },
]

module.exports = defineConfig({
  admin: { path: "/app", backendUrl: "/" },
  projectConfig: {
    databaseUrl: connectionUrl(),
    databaseDriverOptions: { connection: { ssl: connection().ssl }, pool: { min: 0, max: 12 } },
    workerMode: workerMode(),
    redisUrl: redis ?? undefined,
    // Storefront and admin are served from the shop's own origin. In production Medusa's cookie is "Secure", which a browser throws away
    // on plain http: the admin's sign-in would loop.
    cookieOptions: { secure, sameSite: "lax" },
    http: {
      storeCors: publicUrl(),
      adminCors: publicUrl(),
      authCors: publicUrl(),
      jwtSecret: secret("app-secret"),
      cookieSecret: secret("session-secret"),
    },
  },
  modules: [
    ...(redis ? shared(redis) : []),
    {
      resolve: "@medusajs/medusa/file",
      options: {
        providers: [
          {
            resolve: "@medusajs/medusa/file-local",
            id: "local",
            options: {
              upload_dir: `${uploadsDir()}/public`,
              // Exports hold customers' data. They must not lie below what is served to everybody.
              private_upload_dir: `${uploadsDir()}/private`,
              backend_url: `${publicUrl()}/static`,
            },
          },
        ],
      },
    },
  ],
})
