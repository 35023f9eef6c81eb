//! Holds helm in the middle of its work: an admission webhook that listens and never answers. A request for the store's objects of
//! one kind gets no further while it is there, and its arrival says that helm has come that far. Let go, the request goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use shopwright_domain::StoreId;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep};

use crate::kubectl::Kubectl;
use crate::world::LIMIT;

/// What is held: API group, resource, and what to create to see whether it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held(&'static str, &'static str, &'static [&'static str]);

/// What helm applies first.
pub(crate) const ACCOUNTS: Held = Held("", "serviceaccounts", &["serviceaccount", "probe"]);
/// What helm applies last and removes first.
pub(crate) const DEPLOYMENTS: Held = Held("apps", "deployments", &["deployment", "probe", "--image=x"]);

#[derive(Debug)]
pub(crate) struct Hold {
    kubectl: Kubectl,
    name: String,
    probe: Vec<String>,
    arrivals: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Hold {
    /// Returns when the API server calls the webhook.
    pub(crate) async fn start(kubectl: &Kubectl, store_id: &StoreId, what: Held) -> Self {
        let Held(group, resource, probe) = what;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let arrivals = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&arrivals);
        let listening = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                open.push(stream);
            }
        });
        let name = format!("helm-test-hold-{store_id}");
        let rules =
            json!([{"apiGroups": [group], "apiVersions": ["v1"], "operations": ["*"], "resources": [resource]}]);
        let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": store_id.namespace()}});
        kubectl
            .apply(&json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": name}, "webhooks": [{"name": "hold.helm-test.invalid", "rules": rules,
                    "namespaceSelector": selector, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                    "failurePolicy": "Ignore", "timeoutSeconds": 30,
                    "clientConfig": {"url": format!("https://127.0.0.1:{port}/")}}]}))
            .await;
        let probe = [&["-n", store_id.namespace(), "create", "--dry-run=server"], probe].concat();
        let probe = probe.into_iter().map(str::to_owned).collect();
        let hold = Self { kubectl: kubectl.clone(), name, probe, arrivals, listening };
        let limit = Instant::now() + LIMIT;
        while hold.arrivals.load(Ordering::SeqCst) == 0 {
            assert!(Instant::now() < limit, "the webhook is never called");
            // Either it ends, and the webhook is not known yet, or it is held.
            tokio::select! {
                _ = hold.try_probe() => {}
                () = hold.next_arrival(0) => {}
            }
        }
        hold
    }

    /// Runs what starts a helm until a request of that helm is held. What ends without one was not at work on what is held, and says why.
    pub(crate) async fn holds<T>(&self, run: impl Future<Output = T> + Send + 'static) -> JoinHandle<T>
    where
        T: std::fmt::Debug + Send + 'static,
    {
        let before = self.arrivals();
        let mut run = tokio::spawn(run);
        tokio::select! {
            () = self.next_arrival(before) => run,
            ended = &mut run => panic!("it ended before helm came so far: {ended:?}"),
        }
    }

    pub(crate) fn arrivals(&self) -> usize {
        self.arrivals.load(Ordering::SeqCst)
    }

    /// Waits until more requests than that have arrived.
    pub(crate) async fn next_arrival(&self, than: usize) {
        let limit = Instant::now() + LIMIT;
        while self.arrivals() <= than {
            assert!(Instant::now() < limit, "helm never came so far");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets the requests go, and returns when new ones pass.
    pub(crate) async fn release(self) {
        self.kubectl.ok(&["delete", "validatingwebhookconfiguration", &self.name]).await;
        self.listening.abort();
        let probe: Vec<&str> = self.probe.iter().map(String::as_str).collect();
        self.kubectl.until("the webhook is forgotten", &probe, Result::is_ok).await;
    }

    async fn try_probe(&self) -> Result<String, String> {
        let probe: Vec<&str> = self.probe.iter().map(String::as_str).collect();
        self.kubectl.run(&probe, "").await
    }
}
