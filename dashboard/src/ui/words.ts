/// The API's terms in words for people. A term that is not known here is shown as it came.
import type { OperationStatus, Role, StoreStatus } from "../api/types";

export type Tone = "good" | "busy" | "bad" | "info" | "quiet";

interface Word {
  text: string;
  tone: Tone;
  moving?: boolean;
}

const STORE: Record<StoreStatus, Word> = {
  requested: { text: "Requested", tone: "info", moving: true },
  provisioning: { text: "Setting up", tone: "busy", moving: true },
  ready: { text: "Ready", tone: "good" },
  failed: { text: "Failed", tone: "bad" },
  deleting: { text: "Deleting", tone: "busy", moving: true },
  deleted: { text: "Deleted", tone: "quiet" },
};

const OPERATION: Record<OperationStatus, Word> = {
  queued: { text: "Queued", tone: "info", moving: true },
  running: { text: "Running", tone: "busy", moving: true },
  waiting: { text: "Waiting", tone: "busy" },
  stuck: { text: "Stuck", tone: "bad" },
  succeeded: { text: "Succeeded", tone: "good" },
  failed: { text: "Failed", tone: "bad" },
  cancelled: { text: "Cancelled", tone: "quiet" },
};

const plain = (term: string): string => {
  const text = term.replaceAll("_", " ").replaceAll(".", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

export const storeWord = (status: string): Word => STORE[status as StoreStatus] ?? { text: plain(status), tone: "quiet" };
export const operationWord = (status: string): Word => OPERATION[status as OperationStatus] ?? { text: plain(status), tone: "quiet" };

const STEPS: Record<string, [todo: string, now: string]> = {
  create_namespace: ["Reserve a place in the cluster", "Reserving a place in the cluster"],
  create_credentials: ["Store the administrator's credentials", "Storing the administrator's credentials"],
  install_release: ["Install the shop", "Installing the shop"],
  await_workloads: ["Start the shop and set it up", "Starting the shop and setting it up"],
  verify_storefront: ["Visit the storefront", "Visiting the storefront"],
  publish: ["Hand it over", "Handing it over"],
  uninstall_release: ["Stop the shop", "Stopping the shop"],
  delete_namespace: ["Remove what it held", "Removing what it held"],
  verify_gone: ["Check that nothing is left", "Checking that nothing is left"],
  release: ["Free its name", "Freeing its name"],
  rotate_credentials: ["Make new passwords", "Making new passwords"],
  rotate_release: ["Put them into the shop", "Putting them into the shop"],
  await_rotated: ["Start the shop with them", "Starting the shop with them"],
  verify_rotated: ["Visit the storefront", "Visiting the storefront"],
  clean_rotated: ["End the old passwords", "Ending the old passwords"],
  promote: ["Hand the new ones over", "Handing the new ones over"],
  upgrade_release: ["Install what is new", "Installing what is new"],
  await_upgraded: ["Start the shop with it", "Starting the shop with it"],
  verify_upgraded: ["Visit the storefront", "Visiting the storefront"],
  adopt: ["Keep it", "Keeping it"],
  revert_credentials: ["Take back the passwords that were", "Taking back the passwords that were"],
  revert_release: ["Take back the shop that was", "Taking back the shop that was"],
  await_reverted: ["Start it", "Starting it"],
  verify_reverted: ["Visit the storefront", "Visiting the storefront"],
  clean_reverted: ["Remove what was tried", "Removing what was tried"],
  settle_revert: ["Write down the outcome", "Writing down the outcome"],
  settle: ["Write down the outcome", "Writing down the outcome"],
};

/// A step of an engine's own set-up: the engine's word.
export const setupStep = (name: string): string => plain(name.replaceAll("-", " "));

export const stepTodo = (step: string): string => STEPS[step]?.[0] ?? plain(step);
export const stepNow = (step: string): string => STEPS[step]?.[1] ?? plain(step);

const KINDS: Record<string, [noun: string, now: string]> = {
  provision: ["Set-up", "Setting up"],
  delete: ["Deletion", "Deleting"],
  unwind: ["Cancellation", "Taking back"],
  upgrade: ["Upgrade", "Upgrading"],
  rotate: ["New credentials", "Changing credentials"],
  revert: ["Way back", "Going back to what was"],
};
export const kindNoun = (kind: string): string => KINDS[kind]?.[0] ?? plain(kind);
export const kindNow = (kind: string): string => KINDS[kind]?.[1] ?? plain(kind);

export const engineName = (engine: string): string =>
  ({ woocommerce: "WooCommerce", medusa: "Medusa" })[engine] ?? plain(engine);

export const eventName = (type: string): string =>
  ({
    store_created: "Store created",
    status_change: "State changed",
    info: "Note",
    helm_install: "Installed",
    helm_uninstall: "Uninstalled",
    warning: "Warning",
    error: "Error",
    recovery: "Recovered",
    security: "Security",
  })[type] ?? plain(type);

export const eventTone = (type: string): Tone =>
  type === "error" ? "bad" : type === "warning" || type === "recovery" ? "busy" : type === "security" ? "info" : "quiet";

/// Whether a message says no more than the states that stand beside it.
export const isBare = (message: string): boolean => /^\w+ (?:→|->) \w+$/.test(message);

/// Who must act on a failure.
export const whoActs = (kind: string): string =>
  ({
    retry: "It may pass by itself; trying again is the answer.",
    user: "This is up to you.",
    platform: "Whoever runs the platform has something to mend.",
  })[kind] ?? "";

/// What is behind a code, in two or three words.
export const causeName = (code: string): string =>
  ({
    image_pull: "Image cannot be had",
    crash_loop: "Container keeps ending",
    unschedulable: "No room in the cluster",
    quota_exceeded: "Quota too small",
    policy_denied: "A policy says no",
    probe_failing: "Health check fails",
    node_lost: "Node does not answer",
    volume_pending: "No volume",
    setup_failed: "Set-up failed",
    setup_result_missing: "Set-up without result",
    rollout_timeout: "Not ready in time",
    storefront_unreachable: "Storefront does not answer",
    release_failed: "Installation refused",
    chart_invalid: "Chart refuses its values",
    helm_unavailable: "Helm is missing",
    cluster_unreachable: "Cluster does not answer",
    breaker_open: "Cluster is resting",
    cluster_unfenced: "Cluster is not prepared",
    throttled: "Cluster is busy",
    permission_denied: "Permission is missing",
    namespace_terminating: "Still being removed",
    namespace_lost: "Namespace was removed",
    delete_blocked: "Something holds it",
    delete_stuck: "Deletion is stuck",
    engine_unavailable: "Engine not available",
    poisoned: "Workers ended in this step",
    cancelled: "Cancelled",
    internal: "Fault of Shopwright",
  })[code] ?? plain(code);

export const ROLES: Record<Role, { name: string; may: string }> = {
  owner: { name: "Owner", may: "Everything, the organisation itself included" },
  admin: { name: "Administrator", may: "Stores, credentials, members and invitations" },
  developer: { name: "Developer", may: "Creates stores and sets failed ones going again" },
  viewer: { name: "Viewer", may: "Looks at stores, changes nothing" },
};

export const SCOPES: Record<string, string> = {
  "account:read": "Read the account",
  "stores:read": "Read stores, logs and operations",
  "stores:write": "Create, delete, retry and cancel",
  "platform:admin": "Act as a platform administrator",
};
