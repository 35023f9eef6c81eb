/// The session ended while somebody worked. Their page stays where it is until they are back.
import { Button, PasswordInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { signIn } from "../api/mutations";
import { forget, signedIn } from "../api/session";
import type { User } from "../api/types";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/notice";

export function SessionExpired({ user }: { user: User }) {
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      signedIn(await signIn({ email: user.email, password }));
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <Dialog opened title="Your session has ended">
      <form onSubmit={(event) => void submit(event)} style={{ display: "flex", flexDirection: "column", gap: "1rem" }}>
        <div>
          Sign in again as <strong>{user.email}</strong> to go on where you were.
        </div>
        <PasswordInput label="Password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} required autoComplete="current-password" data-autofocus visibilityToggleButtonProps={{ "aria-label": "Show the password" }} />
        {error ? <Problem error={error} /> : null}
        <div style={{ display: "flex", flexDirection: "row-reverse", gap: "0.5rem", justifyContent: "space-between", flexWrap: "wrap" }}>
          <Button type="submit" loading={busy}>
            Sign in
          </Button>
          <Button variant="subtle" color="gray" onClick={forget}>
            Sign in as somebody else
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
