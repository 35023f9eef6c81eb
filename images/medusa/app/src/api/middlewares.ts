/**
 * Who may call our own routes: everything is public but administrators' files.
 */
import { authenticate, defineMiddlewares } from "@medusajs/framework/http"

export default defineMiddlewares({
  routes: [{ matcher: "/static/*", middlewares: [authenticate("user", ["session", "bearer"])] }],
})
