/// Turns the stream of events into what is on the screen, and says what somebody waits for.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { follow } from "../api/live";
import { invalidate, keys } from "../api/queries";
import type { LiveEvent, Store, StorePage } from "../api/types";
import { tell } from "../ui/toasts";

/// Events come in handfuls: what they changed is asked for once.
const GATHER_MS = 120;

export function Live({ channel }: { channel: string }) {
  const client = useQueryClient();
  useEffect(() => {
    const stores = new Set<string>();
    const operations = new Set<string>();
    let audit = false;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const nameOf = (id: string): string => {
      const one = client.getQueryData<Store>(keys.store(id));
      if (one) return one.name;
      const pages = client.getQueriesData<StorePage>({ queryKey: keys.stores() });
      return pages.flatMap(([, page]) => page?.stores ?? []).find((store) => store.id === id)?.name ?? id;
    };
    const announce = (event: LiveEvent) => {
      if (event.type !== "store" || !event.storeId) return;
      const name = nameOf(event.storeId);
      if (event.status === "ready") tell("good", `${name} is ready`);
      if (event.status === "failed") tell("bad", `${name} failed`, event.failure?.message ?? event.message);
      if (event.status === "deleted") tell("info", `${name} is deleted`);
    };
    const stop = follow(channel, (event) => {
      if (event.storeId) stores.add(event.storeId);
      if (event.operationId) operations.add(event.operationId);
      audit = true;
      announce(event);
      timer ??= setTimeout(() => {
        timer = undefined;
        invalidate(client, stores, operations, audit);
        stores.clear();
        operations.clear();
        audit = false;
      }, GATHER_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [client, channel]);
  return null;
}
