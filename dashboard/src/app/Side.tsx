/// Navigation, the organisation that one works for, and how the platform is doing.
import { useMantineColorScheme } from "@mantine/core";
import { IconActivity, IconBuilding, IconChevronDown, IconHome, IconList, IconMoon, IconLogout, IconPlus, IconServer, IconShoppingBag, IconSun, IconUser } from "@tabler/icons-react";
import { useState } from "react";
import { Link, NavLink, useNavigate } from "./router";
import { connection } from "../api/connection";
import { liveness } from "../api/live";
import { chooseOrganisation } from "../api/organisation";
import { useHealth } from "../api/queries";
import { signOut } from "../api/session";
import { useSignal } from "../api/signal";
import { Logo } from "../ui/logo";
import { Menu } from "../ui/menu";
import { useMay, useSelf } from "./me";
import { NewOrganisation } from "./NewOrganisation";

const LINKS = [
  { to: "/", text: "Home", Icon: IconHome },
  { to: "/stores", text: "Stores", Icon: IconShoppingBag },
  { to: "/operations", text: "Operations", Icon: IconActivity },
  { to: "/audit", text: "Audit log", Icon: IconList },
  { to: "/organisation", text: "Organisation", Icon: IconBuilding },
];

export function Side({ bare = false }: { bare?: boolean }) {
  const { user } = useSelf();
  const mayAudit = useMay("audit:read");
  return (
    <>
      {bare ? null : (
        <Link to="/" className="brand">
          <Logo />
          Shopwright
        </Link>
      )}
      <Organisations />
      <nav aria-label="Pages">
        <ul className="nav">
          {LINKS.filter(({ to }) => to !== "/audit" || mayAudit).map(({ to, text, Icon }) => (
            <li key={to}>
              <NavLink to={to} exact={to === "/"}>
                <Icon size={19} stroke={1.7} aria-hidden />
                {text}
              </NavLink>
            </li>
          ))}
          {user.role === "admin" ? (
            <>
              <li className="heading">Operator</li>
              <li>
                <NavLink to="/platform">
                  <IconServer size={19} stroke={1.7} aria-hidden />
                  Platform
                </NavLink>
              </li>
            </>
          ) : null}
        </ul>
      </nav>
      <div className="side-end">
        <Pulse />
        <Person />
      </div>
    </>
  );
}

function Organisations() {
  const { organisations, organisation } = useSelf();
  const [making, setMaking] = useState(false);
  const navigate = useNavigate();
  if (!organisation) return null;
  const choose = (id: string) => {
    if (id === organisation.id) return;
    chooseOrganisation(id);
    navigate("/");
  };
  return (
    <>
      <Menu
        label="Organisations"
        items={[
          ...organisations.map((one) => ({ text: one.name, current: one.id === organisation.id, onChoose: () => choose(one.id) })),
          { text: "New organisation", icon: <IconPlus size={16} aria-hidden />, apart: true, onChoose: () => setMaking(true) },
        ]}
        button={(props) => (
          <button type="button" className="pick" {...props} aria-label={`Organisation: ${organisation.name}. Switch`}>
            <span className="monogram" aria-hidden>
              {organisation.name.charAt(0).toUpperCase()}
            </span>
            <span className="grow">
              <span className="cut" style={{ display: "block", fontWeight: 600 }}>
                {organisation.name}
              </span>
              <span className="dim small">{organisation.personal ? "Personal" : "Organisation"}</span>
            </span>
            <IconChevronDown size={16} aria-hidden />
          </button>
        )}
      />
      <NewOrganisation opened={making} onClose={() => setMaking(false)} />
    </>
  );
}

function Pulse() {
  const health = useHealth();
  const live = useSignal(liveness);
  const connected = useSignal(connection);
  if (!health.data) return null;
  const { checks, simulated } = health.data;
  const well = connected === "online" && checks.database.status === "healthy" && checks.kubernetes.status === "healthy";
  const text = well
    ? live === "live" ? "All systems go, live" : "All systems go"
    : connected !== "online" ? "Not connected" : checks.kubernetes.status !== "healthy" ? "The cluster does not answer" : "The database is away";
  return (
    <div>
      <div className={`pulse ${well ? "good" : "bad"}`} role="status">
        {text}
      </div>
      {simulated ? <div className="dim small" style={{ padding: "0.25rem 0.5rem 0" }}>Simulated: no shop runs</div> : null}
    </div>
  );
}

function Person() {
  const { user } = useSelf();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const dark = colorScheme === "dark" || (colorScheme === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  const navigate = useNavigate();
  return (
    <Menu
      label="Account"
      above
      items={[
        { text: "Account", icon: <IconUser size={16} aria-hidden />, onChoose: () => navigate("/account") },
        {
          text: dark ? "Light colours" : "Dark colours",
          icon: dark ? <IconSun size={16} aria-hidden /> : <IconMoon size={16} aria-hidden />,
          onChoose: () => setColorScheme(dark ? "light" : "dark"),
        },
        { text: "Sign out", icon: <IconLogout size={16} aria-hidden />, apart: true, onChoose: () => void signOut() },
      ]}
      button={(props) => (
        <button type="button" className="pick" {...props} aria-label={`Account of ${user.username}`}>
          <span className="monogram round" aria-hidden>
            {user.username.charAt(0).toUpperCase()}
          </span>
          <span className="grow">
            <span className="cut" style={{ display: "block", fontWeight: 600 }}>
              {user.username}
            </span>
            <span className="dim small cut" style={{ display: "block" }}>
              {user.email}
            </span>
          </span>
        </button>
      )}
    />
  );
}
