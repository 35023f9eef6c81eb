/// The organisation that this tab works for. Its id is no secret: a new tab begins where the last one was.
import { signal } from "./signal";

const KEY = "shopwright.organisation";

function remembered(): string | null {
  try {
    return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const activeOrganisation = signal<string | null>(remembered());

export function chooseOrganisation(id: string | null): void {
  activeOrganisation.set(id);
  try {
    for (const storage of [sessionStorage, localStorage]) {
      if (id) storage.setItem(KEY, id);
      else storage.removeItem(KEY);
    }
  } catch {
    // Without storage every tab begins with the personal organisation.
  }
}
