/// A component with everything around it that pages have.
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { makeClient } from "../app/App";
import { MeContext } from "../app/me";
import { theme } from "../app/theme";
import { signedIn } from "../api/session";
import type { Role, Store, User } from "../api/types";
import { Toasts } from "../ui/toasts";
import { signedInAs, USER } from "./server";

export function show(page: ReactNode, role: Role = "owner", user: User = USER) {
  signedIn(signedInAs("token"));
  const organisation = { id: "o1", name: "Tea", personal: false, role };
  return render(
    <MantineProvider env="test" theme={theme}>
      <QueryClientProvider client={makeClient()}>
        <MeContext value={{ user, organisations: [organisation], organisation }}>{page}</MeContext>
        <Toasts />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

export function store(changes: Partial<Store> = {}): Store {
  return {
    id: "store-1a2b3c4d",
    name: "teashop",
    engine: "medusa",
    status: "ready",
    theme: null,
    urls: { storefront: "http://teashop.localhost", admin: "http://teashop.localhost/app" },
    namespace: "store-1a2b3c4d",
    isCredentialOwner: true,
    failureReason: null,
    retryCount: 0,
    provisioningDurationMs: 42_000,
    createdAt: "2026-11-25T10:00:00.000Z",
    updatedAt: "2026-11-25T10:01:00.000Z",
    host: "teashop.localhost",
    engineNote: null,
    failure: null,
    operation: null,
    ...changes,
  };
}
