import { Button, NativeSelect } from "@mantine/core";
import { useState } from "react";
import { useChangeRole, useRemoveMember } from "../../api/mutations";
import { useMembers } from "../../api/queries";
import type { Member, OrganisationMembership, Role } from "../../api/types";
import { may, useSelf } from "../../app/me";
import { Confirm } from "../../ui/confirm";
import { Notice, Problem } from "../../ui/notice";
import { Card, Waiting } from "../../ui/page";
import { When } from "../../ui/times";
import { tell, tellError } from "../../ui/toasts";
import { ROLES } from "../../ui/words";
import { choosable } from "./roles";

export function Members({ organisation }: { organisation: OrganisationMembership }) {
  const { user } = useSelf();
  const members = useMembers(organisation.id);
  const change = useChangeRole(organisation.id);
  const remove = useRemoveMember(organisation.id);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const mayChange = ({ role }: Member) => !organisation.personal && may(organisation.role, role === "owner" ? "owners:write" : "members:write");
  if (members.error && !members.data) return <Problem error={members.error} onRetry={() => void members.refetch()} />;
  if (!members.data) return <Waiting what="Looking up the members" />;
  const self = leaving?.userId === user.id;
  return (
    <>
      {organisation.personal ? (
        <div style={{ marginBottom: "1rem" }}>
          <Notice tone="info" title="This one is yours alone">
            To work with others, create an organisation from the switcher at the top and invite them.
          </Notice>
        </div>
      ) : null}
      <Card title="Members" flush>
        <ul className="rows">
          {members.data.members.map((member) => (
            <li key={member.userId}>
              <span className="monogram round" aria-hidden>
                {member.username.charAt(0).toUpperCase()}
              </span>
              <div className="grow">
                <div style={{ fontWeight: 560 }}>
                  {member.username} {member.userId === user.id ? <span className="dim small">(you)</span> : null}
                </div>
                <div className="dim small">
                  {member.email} · joined <When at={member.joinedAt} />
                </div>
              </div>
              {mayChange(member) ? (
                <NativeSelect
                  aria-label={`Role of ${member.username}`}
                  value={member.role}
                  data={choosable(organisation.role, member.role)}
                  disabled={change.isPending}
                  onChange={(event) => change.mutate({ userId: member.userId, role: event.currentTarget.value as Role }, { onError: tellError, onSuccess: () => tell("good", `The role of ${member.username} is changed`) })}
                />
              ) : (
                <span className="small" title={ROLES[member.role].may}>
                  {ROLES[member.role].name}
                </span>
              )}
              {!organisation.personal && (mayChange(member) || member.userId === user.id) ? (
                <Button size="xs" variant="default" onClick={() => setLeaving(member)} aria-label={member.userId === user.id ? "Leave the organisation" : `Remove ${member.username}`}>
                  {member.userId === user.id ? "Leave" : "Remove"}
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      </Card>
      <Confirm
        opened={leaving !== null}
        onClose={() => (setLeaving(null), remove.reset())}
        title={self ? `Leave ${organisation.name}?` : `Remove ${leaving?.username ?? ""}?`}
        action={self ? "Leave" : "Remove"}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => leaving && remove.mutate(leaving.userId, { onSuccess: () => (setLeaving(null), tell("info", self ? `You left ${organisation.name}` : `${leaving.username} is no member any more`)) })}
      >
        {self ? "You lose access to its stores at once." : "They lose access to its stores at once. Stores that they made stay."}
      </Confirm>
    </>
  );
}
