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

export type Action = "stores:write" | "stores:delete" | "credentials:read" | "audit:read" | "members:write" | "organisation:rename" | "organisation:delete";

const MAY: Record<Role, readonly Action[]> = {
  owner: ["stores:write", "stores:delete", "credentials:read", "audit:read", "members:write", "organisation:rename", "organisation:delete"],
  admin: ["stores:write", "stores:delete", "credentials:read", "audit:read", "members:write", "organisation:rename"],
  developer: ["stores:write", "audit:read"],
  viewer: [],
};

export function may(role: Role | undefined, action: Action): boolean {
  // A server without organisations: everybody owns what they see.
  return role === undefined || (MAY[role] ?? []).includes(action);
}

export function useMay(action: Action): boolean {
  return may(useSelf().organisation?.role, action);
}
