//! The program `shopwright`: parses, dispatches, says in words what went wrong.

use std::process::ExitCode;

use clap::Parser;
use shopwright_adapters_helm::exec_helm;
use shopwright_app::cli::client::{Console, run_client};
use shopwright_app::cli::definition::{AuditCommand, Cli, ClustersCommand, Command, KeysCommand};
use shopwright_app::config::{Config, Environment, KeysConfig, MigrateConfig};
use shopwright_app::memory::keep_memory_private;
use shopwright_app::telemetry::Tracing;
use shopwright_app::{crypto, forward, wiring};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // helm takes this process's place: no thread, no runtime, no provider before that.
    if let Command::ExecHelm { args } = &cli.command {
        return failed(&exec_helm::run(args.iter().cloned()));
    }
    if let Err(error) = keep_memory_private() {
        return failed(&error);
    }
    crypto::install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => failed(error.as_ref()),
    }
}

async fn run(cli: Cli) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let environment = Environment::of_process();
    match cli.command {
        Command::Serve(flags) => {
            let config = Config::load(&flags, &environment)?;
            let tracing = Tracing::begin(config.log_format)?;
            let served = wiring::serve(config, tracing.traces()).await;
            tracing.end().await;
            served?;
        }
        Command::Migrate(flags) => {
            let config = MigrateConfig::load(&flags, &environment)?;
            wiring::init_logs(config.log_format);
            wiring::migrate(config).await?;
        }
        Command::Keys { command: KeysCommand::Rotate { at_once, settings } } => {
            let config = KeysConfig::load(&settings, &environment)?;
            wiring::init_logs(config.log_format);
            println!("{}", wiring::rotate_keys(&config, at_once).await?);
        }
        Command::Audit { command } => return audit(command, &environment).await,
        Command::Clusters { command: ClustersCommand::Prepare(admin) } => {
            for line in wiring::prepare_cluster(&admin.admin_kubeconfig, admin.admin_context.as_deref()).await? {
                println!("{line}");
            }
        }
        Command::Clusters { command: ClustersCommand::Kubeconfig { admin, out } } => {
            wiring::write_kubeconfig(&admin.admin_kubeconfig, admin.admin_context.as_deref(), &out).await?;
        }
        Command::Openapi => print!("{}", shopwright_api_actix::openapi()),
        Command::Forward { listen, to } => {
            forward::run(listen, to)
                .await
                .map_err(|error| format!("cannot forward {listen}: {error}; is the port in use?"))?;
        }
        Command::Client(command) => {
            let mut console = Console::of_process(environment.get("NO_COLOR").is_some());
            return Ok(run_client(command, &cli.client, &environment, &mut console).await.into());
        }
        // Answered before there was a runtime.
        Command::ExecHelm { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Exit code 1 for a chain that is broken, as for every other reason not to trust it.
async fn audit(command: AuditCommand, environment: &Environment) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let whole = match command {
        AuditCommand::Verify { organisation, settings } => {
            let config = MigrateConfig::load(&settings, environment)?;
            wiring::init_logs(config.log_format);
            wiring::verify_audit(&config, organisation, &mut std::io::stdout()).await?
        }
        AuditCommand::Export { organisation, settings } => {
            let config = MigrateConfig::load(&settings, environment)?;
            wiring::init_logs(config.log_format);
            wiring::export_audit(&config, organisation, &mut std::io::stdout()).await?;
            true
        }
    };
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("shopwright: {error}");
    ExitCode::FAILURE
}
