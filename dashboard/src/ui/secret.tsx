/// Something to copy; a secret is shown only on demand.
import { ActionIcon } from "@mantine/core";
import { IconCheck, IconCopy, IconEye, IconEyeOff } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { tell } from "./toasts";

export function Copy({ value, what }: { value: string; what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    } catch {
      tell("info", `The browser does not let this page copy: select ${what} and copy it.`);
    }
  };
  const label = copied ? "Copied" : `Copy ${what}`;
  return (
      <ActionIcon variant="default" size="lg" aria-label={label} title={label} onClick={() => void copy()}>
        {copied ? <IconCheck size={17} aria-hidden /> : <IconCopy size={17} aria-hidden />}
      </ActionIcon>
  );
}

export function Secret({ value, what, hidden = false }: { value: string; what: string; hidden?: boolean }) {
  const [shown, setShown] = useState(!hidden);
  const label = shown ? `Hide ${what}` : `Show ${what}`;
  return (
    <div className="secret">
      <code>{shown ? value : "•".repeat(14)}</code>
      {hidden ? (
          <ActionIcon variant="default" size="lg" aria-label={label} title={label} onClick={() => setShown(!shown)}>
            {shown ? <IconEyeOff size={17} aria-hidden /> : <IconEye size={17} aria-hidden />}
          </ActionIcon>
      ) : null}
      <Copy value={value} what={what} />
    </div>
  );
}
