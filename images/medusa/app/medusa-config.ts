/**
 * Medusa's configuration for one store.
 *
 * What always holds: secrets are read from the files of the store's Secret and are never in the environment; there is one process per
 * store, so events, cache and sessions live in it and Redis is not needed.
 */
import { defineConfig } from "@medusajs/framework/utils"
import { connection, connectionUrl, publicUrl, secret, uploadsDir } from "./src/lib/environment"

const secure = publicUrl().startsWith("https:")

module.exports = defineConfig({
  admin: { path: "/app", backendUrl: "/" },
  projectConfig: {
    databaseUrl: connectionUrl(),
    databaseDriverOptions: { connection: { ssl: connection().ssl }, pool: { min: 0, max: 12 } },
    workerMode: "shared",
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
