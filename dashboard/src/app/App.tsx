/// What stands around every page: data, colours, routes, messages.
import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { onBack } from "../api/connection";
import { asApiError } from "../api/errors";
import { keys, retryUnlessMissing } from "../api/queries";
import { resume, session } from "../api/session";
import { Toasts } from "../ui/toasts";
import { ErrorBoundary } from "./ErrorBoundary";
import { Pages } from "./routes";
import { theme, variables } from "./theme";

export function makeClient(): QueryClient {
  // Who is refused may be something else here than they were when they came.
  const refused = (error: unknown) => {
    if (asApiError(error).status === 403) void client.invalidateQueries({ queryKey: keys.me() });
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (asApiError(error).status === -1) console.error(error);
        refused(error);
      },
    }),
    mutationCache: new MutationCache({ onError: refused }),
    defaultOptions: {
      queries: {
        staleTime: 4_000,
        retry: retryUnlessMissing,
        retryDelay: (count) => Math.min(1000 * 2 ** count, 10_000),
        // The browser's word about being online is a hint; ours is whether the server answers.
        networkMode: "always",
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
  return client;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export function App() {
  const [client] = useState(makeClient);
  useEffect(() => {
    void resume(pause);
    const forget = onBack(() => void client.invalidateQueries());
    // What one person has seen is not the next one's.
    let user: string | null = null;
    const leave = session.subscribe(() => {
      const state = session.get();
      const now = state.kind === "signed-in" || state.kind === "expired" ? state.user.id : null;
      if (user !== null && now !== user) client.clear();
      else if (state.kind === "signed-in") void client.invalidateQueries();
      user = now;
    });
    return () => {
      forget();
      leave();
    };
  }, [client]);
  // All variables come from the theme: a file with the defaults would be loaded only to be overridden.
  return (
    <MantineProvider deduplicateCssVariables={false} theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <ErrorBoundary>
          <Pages />
        </ErrorBoundary>
        <Toasts />
      </QueryClientProvider>
    </MantineProvider>
  );
}
