//! `make chaos`: runs the plan that the environment names and prints the table. Fails when a promise is broken.

use std::path::PathBuf;
use std::process::ExitCode;

use shopwright_system_tests::chaos::{Plan, run};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<ExitCode> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| anyhow::anyhow!("usage: chaos DIRECTORY; see tests/chaos"))?;
    let report = run(Plan::read()?, directory).await?;
    print!("\n{report}");
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
