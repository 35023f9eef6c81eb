/// One's own account: password, and where one is signed in.
import { Button, NativeSelect, PasswordInput, useMantineColorScheme } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { asApiError } from "../../api/errors";
import { useChangePassword, useEndOtherSessions, useEndSession } from "../../api/mutations";
import { useSessions } from "../../api/queries";
import { signOut } from "../../api/session";
import { useSelf } from "../../app/me";
import { browser } from "../../ui/browsers";
import { Problem } from "../../ui/notice";
import { Card, Page, Waiting } from "../../ui/page";
import { passwordRule } from "../../ui/passwords";
import { State } from "../../ui/state";
import { When } from "../../ui/times";
import { tell, tellError } from "../../ui/toasts";

export function Account() {
  const { user } = useSelf();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Page title="Account" narrow acts={<Button variant="default" onClick={() => void signOut()}>Sign out</Button>}>
      <Card title="You">
        <dl className="facts">
          <dt>E-mail</dt>
          <dd>{user.email}</dd>
          <dt>Username</dt>
          <dd>{user.username}</dd>
          {user.createdAt ? (
            <>
              <dt>Member since</dt>
              <dd>
                <When at={user.createdAt} as="date" />
              </dd>
            </>
          ) : null}
          {user.role === "admin" ? (
            <>
              <dt>Role</dt>
              <dd>Platform administrator</dd>
            </>
          ) : null}
        </dl>
        <NativeSelect mt="lg" label="Colours" value={colorScheme} onChange={(event) => setColorScheme(event.currentTarget.value as "auto" | "light" | "dark")} data={[{ value: "auto", label: "As the system" }, { value: "light", label: "Light" }, { value: "dark", label: "Dark" }]} style={{ maxWidth: "16rem" }} />
      </Card>
      <Password />
      <Sessions />
    </Page>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useChangePassword();
  const problem = change.error ? asApiError(change.error) : null;
  const wrong = problem?.code === "INVALID_PASSWORD" ? problem.message : problem?.field("currentPassword");
  const weak = next ? passwordRule(next) : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (weak) return;
    change.mutate(
      { currentPassword: current, newPassword: next },
      {
        onSuccess: () => {
          tell("good", "Your password is changed", "Everywhere else you are signed out.");
          setCurrent("");
          setNext("");
        },
      },
    );
  };
  return (
    <Card title="Password">
      <form onSubmit={submit} style={{ display: "flex", flexDirection: "column", gap: "1rem", maxWidth: "24rem" }}>
        <PasswordInput label="Current password" autoComplete="current-password" required value={current} onChange={(event) => setCurrent(event.currentTarget.value)} error={wrong} visibilityToggleButtonProps={{ "aria-label": "Show the current password" }} />
        <PasswordInput label="New password" description="8 to 128 characters. It ends every other session." autoComplete="new-password" required value={next} onChange={(event) => setNext(event.currentTarget.value)} error={weak ?? problem?.field("newPassword")} visibilityToggleButtonProps={{ "aria-label": "Show the new password" }} />
        {problem && !wrong && !problem.field("newPassword") ? <Problem key={problem.requestId} error={problem} /> : null}
        <Button type="submit" loading={change.isPending} style={{ alignSelf: "flex-start" }}>
          Change password
        </Button>
      </form>
    </Card>
  );
}

function Sessions() {
  const sessions = useSessions();
  const end = useEndSession();
  const endOthers = useEndOtherSessions();
  const others = (sessions.data?.sessions ?? []).some((session) => !session.current);
  return (
    <Card
      title="Where you are signed in"
      flush
      aside={
        others ? (
          <Button size="xs" variant="default" loading={endOthers.isPending} onClick={() => endOthers.mutate(undefined, { onError: tellError, onSuccess: () => tell("good", "All other sessions are ended") })}>
            End all others
          </Button>
        ) : null
      }
    >
      {sessions.error && !sessions.data ? <Problem error={sessions.error} onRetry={() => void sessions.refetch()} /> : null}
      {!sessions.data && !sessions.error ? <Waiting what="Looking up your sessions" /> : null}
      <ul className="rows">
        {sessions.data?.sessions.map((session) => (
          <li key={session.id}>
            <div className="grow">
              <div style={{ fontWeight: 560 }}>{browser(session.userAgent)}</div>
              <div className="dim small">
                {session.ipAddress ? <span className="mono">{session.ipAddress} · </span> : null}
                signed in <When at={session.createdAt} />, used <When at={session.lastUsedAt} />
              </div>
            </div>
            {session.current ? (
              <State text="This one" tone="good" />
            ) : (
              <Button size="xs" variant="default" loading={end.isPending && end.variables === session.id} onClick={() => end.mutate(session.id, { onError: tellError })}>
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
