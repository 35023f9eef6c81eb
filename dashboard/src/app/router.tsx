/// The few things that pages need of a router.
import type { AnchorHTMLAttributes, ReactNode } from "react";
import { Link as Anchor, useLocation, useParams as useRouteParams, useSearch } from "wouter";

export { useSearch, useSearchParams } from "wouter";

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string; children?: ReactNode };

export function Link({ to, ...rest }: LinkProps) {
  return <Anchor href={to} {...rest} />;
}

/// A link that says when it leads to where one is; `exact` when pages below it do not count.
export function NavLink({ to, exact = false, ...rest }: LinkProps & { exact?: boolean }) {
  const path = usePath();
  const here = path === to || (!exact && path.startsWith(`${to}/`));
  return <Link to={to} aria-current={here ? "page" : undefined} {...rest} />;
}

export const usePath = (): string => useLocation()[0];

export const useParams = (): Record<string, string | undefined> => useRouteParams();

export function useNavigate(): (to: string, options?: { replace?: boolean }) => void {
  return useLocation()[1];
}

/// The query, with its question mark when there is one.
export function useQueryString(): string {
  const search = useSearch();
  return search ? `?${search}` : "";
}
