import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "../../app/router";
import { Card, Empty, Page } from "../../ui/page";

/// Something that exists for others, or not at all: the server does not say which.
export function Forbidden({ children }: { children?: ReactNode }) {
  return (
    <Page title="Not yours to see">
      <Card>
        <Empty
          icon={<IconLock size={40} stroke={1.4} aria-hidden />}
          title="You may not see this"
          acts={
            <Button component={Link} to="/">
              Go to the start
            </Button>
          }
        >
          {children ?? "It belongs to another organisation, or does not exist. Switch the organisation on the left if you belong to more than one."}
        </Empty>
      </Card>
    </Page>
  );
}
