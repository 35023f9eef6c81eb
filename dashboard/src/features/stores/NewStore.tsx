/// Creating a store: engine, name with the address it gets, theme, and a password of one's own.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useState, type FormEvent, type ReactNode } from "react";
import { Link, useNavigate } from "../../app/router";
import { asApiError } from "../../api/errors";
import { useCreateStore } from "../../api/mutations";
import { useAvailability, useEngines, useLimits } from "../../api/queries";
import type { Engine, Limits } from "../../api/types";
import { useMay, useSelf } from "../../app/me";
import { useSettled } from "../../ui/hooks";
import { nameRule } from "../../ui/names";
import { Problem } from "../../ui/notice";
import { Card, Page, Waiting } from "../../ui/page";
import { passwordRule } from "../../ui/passwords";
import { useSecondsLeft } from "../../ui/times";
import { Forbidden } from "../errors/Forbidden";

/// What a theme is like; one that is not known here has its name alone.
const THEMES: Record<string, [title: string, text: string]> = {
  storefront: ["Storefront", "Plain and quick; made for shops."],
  astra: ["Astra", "Light, with many layouts to choose from."],
};
const themeOption = (value: string) => ({ value, title: THEMES[value]?.[0] ?? value, text: THEMES[value]?.[1] });

/// What an engine is, and what its stores lack here, or why there can be none.
function engineOption({ name, title, summary, note, available, unavailableReason }: Engine) {
  const more = available ? note : (unavailableReason ?? "Not available here");
  return { value: name, title, text: more ? `${summary}. ${more.charAt(0).toUpperCase()}${more.slice(1)}` : summary, disabled: !available };
}

export function NewStore() {
  const navigate = useNavigate();
  const { user } = useSelf();
  const mayCreate = useMay("stores:create");
  const [chosen, setChosen] = useState("");
  const [look, setLook] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [key, setKey] = useState(() => crypto.randomUUID());
  const create = useCreateStore();
  const limits = useLimits();
  const engines = useEngines();
  /// The first that can be had, until somebody chooses.
  const engine = engines.data?.find((one) => one.available && (!chosen || one.name === chosen));
  const theme = engine?.themes.includes(look) ? look : engine?.defaultTheme;
  const signsIn = engine?.administrator.signsInWith !== "none";

  const broken = nameRule(name);
  const settled = useSettled(name, 300);
  const availability = useAvailability(settled, settled.length > 0 && nameRule(settled) === null);
  const answer = availability.data && availability.data.name === name ? availability.data : null;
  const weak = password && signsIn ? passwordRule(password) : null;
  const problem = create.error ? asApiError(create.error) : null;
  const nameProblem = broken ?? (answer && !answer.available ? answer.reason ?? "This name is taken" : null) ?? problem?.field("name");

  if (!mayCreate) return <Forbidden>Your role in this organisation looks at stores and changes none. Ask an administrator of the organisation.</Forbidden>;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!engine || !name || broken || weak) return;
    const body = { name, engine: engine.name, ...(theme ? { theme } : {}), ...(password && signsIn ? { password } : {}) };
    create.mutate(
      { ...body, idempotencyKey: key },
      {
        onSuccess: ({ store }) => navigate(`/stores/${store.id}`),
        // An answer that was lost is asked for again under the same key; after a refusal it is another request.
        onError: (error) => asApiError(error).isOutage || setKey(crypto.randomUUID()),
      },
    );
  };
  return (
    <Page title="Create a store" lead="It is set up while you watch." narrow>
      <Room limits={limits.data} />
      <form onSubmit={submit} style={{ display: "flex", flexDirection: "column", gap: "1.5rem" }}>
        <Card title="Engine">
          {engines.data ? (
            <Choices legend="Engine" name="engine" value={engine?.name ?? ""} onChange={setChosen} options={engines.data.map(engineOption)} />
          ) : engines.error ? (
            <Problem error={engines.error} onRetry={() => void engines.refetch()} />
          ) : (
            <Waiting what="Looking at what there is" lines={1} />
          )}
        </Card>
        <Card title="Name">
          <TextInput
            label="Name of the store"
            description="3 to 63 small letters, digits and hyphens. It becomes the address."
            value={name}
            onChange={(event) => setName(event.currentTarget.value.toLowerCase().replaceAll(" ", "-"))}
            error={nameProblem}
            required
            maxLength={63}
            autoComplete="off"
            spellCheck={false}
          />
          <div aria-live="polite" className="small" style={{ minHeight: "1.5rem", marginTop: "0.5rem" }}>
            {name && !broken ? <Verdict name={name} answer={answer} checking={availability.isFetching || settled !== name} onTake={setName} /> : null}
          </div>
        </Card>
        {engine && theme && engine.themes.length > 1 ? (
          <Card title="Theme">
            <Choices legend="Theme" name="theme" value={theme} onChange={setLook} options={engine.themes.map(themeOption)} />
          </Card>
        ) : null}
        {signsIn ? (
          <Card title="Administrator">
            <div style={{ display: "flex", flexDirection: "column", gap: "1rem" }}>
              <p style={{ margin: 0 }}>
                The shop's administrator signs in as <strong>{engine?.administrator.username ?? user.email}</strong>.
              </p>
              <PasswordInput label="Password" description="8 to 128 characters. Leave it empty and a strong one is made for you; you can see it on the store's page." value={password} onChange={(event) => setPassword(event.currentTarget.value)} error={weak ?? problem?.field("password")} autoComplete="new-password" visibilityToggleButtonProps={{ "aria-label": "Show the password" }} />
            </div>
          </Card>
        ) : null}
        {problem && !problem.field("name") && !problem.field("password") ? <Problem key={problem.requestId} error={problem} /> : null}
        <div style={{ display: "flex", gap: "0.75rem", justifyContent: "flex-end" }}>
          <Button component={Link} to="/stores" variant="default">
            Not now
          </Button>
          <Submit limits={limits.data} busy={create.isPending} disabled={!engine || !name || !!nameProblem || !!weak} />
        </div>
      </form>
    </Page>
  );
}

function Submit({ limits, busy, disabled }: { limits: Limits | undefined; busy: boolean; disabled: boolean }) {
  const left = useCooldown(limits);
  return (
    <Button type="submit" loading={busy} disabled={disabled || left > 0}>
      {left > 0 ? `Create store in ${left} s` : "Create store"}
    </Button>
  );
}

function useCooldown(limits: Limits | undefined): number {
  const ends = limits?.creationCooldown.endsAt;
  return useSecondsLeft(ends ? Date.parse(ends) : null);
}

/// How much the plan leaves.
function Room({ limits }: { limits: Limits | undefined }) {
  if (!limits) return null;
  const { used, limit } = limits.stores;
  const full = used >= limit;
  return (
    <div className="card" style={{ padding: "0.875rem 1.25rem" }}>
      <div style={{ display: "flex", justifyContent: "space-between", gap: "1rem", marginBottom: "0.5rem" }} className="small">
        <span>
          <strong className="numbers">
            {used} of {limit}
          </strong>{" "}
          stores of the plan <strong>{limits.plan}</strong> in use
        </span>
        <span className="dim" style={{ whiteSpace: "nowrap" }}>{full ? "Delete one to make room" : `${limit - used} left`}</span>
      </div>
      <div className={full ? "bar full" : "bar"}>
        <span style={{ width: `${Math.min(100, (used / Math.max(1, limit)) * 100)}%` }} />
      </div>
    </div>
  );
}

function Verdict({ name, answer, checking, onTake }: { name: string; answer: { available: boolean; url: string | null; host: string | null; suggestion: string | null } | null; checking: boolean; onTake: (name: string) => void }) {
  if (!answer) return <span className="dim">{checking ? "Checking whether it is free …" : null}</span>;
  if (answer.available) {
    return (
      <span style={{ color: "var(--good)" }}>
        {name} is free. Your shop will be at <strong className="mono">{answer.url ?? answer.host}</strong>
      </span>
    );
  }
  const { suggestion } = answer;
  return suggestion && !suggestion.includes(" ") ? (
    <Button variant="subtle" size="compact-sm" onClick={() => onTake(suggestion)}>
      Take {suggestion} instead
    </Button>
  ) : (
    <span className="dim">{suggestion}</span>
  );
}

export function Choices({ legend, name, value, onChange, options }: { legend: string; name: string; value: string; onChange: (value: string) => void; options: { value: string; title: string; text: ReactNode; disabled?: boolean }[] }) {
  return (
    <fieldset className="choices">
      <legend className="unseen">{legend}</legend>
      {options.map((option) => (
        <label key={option.value} className="choice">
          <input type="radio" name={name} value={option.value} checked={value === option.value} disabled={option.disabled} onChange={() => onChange(option.value)} />
          <span>
            <strong>{option.title}</strong>
            <span className="dim">{option.text}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
