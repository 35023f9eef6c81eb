import type { Role } from "../../api/types";
import { ROLES } from "../../ui/words";

const ALL: readonly Role[] = ["owner", "admin", "developer", "viewer"];

/// The roles that somebody may give: nobody makes an owner but an owner. What somebody has is always among them.
export function choosable(own: Role, current?: Role): { value: string; label: string }[] {
  const given = ALL.filter((role) => role !== "owner" || own === "owner" || current === "owner");
  return given.map((value) => ({ value, label: ROLES[value].name }));
}
