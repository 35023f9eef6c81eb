import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { Link, useQueryString } from "../../app/router";
import { asApiError } from "../../api/errors";
import { signIn } from "../../api/mutations";
import { signedIn } from "../../api/session";
import { Problem } from "../../ui/notice";
import { column, Gate } from "./Gate";

export function SignIn() {
  const search = useQueryString();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      signedIn(await signIn({ email: email.trim(), password }));
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  const problem = error ? asApiError(error) : null;
  return (
    <Gate title="Sign in" lead="Welcome back.">
      <form onSubmit={(event) => void submit(event)} style={column}>
        {problem ? <Problem key={problem.requestId} error={problem} /> : null}
        <TextInput label="E-mail" type="email" name="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.currentTarget.value)} error={problem?.field("email")} />
        <PasswordInput label="Password" name="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show the password" }} />
        <Button type="submit" loading={busy} size="md" fullWidth>
          Sign in
        </Button>
        <p className="dim small" style={{ margin: 0 }}>
          No account yet? <Link to={`/register${search}`}>Register</Link>
        </p>
      </form>
    </Gate>
  );
}
