/// Something that must be dealt with before anything else: the browser's own modal dialog, which keeps the focus inside and gives it back.
import { ActionIcon } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useEffect, useId, useRef, type ReactNode } from "react";

interface Props {
  opened: boolean;
  /// None when it cannot be put aside.
  onClose?: () => void;
  title: string;
  children: ReactNode;
  /// Along the left edge, from top to bottom.
  drawer?: boolean;
}

export function Dialog({ opened, onClose, title, children, drawer = false }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const show = () => {
    const element = dialog.current;
    if (!element || element.open) return;
    element.showModal();
    element.querySelector<HTMLElement>("[data-autofocus]")?.focus();
  };
  useEffect(() => {
    if (opened) show();
    else dialog.current?.close();
  }, [opened]);
  return (
    <dialog
      ref={dialog}
      className={drawer ? "dialog drawer" : "dialog"}
      aria-labelledby={id}
      // Browsers close it by themselves on Escape: what is shown follows, or it comes back.
      onClose={() => (opened ? (onClose ? onClose() : show()) : undefined)}
      onMouseDown={(event) => {
        if (event.target === dialog.current) onClose?.();
      }}
    >
      {opened ? (
        <div className="dialog-inside">
          <div className="dialog-head">
            <h2 id={id}>{title}</h2>
            {onClose ? (
              <ActionIcon variant="subtle" color="gray" aria-label="Close" onClick={onClose}>
                <IconX size={18} aria-hidden />
              </ActionIcon>
            ) : null}
          </div>
          {children}
        </div>
      ) : null}
    </dialog>
  );
}
