/// Inviting somebody: the link is shown once, for whoever invites to send it.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { asApiError } from "../../api/errors";
import { useInvite, useWithdrawInvitation } from "../../api/mutations";
import { useInvitations } from "../../api/queries";
import type { OrganisationMembership, Role } from "../../api/types";
import { may } from "../../app/me";
import { Notice, Problem } from "../../ui/notice";
import { Card, Waiting } from "../../ui/page";
import { Secret } from "../../ui/secret";
import { When } from "../../ui/times";
import { tellError } from "../../ui/toasts";
import { ROLES } from "../../ui/words";
import { choosable } from "./roles";

export function Invitations({ organisation }: { organisation: OrganisationMembership }) {
  const allowed = may(organisation.role, "members:write");
  const invitations = useInvitations(organisation.id, allowed);
  const invite = useInvite(organisation.id);
  const withdraw = useWithdrawInvitation(organisation.id);
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("developer");
  const [link, setLink] = useState<string | null>(null);
  if (!allowed) {
    return (
      <Notice tone="info" title="Only owners and administrators invite">
        Ask one of them to bring somebody in.
      </Notice>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setLink(null);
    invite.mutate(
      { role, ...(email.trim() ? { email: email.trim() } : {}) },
      {
        onSuccess: ({ token }) => {
          // Of this very page's origin, whatever the server believes its public address to be.
          setLink(`${window.location.origin}/invitation#${token}`);
          setEmail("");
        },
      },
    );
  };
  const problem = invite.error ? asApiError(invite.error) : null;
  return (
    <div style={{ display: "flex", flexDirection: "column", gap: "1.5rem" }}>
      <Card title="Invite somebody">
        <form onSubmit={submit} className="filters">
          <TextInput className="grow" label="E-mail" description="Empty: whoever has the link may join." type="email" value={email} onChange={(event) => setEmail(event.currentTarget.value)} error={problem?.field("email")} />
          <NativeSelect label="Role" description={ROLES[role].may} value={role} onChange={(event) => setRole(event.currentTarget.value as Role)} data={choosable(organisation.role)} />
          <Button type="submit" loading={invite.isPending}>
            Make a link
          </Button>
        </form>
        {problem && !problem.field("email") ? <Problem key={problem.requestId} error={problem} /> : null}
        {link ? (
          <div style={{ marginTop: "1rem" }}>
            <Notice tone="good" title="Send them this link">
              It is not shown again.
            </Notice>
            <div style={{ marginTop: "0.75rem" }}>
              <Secret value={link} what="the link" />
            </div>
          </div>
        ) : null}
      </Card>
      <Card title="Open invitations" flush>
        {invitations.error && !invitations.data ? <Problem error={invitations.error} onRetry={() => void invitations.refetch()} /> : null}
        {!invitations.data && !invitations.error ? <Waiting what="Looking up invitations" /> : null}
        {invitations.data?.invitations.length === 0 ? <p className="dim" style={{ padding: "1rem 1.25rem", margin: 0 }}>Nobody is invited at the moment.</p> : null}
        <ul className="rows">
          {invitations.data?.invitations.map((invitation) => (
            <li key={invitation.id}>
              <div className="grow">
                <div style={{ fontWeight: 560 }}>{invitation.email ?? "Whoever has the link"}</div>
                <div className="dim small">
                  {ROLES[invitation.role].name} · ends <When at={invitation.expiresAt} />
                </div>
              </div>
              <Button size="xs" variant="default" aria-label={`Withdraw the invitation of ${invitation.email ?? "whoever has the link"}`} loading={withdraw.isPending && withdraw.variables === invitation.id} onClick={() => withdraw.mutate(invitation.id, { onError: tellError })}>
                Withdraw
              </Button>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}
