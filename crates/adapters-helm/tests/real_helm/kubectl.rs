//! The cluster as its administrator, by kubectl.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

#[derive(Debug, Clone)]
pub(crate) struct Kubectl {
    pub(crate) kubeconfig: PathBuf,
}

impl Kubectl {
    /// Runs kubectl and gives its stdout, or its stderr.
    pub(crate) async fn run(&self, args: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(args).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl is in PATH");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        let limit = Duration::from_secs(45);
        let output = timeout(limit, child.wait_with_output()).await.expect("kubectl ends in time").unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    pub(crate) async fn ok(&self, args: &[&str]) -> String {
        self.run(args, "").await.unwrap_or_else(|error| panic!("kubectl {args:?}: {error}"))
    }

    /// By the server: tests in other processes apply the same objects at the same time, and "absent, so create it" races.
    pub(crate) async fn apply(&self, manifest: &Value) {
        let applied =
            self.run(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &manifest.to_string()).await;
        applied.unwrap_or_else(|error| panic!("{manifest}: {error}"));
    }

    pub(crate) async fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["-o", "json"]].concat();
        serde_json::from_str(&self.ok(&args).await).unwrap()
    }

    /// Repeats the call until it ends as wanted: what admission goes by arrives at the API server a little later.
    pub(crate) async fn until(&self, what: &str, args: &[&str], wanted: impl Fn(&Result<String, String>) -> bool) {
        let limit = Instant::now() + Duration::from_mins(1);
        loop {
            let result = self.run(args, "").await;
            if wanted(&result) {
                return;
            }
            assert!(Instant::now() < limit, "in vain: {what}: {result:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}
