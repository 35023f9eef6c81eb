/// Which page stands at which path. Each is loaded when it is first needed.
import { lazy, Suspense, type ComponentType } from "react";
import { Redirect, Route, Switch } from "wouter";
import { session } from "../api/session";
import { useSignal } from "../api/signal";
import { Waiting } from "../ui/page";
import { Connecting } from "./Connecting";
import { usePath, useQueryString } from "./router";

/// The page `name` of a module that is loaded on demand.
function page<Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) {
  return lazy(async () => ({ default: (await load())[name] }));
}

const SignIn = page(() => import("../features/gate/SignIn"), "SignIn");
const Register = page(() => import("../features/gate/Register"), "Register");
const Invitation = page(() => import("../features/gate/Invitation"), "Invitation");
const Home = page(() => import("../features/home/Home"), "Home");
const Stores = page(() => import("../features/stores/Stores"), "Stores");
const NewStore = page(() => import("../features/stores/NewStore"), "NewStore");
const StorePage = page(() => import("../features/store/StorePage"), "StorePage");
const Operations = page(() => import("../features/operations/Operations"), "Operations");
const Audit = page(() => import("../features/audit/Audit"), "Audit");
const Organisation = page(() => import("../features/organisation/Organisation"), "Organisation");
const Account = page(() => import("../features/account/Account"), "Account");
const Platform = page(() => import("../features/platform/Platform"), "Platform");
const NotFound = page(() => import("../features/errors/NotFound"), "NotFound");
const Shell = lazy(() => import("./Shell").then(({ Shell: frame }) => ({ default: frame })));

export function Pages() {
  const state = useSignal(session);
  if (state.kind === "unknown") return <Connecting />;
  const signedIn = state.kind === "signed-in" || state.kind === "expired";
  return (
    <Suspense fallback={<Loading />}>
      <Switch>
        <Route path="/sign-in">{signedIn ? <Onward /> : <SignIn />}</Route>
        <Route path="/register">{signedIn ? <Onward /> : <Register />}</Route>
        <Route path="/invitation">
          <Invitation />
        </Route>
        <Route>
          {signedIn ? (
            <Shell>
              <Inside />
            </Shell>
          ) : (
            <ToSignIn />
          )}
        </Route>
      </Switch>
    </Suspense>
  );
}

function Inside() {
  return (
    <Switch>
      <Route path="/" component={Home} />
      <Route path="/stores" component={Stores} />
      <Route path="/stores/new" component={NewStore} />
      <Route path="/stores/:id" component={StorePage} />
      <Route path="/operations" component={Operations} />
      <Route path="/audit" component={Audit} />
      <Route path="/organisation" component={Organisation} />
      <Route path="/account" component={Account} />
      <Route path="/platform" component={Platform} />
      <Route component={NotFound} />
    </Switch>
  );
}

function Loading() {
  return (
    <main style={{ padding: "2rem" }}>
      <Waiting what="Loading the page" />
    </main>
  );
}

/// Where somebody wanted to go before they signed in.
function ToSignIn() {
  const target = usePath() + useQueryString();
  return <Redirect replace to={target === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(target)}`} />;
}

function Onward() {
  const next = new URLSearchParams(useQueryString()).get("next") ?? "/";
  return <Redirect replace to={isOwnPath(next) ? next : "/"} />;
}

/// Only paths of this page: a link must not lead elsewhere after signing in.
export function isOwnPath(path: string): boolean {
  return /^\/(?![/\\])/.test(path);
}
