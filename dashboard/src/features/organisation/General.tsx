import { Button, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useNavigate } from "../../app/router";
import { asApiError } from "../../api/errors";
import { useDeleteOrganisation, useRenameOrganisation } from "../../api/mutations";
import { chooseOrganisation } from "../../api/organisation";
import { useLimits } from "../../api/queries";
import type { OrganisationMembership } from "../../api/types";
import { may } from "../../app/me";
import { Confirm } from "../../ui/confirm";
import { Problem } from "../../ui/notice";
import { Card } from "../../ui/page";
import { tell } from "../../ui/toasts";
import { ROLES } from "../../ui/words";

export function General({ organisation }: { organisation: OrganisationMembership }) {
  const [name, setName] = useState(organisation.name);
  const [deleting, setDeleting] = useState(false);
  const rename = useRenameOrganisation(organisation.id);
  const remove = useDeleteOrganisation();
  const limits = useLimits();
  const navigate = useNavigate();
  const allowed = may(organisation.role, "organisation:rename");
  const problem = rename.error ? asApiError(rename.error) : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate({ name: name.trim() }, { onSuccess: () => tell("good", "The new name is saved") });
  };
  return (
    <div style={{ display: "flex", flexDirection: "column", gap: "1.5rem" }}>
      <Card title="Name">
        {allowed ? (
          <form onSubmit={submit} className="filters">
            <TextInput className="grow" label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} required maxLength={64} error={problem?.field("name")} />
            <Button type="submit" loading={rename.isPending} disabled={name.trim() === organisation.name}>
              Save
            </Button>
          </form>
        ) : (
          <p style={{ margin: 0 }}>
            {organisation.name}. You are here as <strong>{ROLES[organisation.role].name}</strong>: {ROLES[organisation.role].may.toLowerCase()}.
          </p>
        )}
        {problem && !problem.field("name") ? <Problem key={problem.requestId} error={problem} /> : null}
      </Card>
      {limits.data ? (
        <Card title="Plan">
          <dl className="facts numbers">
            <dt>Plan</dt>
            <dd style={{ textTransform: "capitalize" }}>{limits.data.plan}</dd>
            <dt>Stores</dt>
            <dd>
              {limits.data.stores.used} of {limits.data.stores.limit}
            </dd>
            <dt>Pause between creations</dt>
            <dd>{limits.data.creationCooldown.seconds} s</dd>
            <dt>Requests</dt>
            <dd>
              {limits.data.requests.limit.toLocaleString()} in {limits.data.requests.windowSeconds} s
            </dd>
            <dt>Retries of a failed store</dt>
            <dd>{limits.data.retries.limit}</dd>
          </dl>
        </Card>
      ) : null}
      {may(organisation.role, "organisation:delete") && !organisation.personal ? (
        <Card title="Delete this organisation" danger>
          <p style={{ marginTop: 0 }} className="small">
            Only once it has no stores. Members and invitations go with it.
          </p>
          <Button variant="default" className="dangerous" onClick={() => setDeleting(true)}>
            Delete organisation
          </Button>
          <Confirm
            opened={deleting}
            onClose={() => (setDeleting(false), remove.reset())}
            title={`Delete ${organisation.name}?`}
            word={organisation.name}
            action="Delete for good"
            busy={remove.isPending}
            error={remove.error}
            onConfirm={() =>
              remove.mutate(organisation.id, {
                onSuccess: () => {
                  setDeleting(false);
                  chooseOrganisation(null);
                  tell("info", `${organisation.name} is deleted`);
                  navigate("/");
                },
              })
            }
          >
            It cannot be had back.
          </Confirm>
        </Card>
      ) : null}
    </div>
  );
}
