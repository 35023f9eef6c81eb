/**
 * The shop's administrator: one user with the e-mail and password of the store's Secret.
 *
 * Not `medusa user`: that makes the user first and the credentials after, and when it is killed in between its repetition refuses,
 * which leaves an administrator who can never sign in.
 */
import type { MedusaContainer } from "@medusajs/framework/types"
import { ContainerRegistrationKeys, Modules } from "@medusajs/framework/utils"
import { createUsersWorkflow } from "@medusajs/medusa/core-flows"
import { secret } from "../lib/environment"

const PROVIDER = "emailpass"

export async function administrator(container: MedusaContainer): Promise<void> {
  const email = secret("admin-email")
  const password = secret("admin-password")
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const auth = container.resolve(Modules.AUTH)

  const { data: users } = await query.graph({ entity: "user", fields: ["id"], filters: { email } })
  const user = users[0] ?? (await createUsersWorkflow(container).run({ input: { users: [{ email }] } })).result[0]

  const identities = () => auth.listProviderIdentities({ entity_id: email, provider: PROVIDER })
  const [existing] = await identities()
  const outcome = existing
    ? await auth.updateProvider(PROVIDER, { entity_id: email, password })
    : await auth.register(PROVIDER, { body: { email, password } })
  if (!outcome.success) throw new Error(`the administrator's password was refused: ${outcome.error}`)

  const [identity] = await identities()
  if (!identity?.auth_identity_id) throw new Error("the administrator has no identity to sign in with")
  await auth.updateAuthIdentities({ id: identity.auth_identity_id, app_metadata: { user_id: user.id } })

  const signedIn = await auth.authenticate(PROVIDER, { body: { email, password } })
  if (!signedIn.success) throw new Error(`the administrator cannot sign in: ${signedIn.error}`)
}
