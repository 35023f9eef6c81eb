/// The steps of an operation with their times, as they go.
import { IconCheck, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Operation, SetupStep, Step } from "../../api/types";
import { Card } from "../../ui/page";
import { OperationState } from "../../ui/state";
import { duration, Elapsed, When } from "../../ui/times";
import { causeName, kindNoun, setupStep, stepNow, stepTodo } from "../../ui/words";

type Look = "done" | "now" | "bad" | "todo";

function lookOf(step: Step, operation: Operation, open: boolean): Look {
  if (step.status === "succeeded") return "done";
  if (operation.step === step.name && open) return operation.status === "stuck" ? "bad" : "now";
  if (step.status === "failed" || (step.error && !open)) return "bad";
  return "todo";
}

/// What the engine's own set-up has done, of the steps that it is known to have. An engine that knows of none may still tell some.
function SetUp({ done, known, open }: { done: SetupStep[]; known: string[]; open: boolean }) {
  const last = done.at(-1);
  if (!last) return null;
  const names = new Set(done.map(({ name }) => name));
  const [count, total] = known.length ? [known.filter((name) => names.has(name)).length, known.length] : [done.length, null];
  const took = done.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return (
    <details className="why">
      <summary>{open ? `Set-up: ${count}${total === null ? " steps" : ` of ${total} steps`}, last “${setupStep(last.name)}”` : `Set-up: ${done.length} steps in ${duration(took)}`}</summary>
      <dl className="setup">
        {done.map((step, index) => (
          // A set-up may do a step twice.
          <div key={index}>
            <dt>{setupStep(step.name)}</dt>
            <dd className="numbers">{duration(step.durationMs)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

export function Progress({ operation, open, title, acts, setupSteps = [] }: { operation: Operation; open: boolean; title: string; acts?: ReactNode; setupSteps?: string[] }) {
  const steps = operation.steps ?? [];
  const done = steps.filter((step) => lookOf(step, operation, open) === "done").length;
  return (
    <Card
      title={title}
      aside={
        <span style={{ display: "flex", gap: "0.75rem", alignItems: "center" }}>
          {acts}
          <OperationState status={operation.status} />
        </span>
      }
    >
      <p className="dim small" style={{ margin: "0 0 1.25rem" }} role="status">
        {open ? (
          <>
            {operation.startedAt ? (
              <>
                Step {Math.min(done + 1, steps.length)} of {steps.length}, for <Elapsed since={operation.startedAt} />
              </>
            ) : (
              "Waiting for a free worker; nothing is lost in the meantime."
            )}
          </>
        ) : (
          <>
            {kindNoun(operation.kind)}
            {operation.startedAt && operation.finishedAt ? ` took ${duration(Date.parse(operation.finishedAt) - Date.parse(operation.startedAt))}` : null}
            {operation.finishedAt ? (
              <>
                , <When at={operation.finishedAt} />
              </>
            ) : null}
          </>
        )}
      </p>
      <ol className="steps">
        {steps.map((step, index) => {
          const look = lookOf(step, operation, open);
          const reason = look === "now" || look === "bad" ? (step.error ?? (operation.step === step.name ? operation.failure : null)) : null;
          return (
            <li key={step.name} className={look} aria-current={look === "now" ? "step" : undefined}>
              <span className="mark" aria-hidden>
                {look === "done" ? <IconCheck size={16} stroke={2.4} /> : look === "bad" ? <IconX size={16} stroke={2.4} /> : index + 1}
              </span>
              <div className="what">
                {look === "now" ? stepNow(step.name) : stepTodo(step.name)}
                <span className="unseen">{{ done: ", done", now: ", in progress", bad: ", failed", todo: ", to do" }[look]}</span>
                {reason ? (
                  <div className="why">
                    {causeName(reason.code)}
                    {reason.message ? `: ${reason.message}` : null}
                  </div>
                ) : null}
                {step.name.startsWith("await_") ? <SetUp done={operation.setup ?? []} known={setupSteps} open={look === "now"} /> : null}
                {step.attempts > 1 ? <div className="why">{step.attempts} attempts</div> : null}
              </div>
              <span className="time">
                {step.startedAt && step.finishedAt ? duration(Date.parse(step.finishedAt) - Date.parse(step.startedAt)) : null}
                {step.startedAt && !step.finishedAt && look === "now" ? <Elapsed since={step.startedAt} /> : null}
              </span>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
