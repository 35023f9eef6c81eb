/// The form of a new account, by itself or with an invitation.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { asApiError } from "../../api/errors";
import { register } from "../../api/mutations";
import { signedIn } from "../../api/session";
import { Notice, Problem } from "../../ui/notice";
import { passwordRule } from "../../ui/passwords";
import { column } from "./Gate";

export function RegisterForm({ invitation, email: known, onDone }: { invitation?: string; email?: string | null; onDone?: () => void }) {
  const [email, setEmail] = useState(known ?? "");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const weak = passwordRule(password);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (weak) return;
    setBusy(true);
    setError(null);
    try {
      signedIn(await register({ email: email.trim(), username: username.trim(), password, ...(invitation ? { invitation } : {}) }));
      onDone?.();
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  const problem = error ? asApiError(error) : null;
  if (problem?.code === "REGISTRATION_CLOSED") {
    return (
      <Notice tone="info" title="Accounts are made by invitation here">
        Ask somebody who works here already to invite you.
      </Notice>
    );
  }
  const inFields = problem?.code === "VALIDATION_ERROR" && ["email", "username", "password"].some((field) => problem.field(field));
  return (
    <form onSubmit={(event) => void submit(event)} style={column}>
      {problem && !inFields ? <Problem key={problem.requestId} error={problem} /> : null}
      <TextInput label="E-mail" type="email" autoComplete="email" required value={email} onChange={(event) => setEmail(event.currentTarget.value)} error={problem?.field("email")} />
      <TextInput label="Username" description="3 to 128 letters, digits, hyphens and underscores" autoComplete="username" required minLength={3} maxLength={128} pattern="[a-zA-Z0-9_\-]+" value={username} onChange={(event) => setUsername(event.currentTarget.value)} error={problem?.field("username")} />
      <PasswordInput label="Password" description="8 to 128 characters" autoComplete="new-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} error={(tried && weak) || problem?.field("password")} visibilityToggleButtonProps={{ "aria-label": "Show the password" }} />
      <Button type="submit" loading={busy} size="md" fullWidth>
        {invitation ? "Register and join" : "Register"}
      </Button>
    </form>
  );
}
