//! The program `shopwright`: parses, dispatches, says in words what went wrong.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use shopwright_app::config::{Config, Environment, Flags, MigrateConfig};
use shopwright_app::{crypto, forward, wiring};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(Flags),
    Migrate(Flags),
    Clusters {
        #[command(subcommand)]
        command: ClustersCommand,
    },
    #[command(hide = true)]
    Forward {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        to: SocketAddr,
    },
}

#[derive(Subcommand)]
enum ClustersCommand {
    Prepare {
        #[arg(long)]
        admin_kubeconfig: PathBuf,
        #[arg(long)]
        admin_context: Option<String>,
    },
    Kubeconfig {
        #[arg(long)]
        admin_kubeconfig: PathBuf,
        #[arg(long)]
        admin_context: Option<String>,
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    crypto::install_crypto();
    let mut arguments = std::env::args_os();
    // Not a command for people, and it must not start any thread before helm takes its place.
    if arguments.nth(1).is_some_and(|first| first == shopwright_adapters_helm::exec_helm::SUBCOMMAND) {
        let error = shopwright_adapters_helm::exec_helm::run(arguments);
        eprintln!("shopwright: {error}");
        return ExitCode::FAILURE;
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("shopwright: no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shopwright: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let environment = Environment::of_process();
    match command {
        Command::Serve(flags) => {
            let config = Config::load(&flags, &environment)?;
            wiring::init_logs(config.log_format);
            wiring::serve(config).await?;
        }
        Command::Migrate(flags) => {
            let config = MigrateConfig::load(&flags, &environment)?;
            wiring::init_logs(config.log_format);
            wiring::migrate(config).await?;
        }
        Command::Clusters { command: ClustersCommand::Prepare { admin_kubeconfig, admin_context } } => {
            for line in wiring::prepare_cluster(&admin_kubeconfig, admin_context.as_deref()).await? {
                println!("{line}");
            }
        }
        Command::Clusters { command: ClustersCommand::Kubeconfig { admin_kubeconfig, admin_context, out } } => {
            wiring::write_kubeconfig(&admin_kubeconfig, admin_context.as_deref(), &out).await?;
        }
        Command::Forward { listen, to } => forward::run(listen, to).await?,
    }
    Ok(())
}
