/// Who works here, for which organisation, and what they may do: the table of roles in `docs/API.md`. The server decides; this only
/// spares people a refusal.
import { createContext, useContext } from "react";
import type { OrganisationMembership, Role, User } from "../api/types";

interface Me {
  user: User;
  organisations: OrganisationMembership[];
  organisation: OrganisationMembership | null;
}

export const MeContext = createContext<Me | null>(null);

export function useSelf(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error("outside the shell");
  return me;
}

export type Action = "stores:create" | "stores:change" | "stores:delete" | "credentials:read" | "audit:read" | "members:write" | "owners:write" | "organisation:rename" | "organisation:delete";

const DEVELOPER: readonly Action[] = ["stores:create", "stores:change", "audit:read"];
const ADMIN: readonly Action[] = [...DEVELOPER, "stores:delete", "credentials:read", "members:write", "organisation:rename"];
const MAY: Record<Role, readonly Action[]> = { owner: [...ADMIN, "owners:write", "organisation:delete"], admin: ADMIN, developer: DEVELOPER, viewer: [] };

/// What platform administrators may do whatever they are in an organisation, also to what others own.
export const EVERYWHERE: readonly Action[] = ["stores:change", "stores:delete", "audit:read"];

export function may(role: Role | undefined, action: Action): boolean {
  // A server without organisations: everybody owns what they see.
  return role === undefined || (MAY[role] ?? []).includes(action);
}

export function useMay(action: Action): boolean {
  const { user, organisation } = useSelf();
  return may(organisation?.role, action) || (user.role === "admin" && EVERYWHERE.includes(action));
}
