/// Asks before something that cannot be taken back: whoever does it types its name first.
import { Button, TextInput } from "@mantine/core";
import { useState, type FormEvent, type ReactNode } from "react";
import { Dialog } from "./dialog";
import { Problem } from "./notice";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /// What must be typed; none when a click is enough.
  word?: string;
  action: string;
  busy: boolean;
  error?: unknown;
  onConfirm: () => void;
}

export function Confirm({ opened, onClose, title, children, word, action, busy, error, onConfirm }: Props) {
  const [typed, setTyped] = useState("");
  const sure = !word || typed.trim() === word;
  const close = () => {
    setTyped("");
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (sure && !busy) onConfirm();
  };
  return (
    <Dialog opened={opened} onClose={close} title={title}>
      <form onSubmit={submit} style={{ display: "flex", flexDirection: "column", gap: "1rem" }}>
        <div>{children}</div>
        {word ? (
          <TextInput
            label={
              <>
                Type <span className="mono">{word}</span> to confirm
              </>
            }
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
        ) : null}
        {error ? <Problem error={error} /> : null}
        <div style={{ display: "flex", gap: "0.5rem", justifyContent: "flex-end" }}>
          <Button variant="default" onClick={close}>
            Keep it
          </Button>
          <Button type="submit" color="red.8" loading={busy} disabled={!sure}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
