/// Tokens for programs: made here, shown once, revoked here.
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { asApiError } from "../../api/errors";
import { useCreateApiToken, useRevokeApiToken } from "../../api/mutations";
import { useApiTokens } from "../../api/queries";
import type { ApiToken } from "../../api/types";
import { useSelf } from "../../app/me";
import { Confirm } from "../../ui/confirm";
import { Dialog } from "../../ui/dialog";
import { Notice, Problem } from "../../ui/notice";
import { Card, Empty, Waiting } from "../../ui/page";
import { Secret } from "../../ui/secret";
import { When } from "../../ui/times";
import { tell } from "../../ui/toasts";
import { SCOPES } from "../../ui/words";

export function ApiTokens() {
  const tokens = useApiTokens();
  const revoke = useRevokeApiToken();
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<ApiToken | null>(null);
  return (
    <>
      <Card
        title="API tokens"
        flush
        aside={
          <Button size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setMaking(true)}>
            New token
          </Button>
        }
      >
        {tokens.error && !tokens.data ? <Problem error={tokens.error} onRetry={() => void tokens.refetch()} /> : null}
        {!tokens.data && !tokens.error ? <Waiting what="Looking up your tokens" /> : null}
        {tokens.data?.apiTokens.length === 0 ? (
          <Empty icon={<IconKey size={38} stroke={1.4} aria-hidden />} title="No token yet">
            A program that works for you, such as a pipeline, needs one.
          </Empty>
        ) : null}
        <ul className="rows">
          {tokens.data?.apiTokens.map((token) => (
            <li key={token.id}>
              <div className="grow">
                <div style={{ fontWeight: 560 }}>
                  {token.name} <span className="mono dim">{token.prefix}…</span>
                </div>
                <div className="dim small">
                  {token.scopes.join(", ")} · ends <When at={token.expiresAt} /> · {token.lastUsedAt ? <>used <When at={token.lastUsedAt} /></> : "never used"}
                </div>
              </div>
              <Button size="xs" variant="default" aria-label={`Revoke ${token.name}`} onClick={() => setEnding(token)}>
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      </Card>
      <NewToken opened={making} onClose={() => setMaking(false)} />
      <Confirm
        opened={ending !== null}
        onClose={() => (setEnding(null), revoke.reset())}
        title={`Revoke ${ending?.name ?? ""}?`}
        action="Revoke"
        busy={revoke.isPending}
        error={revoke.error}
        onConfirm={() => ending && revoke.mutate(ending.id, { onSuccess: () => (setEnding(null), tell("info", `${ending.name} is revoked`)) })}
      >
        Whatever uses it is refused at once.
      </Confirm>
    </>
  );
}

function NewToken({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { user } = useSelf();
  const create = useCreateApiToken();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["stores:read"]);
  const [days, setDays] = useState("90");
  const close = () => {
    create.reset();
    setName("");
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim(), scopes, expiresInDays: Number(days) });
  };
  const problem = create.error ? asApiError(create.error) : null;
  const offered = Object.entries(SCOPES).filter(([scope]) => scope !== "platform:admin" || user.role === "admin");
  return (
    <Dialog opened={opened} onClose={close} title={create.data ? "Keep this token now" : "New API token"}>
      {create.data ? (
        <div style={{ display: "flex", flexDirection: "column", gap: "1rem" }}>
          <Notice tone="good" title={`${create.data.apiToken.name} is made`}>
            It is not shown again: copy it to where it is needed.
          </Notice>
          <Secret value={create.data.token} what="the token" />
          <Button onClick={close} style={{ alignSelf: "flex-end" }}>
            I have it
          </Button>
        </div>
      ) : (
        <form onSubmit={submit} style={{ display: "flex", flexDirection: "column", gap: "1rem" }}>
          <TextInput label="Name" description="What it is for" value={name} onChange={(event) => setName(event.currentTarget.value)} required maxLength={64} error={problem?.field("name")} data-autofocus />
          <Checkbox.Group label="What it may do" value={scopes} onChange={setScopes} error={problem?.field("scopes")}>
            <div style={{ display: "flex", flexDirection: "column", gap: "0.625rem", marginTop: "0.5rem" }}>
              {offered.map(([scope, text]) => (
                <Checkbox key={scope} value={scope} label={text} description={<span className="mono">{scope}</span>} />
              ))}
            </div>
          </Checkbox.Group>
          <NativeSelect label="Good for" value={days} onChange={(event) => setDays(event.currentTarget.value)} data={[{ value: "7", label: "7 days" }, { value: "30", label: "30 days" }, { value: "90", label: "90 days" }, { value: "365", label: "A year" }]} />
          {problem && !problem.field("name") && !problem.field("scopes") ? <Problem key={problem.requestId} error={problem} /> : null}
          <Button type="submit" loading={create.isPending} disabled={scopes.length === 0} style={{ alignSelf: "flex-end" }}>
            Make token
          </Button>
        </form>
      )}
    </Dialog>
  );
}
