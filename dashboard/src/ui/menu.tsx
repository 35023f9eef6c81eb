/// A button that opens a list of actions; arrows move in it, Escape closes it.
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode, type Ref } from "react";

export interface MenuItem {
  text: ReactNode;
  icon?: ReactNode;
  /// The one that holds now.
  current?: boolean;
  /// Stands apart from those before it.
  apart?: boolean;
  onChoose: () => void;
}

interface ButtonProps {
  ref: Ref<HTMLButtonElement>;
  "aria-haspopup": "menu";
  "aria-expanded": boolean;
  "aria-controls": string;
  onClick: () => void;
}

export function Menu({ label, items, above = false, end = false, button }: { label: string; items: MenuItem[]; above?: boolean; end?: boolean; button: (props: ButtonProps) => ReactNode }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const around = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const entries = () => [...(around.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
  useEffect(() => {
    if (!open) return;
    entries()[0]?.focus();
    const outside = (event: PointerEvent) => {
      if (!around.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      all.at(to % all.length)?.focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      close();
    } else if (event.key === "Tab") setOpen(false);
  };
  return (
    <div className="menu" ref={around}>
      {button({ ref: opener, "aria-haspopup": "menu", "aria-expanded": open, "aria-controls": id, onClick: () => setOpen(!open) })}
      <div id={id} role="menu" aria-label={label} hidden={!open} className={`menu-list${above ? " above" : ""}${end ? " end" : ""}`} onKeyDown={onKeyDown}>
        {open
          ? items.map((item, index) => (
              <button
                key={index}
                type="button"
                role={item.current === undefined ? "menuitem" : "menuitemradio"}
                aria-checked={item.current}
                tabIndex={-1}
                className={item.apart ? "apart" : ""}
                onClick={() => {
                  close();
                  item.onChoose();
                }}
              >
                {item.icon}
                <span className="grow cut">{item.text}</span>
                {item.current ? <span aria-hidden>✓</span> : null}
              </button>
            ))
          : null}
      </div>
    </div>
  );
}
