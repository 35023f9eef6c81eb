/// The organisation: who belongs to it and what they may do, invitations, API tokens, its name and its end.
import { Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useSelf } from "../../app/me";
import { useFilters } from "../../ui/hooks";
import { Notice } from "../../ui/notice";
import { Page, Waiting } from "../../ui/page";
import { Members } from "./Members";

const ApiTokens = lazy(() => import("./ApiTokens").then((module) => ({ default: module.ApiTokens })));
const General = lazy(() => import("./General").then((module) => ({ default: module.General })));
const Invitations = lazy(() => import("./Invitations").then((module) => ({ default: module.Invitations })));

export function Organisation() {
  const { organisation } = useSelf();
  const [filter, setFilter] = useFilters<"tab">();
  if (!organisation) {
    return (
      <Page title="Organisation" narrow>
        <Notice tone="info" title="This server has no organisations yet">
          Members and invitations come with its next version; API tokens are here already.
        </Notice>
        <Suspense fallback={<Waiting what="Looking up your tokens" />}>
          <ApiTokens />
        </Suspense>
      </Page>
    );
  }
  return (
    <Page title={organisation.name} lead={organisation.personal ? "Your personal organisation" : "Organisation"}>
      <Tabs value={filter("tab") || "members"} onChange={(tab) => setFilter({ tab: tab === "members" ? "" : (tab ?? "") })} keepMounted={false}>
        <Tabs.List mb="lg">
          <Tabs.Tab value="members">Members</Tabs.Tab>
          {organisation.personal ? null : <Tabs.Tab value="invitations">Invitations</Tabs.Tab>}
          <Tabs.Tab value="tokens">API tokens</Tabs.Tab>
          <Tabs.Tab value="general">General</Tabs.Tab>
        </Tabs.List>
        <Suspense fallback={<Waiting what="Opening" />}>
          <Tabs.Panel value="members">
            <Members organisation={organisation} />
          </Tabs.Panel>
          {organisation.personal ? null : (
            <Tabs.Panel value="invitations">
              <Invitations organisation={organisation} />
            </Tabs.Panel>
          )}
          <Tabs.Panel value="tokens">
            <ApiTokens />
          </Tabs.Panel>
          <Tabs.Panel value="general">
            <General organisation={organisation} />
          </Tabs.Panel>
        </Suspense>
      </Tabs>
    </Page>
  );
}
