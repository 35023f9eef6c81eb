/// Pages that follow each other by opaque tokens: forwards by what the server gave, backwards by what was kept.
import { Button } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";

export interface Paging {
  token: string | undefined;
  page: number;
  next: (token: string) => void;
  back: () => void;
}

/// Begins anew whenever `question` changes: a token belongs to the question that it was given for.
export function usePaging(question: string): Paging {
  const [state, setState] = useState<{ question: string; tokens: string[] }>({ question, tokens: [] });
  const tokens = state.question === question ? state.tokens : [];
  return {
    token: tokens.at(-1),
    page: tokens.length,
    next: (token) => setState({ question, tokens: [...tokens, token] }),
    back: () => setState({ question, tokens: tokens.slice(0, -1) }),
  };
}

export function Pager({ paging, next, label }: { paging: Paging; next: string | null | undefined; label: string }) {
  if (paging.page === 0 && !next) return null;
  return (
    <nav aria-label={`Pages of ${label}`} style={{ display: "flex", gap: "0.5rem", justifyContent: "flex-end", alignItems: "center" }}>
      <span className="dim small numbers">Page {paging.page + 1}</span>
      <Button variant="default" size="xs" leftSection={<IconChevronLeft size={16} aria-hidden />} disabled={paging.page === 0} onClick={paging.back}>
        Back
      </Button>
      <Button variant="default" size="xs" rightSection={<IconChevronRight size={16} aria-hidden />} disabled={!next} onClick={() => next && paging.next(next)}>
        Next
      </Button>
    </nav>
  );
}
