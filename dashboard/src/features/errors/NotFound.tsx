import { Button } from "@mantine/core";
import { IconMapPinOff } from "@tabler/icons-react";
import { Link } from "../../app/router";
import { Card, Empty, Page } from "../../ui/page";

export function NotFound() {
  return (
    <Page title="Nothing is here">
      <Card>
        <Empty
          icon={<IconMapPinOff size={40} stroke={1.4} aria-hidden />}
          title="This page does not exist"
          acts={
            <Button component={Link} to="/stores">
              See your stores
            </Button>
          }
        >
          The address may be mistyped, or what was here is gone.
        </Empty>
      </Card>
    </Page>
  );
}
