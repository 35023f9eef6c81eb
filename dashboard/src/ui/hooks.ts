import { useEffect, useState } from "react";
import { useSearchParams } from "../app/router";

/// `value`, once it has not changed for a moment.
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/// Filters that live in the address, so that a view can be kept, shared and gone back to.
export function useFilters<Name extends string>(): [(name: Name) => string, (changes: Partial<Record<Name, string>>) => void] {
  const [params, setParams] = useSearchParams();
  const get = (name: Name) => params.get(name) ?? "";
  const set = (changes: Partial<Record<Name, string>>) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes) as [string, string][]) {
          if (value) next.set(name, value);
          else next.delete(name);
        }
        return next;
      },
      { replace: true },
    );
  return [get, set];
}
