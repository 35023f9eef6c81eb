//! The words of the command line. Parsing is all that happens here.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use shopwright_domain::engine::RotationTarget;
use shopwright_domain::store::{EngineName, ThemeName};
use shopwright_domain::{OperationId, TenantId};

use crate::config::{Flags, values};

/// Gives every merchant a store of their own.
#[derive(Debug, Parser)]
#[command(name = "shopwright", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// Where the commands that talk to a server find it.
    #[command(flatten)]
    pub client: ClientFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of all commands that talk to a server.
#[derive(Debug, Clone, Args)]
pub struct ClientFlags {
    /// The server's URL
    #[arg(long, global = true, env = "SHOPWRIGHT_SERVER", default_value = "http://127.0.0.1:3001", value_name = "URL")]
    pub server: String,
    /// How results are printed: a table, the API's JSON, or ids only
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table, value_name = "FORMAT")]
    pub output: Output,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// The API's own answer.
    Json,
    /// One id per line.
    Name,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server: the API, and the worker that makes stores
    Serve(Flags),
    /// Bring the database to this version's schema
    Migrate(Flags),
    /// Look after the keys that sign access tokens
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Look after the audit trail
    Audit {
        /// What to do with it.
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Prepare clusters for the server
    Clusters {
        /// What to do with them.
        #[command(subcommand)]
        command: ClustersCommand,
    },
    /// Print the OpenAPI document of this version's API
    Openapi,
    /// Become helm, tied to the life of the parent
    #[command(hide = true, disable_help_flag = true)]
    ExecHelm {
        /// The parent's pid, helm's path, helm's arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Pass connections on: what `make run` opens the ingress with
    #[command(hide = true)]
    Forward {
        /// Where to listen
        #[arg(long)]
        listen: SocketAddr,
        /// Where to connect
        #[arg(long)]
        to: SocketAddr,
    },
    /// A command that talks to a server.
    #[command(flatten)]
    Client(ClientCommand),
}

/// What an operator does with signing keys. It works on the server's database, with the server's settings.
#[derive(Debug, Clone, Subcommand)]
pub enum KeysCommand {
    /// Publish a new key, which signs a minute later; nobody is signed out
    Rotate {
        /// The key leaked: the new one signs now, every other is gone, and every client refreshes its access token
        #[arg(long)]
        at_once: bool,
        /// Where the database is.
        #[command(flatten)]
        settings: Flags,
    },
}

/// What an operator does with the audit trail. It works on the server's database, with the server's settings.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Read every entry again and check that its chain is whole; exit 1 names the first entry that is not
    Verify {
        /// Only this organisation's chain
        #[arg(long, value_name = "ID")]
        organisation: Option<TenantId>,
        /// Where the database is.
        #[command(flatten)]
        settings: Flags,
    },
    /// Write entries to standard output, oldest first; with digests, to be verified anywhere
    Export {
        /// Only this organisation's chain
        #[arg(long, value_name = "ID")]
        organisation: Option<TenantId>,
        /// Where the database is.
        #[command(flatten)]
        settings: Flags,
    },
}

/// What an administrator of a cluster does for the server.
#[derive(Debug, Clone, Subcommand)]
pub enum ClustersCommand {
    /// Install the service account, roles and admission policies that the server needs
    Prepare(AdminAccess),
    /// Write a kubeconfig of the server's own service account
    Kubeconfig {
        /// The administrator.
        #[command(flatten)]
        admin: AdminAccess,
        /// Where the kubeconfig is written
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Whose rights are used: named, never found.
#[derive(Debug, Clone, Args)]
pub struct AdminAccess {
    /// The kubeconfig of an administrator of the cluster
    #[arg(long, value_name = "FILE")]
    pub admin_kubeconfig: PathBuf,
    /// The context in it; its current one otherwise
    #[arg(long, value_name = "NAME")]
    pub admin_context: Option<String>,
}

/// The commands that talk to a server.
#[derive(Debug, Clone, Subcommand)]
pub enum ClientCommand {
    /// Sign in; the sign-in is kept for this server and refreshed by itself
    Login(Login),
    /// Sign out of this server
    Logout,
    /// See what stores can be made of
    Engines {
        /// What to do with them.
        #[command(subcommand)]
        command: EnginesCommand,
    },
    /// Create, look at and remove stores
    Stores {
        /// What to do with them.
        #[command(subcommand)]
        command: StoresCommand,
    },
    /// Look at what runs for stores
    Operations {
        /// What to do with them.
        #[command(subcommand)]
        command: OperationsCommand,
    },
    /// Look after the platform as a whole; for platform administrators
    Platform {
        /// What to do.
        #[command(subcommand)]
        command: PlatformCommand,
    },
}

/// Signing in.
#[derive(Debug, Clone, Args)]
pub struct Login {
    /// The account's address
    #[arg(long)]
    pub email: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long, help = "Read the password from standard input instead of asking for it [or set SHOPWRIGHT_PASSWORD]")]
    pub password_stdin: bool,
}

/// What can be done with stores.
#[derive(Debug, Clone, Subcommand)]
pub enum StoresCommand {
    /// Ask for a new store
    Create(Create),
    /// List stores, newest first
    List(List),
    /// Show one store; for its owner with its credentials
    Get(StoreRef),
    /// Remove a store and everything it holds
    Delete(Delete),
    /// Go on with a failed store at the step at which it failed
    Retry(Retry),
    /// Stop making a store and take back what was made; it stays, failed, to be retried or deleted
    Cancel(StoreRef),
    /// Show what happened to a store
    Logs(Logs),
    /// Wait until a store is ready, or gone
    Wait(Wait),
    /// Print the store's URL and open it in a browser, where there is one
    Open(StoreRef),
    /// Show who signs in to a store
    Credentials(ShowCredentials),
    /// Replace a store's passwords
    Rotate(Rotate),
    /// Bring a store to what the server would make of it now; when that fails it is brought back
    Upgrade(Upgrade),
}

/// Whose credentials.
#[derive(Debug, Clone, Args)]
pub struct ShowCredentials {
    /// The store.
    #[command(flatten)]
    pub store: StoreRef,
    /// Show the password too; the server writes down that somebody looked
    #[arg(long)]
    pub reveal: bool,
}

/// Which passwords to replace.
#[derive(Debug, Clone, Args)]
pub struct Rotate {
    /// The store.
    #[command(flatten)]
    pub store: StoreRef,
    /// administrator, database, or both with a comma between
    #[arg(long = "target", value_delimiter = ',', default_value = "administrator", value_name = "TARGET")]
    pub targets: Vec<RotationTarget>,
    /// Wait for the end; exit 0 only when it is a good one
    #[arg(long)]
    pub wait: bool,
    /// How long.
    #[command(flatten)]
    pub patience: Patience,
}

/// Which store to upgrade.
#[derive(Debug, Clone, Args)]
pub struct Upgrade {
    /// The store.
    #[command(flatten)]
    pub store: StoreRef,
    /// Only show what would change
    #[arg(long, conflicts_with = "wait")]
    pub dry_run: bool,
    /// Wait for the end; exit 0 only when it is a good one
    #[arg(long)]
    pub wait: bool,
    /// How long.
    #[command(flatten)]
    pub patience: Patience,
}

/// What can be done with engines.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum EnginesCommand {
    /// List what stores can be made of
    List,
}

/// A store, by its name or its id.
#[derive(Debug, Clone, Args)]
pub struct StoreRef {
    /// The store's name or id
    #[arg(value_name = "STORE")]
    pub store: String,
}

/// How long to follow.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// How long to wait, for instance 90s or 15m; what runs goes on afterwards
    #[arg(long, default_value = "15m", value_parser = duration, value_name = "DURATION")]
    pub timeout: Duration,
}

/// A new store.
#[derive(Debug, Clone, Args)]
pub struct Create {
    /// 3 to 63 lower-case letters, digits and hyphens
    pub name: String,
    /// What runs in it: one of `shopwright engines list`
    #[arg(long)]
    pub engine: EngineName,
    /// The look of the store, for engines that have a choice
    #[arg(long)]
    pub theme: Option<ThemeName>,
    /// Read the password of the store's administrator from standard input; a strong one is made otherwise
    #[arg(long)]
    pub password_stdin: bool,
    /// Wait until the store is ready; exit 0 only then
    #[arg(long)]
    pub wait: bool,
    /// How long.
    #[command(flatten)]
    pub patience: Patience,
}

/// Which stores.
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Only stores in this state
    #[arg(long)]
    pub status: Option<String>,
    /// Only stores of this engine
    #[arg(long)]
    pub engine: Option<EngineName>,
}

/// Which store to remove.
#[derive(Debug, Clone, Args)]
pub struct Delete {
    /// The store.
    #[command(flatten)]
    pub store: StoreRef,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Wait until nothing is left; exit 0 only then
    #[arg(long)]
    pub wait: bool,
    /// How long.
    #[command(flatten)]
    pub patience: Patience,
}

/// Which store to go on with.
#[derive(Debug, Clone, Args)]
pub struct Retry {
    /// The store.
    #[command(flatten)]
    pub store: StoreRef,
    /// Wait for the end; exit 0 only when it is a good one
    #[arg(long)]
    pub wait: bool,
    /// How long.
    #[command(flatten)]
    pub patience: Patience,
}

/// Which entries.
#[derive(Debug, Clone, Args)]
pub struct Logs {
    /// The store.
    #[command(flatten)]
    pub store: StoreRef,
    /// At most so many, the newest
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
}

/// What to wait for.
#[derive(Debug, Clone, Args)]
pub struct Wait {
    /// The store.
    #[command(flatten)]
    pub store: StoreRef,
    /// What to wait for
    #[arg(long = "for", value_enum, default_value_t = Goal::Ready, value_name = "STATE")]
    pub goal: Goal,
    /// How long.
    #[command(flatten)]
    pub patience: Patience,
}

/// A good end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    /// The store sells.
    Ready,
    /// Nothing of it is left.
    Deleted,
}

/// What can be done with operations.
#[derive(Debug, Clone, Subcommand)]
pub enum OperationsCommand {
    /// Show one operation with its steps
    Get {
        /// The operation's id
        id: OperationId,
    },
    /// Stop a store's provision and take back what it has made
    Cancel {
        /// The operation's id
        id: OperationId,
    },
}

/// What platform administrators do.
#[derive(Debug, Clone, Subcommand)]
pub enum PlatformCommand {
    /// Show every cluster: whether it takes work, and what is on it
    Clusters,
    /// Look after accounts
    Users {
        /// What to do with them.
        #[command(subcommand)]
        command: PlatformUsersCommand,
    },
}

/// What can be done with accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum PlatformUsersCommand {
    /// List accounts of all organisations, newest first
    List {
        /// Only those with this in their address or name
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Let somebody sign in again
    Activate(UserRef),
    /// Sign somebody out everywhere, revoke their API tokens, and let them in no more; their stores go on
    Deactivate(Deactivate),
}

/// An account, by its id, address or name.
#[derive(Debug, Clone, Args)]
pub struct UserRef {
    /// The account's id, address or username
    #[arg(value_name = "USER")]
    pub user: String,
}

/// Whom to let in no more.
#[derive(Debug, Clone, Args)]
pub struct Deactivate {
    /// The account.
    #[command(flatten)]
    pub user: UserRef,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    values::duration(text).map_err(|problem| format!("it {problem}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_may_follow_the_command() {
        let line = "shopwright stores create teashop --engine medusa --wait -o json --server http://x";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();

        assert_eq!((cli.client.output, cli.client.server.as_str()), (Output::Json, "http://x"));
    }

    #[test]
    fn helm_gets_its_arguments_as_they_are() {
        let line = ["shopwright", "exec-helm", "1", "/bin/helm", "upgrade", "--install", "-f", "-", "--help"];
        let Command::ExecHelm { args } = Cli::try_parse_from(line).unwrap().command else { panic!("another command") };

        assert_eq!(args, line[2..]);
    }

    #[test]
    fn what_cannot_name_an_engine_is_a_mistake_of_usage() {
        let error =
            Cli::try_parse_from(["shopwright", "stores", "create", "teashop", "--engine", "Magento 2"]).unwrap_err();

        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("an engine's name is at most 32"), "{error}");
    }
}
