/// Short messages in a corner, said to screen readers too. What must be acted on is no toast.
import { ActionIcon } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { asApiError } from "../api/errors";
import { signal, useSignal } from "../api/signal";

export interface Toast {
  id: number;
  tone: "good" | "bad" | "info";
  text: string;
  more?: ReactNode;
}

const toasts = signal<Toast[]>([]);
let next = 1;

const LIFE_MS = 8_000;

export function tell(tone: Toast["tone"], text: string, more?: ReactNode): void {
  const id = next++;
  // The same words twice in a row are one message.
  const others = toasts.get().filter((toast) => toast.text !== text);
  toasts.set([...others.slice(-3), { id, tone, text, more }]);
  setTimeout(() => dismiss(id), LIFE_MS);
}

export function tellError(error: unknown): void {
  const { message, suggestion } = asApiError(error);
  tell("bad", message, suggestion);
}

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

const ICONS = { good: IconCircleCheck, bad: IconAlertTriangle, info: IconInfoCircle };

export function Toasts() {
  const all = useSignal(toasts);
  return (
    <section className="toasts" aria-label="Messages" aria-live="polite" aria-relevant="additions">
      {all.map((toast) => {
        const Icon = ICONS[toast.tone];
        return (
          <div key={toast.id} className={`toast ${toast.tone}`}>
            <Icon size={20} aria-hidden />
            <div className="grow">
              <strong>{toast.text}</strong>
              {toast.more ? <div className="dim small">{toast.more}</div> : null}
            </div>
            <ActionIcon variant="subtle" color="gray" size="sm" aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
              <IconX size={16} aria-hidden />
            </ActionIcon>
          </div>
        );
      })}
    </section>
  );
}
