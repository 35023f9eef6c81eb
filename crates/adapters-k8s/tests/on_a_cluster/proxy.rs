//! Between the product's account and the real apiserver: passes calls on, loses answers, holds calls back, and remembers them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig};
use shopwright_adapters_k8s::{KubeCluster, KubeSource};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::{Bed, cluster_at};

/// A call, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
}

impl Call {
    pub(crate) fn is(&self, method: &Method, path_end: &str) -> bool {
        self.method == *method && self.path.ends_with(path_end)
    }

    /// Of the shared watches: they list and watch whole kinds, and decide nothing.
    pub(crate) fn is_watch(&self) -> bool {
        self.query.split('&').any(|pair| pair == "watch=true")
    }
}

/// What happens to a call.
pub(crate) enum Verdict {
    Pass,
    /// It never reaches the cluster; this is the answer.
    Answer(u16, Option<u32>, String),
    /// It reaches the cluster, and the connection ends before the answer.
    LoseReply,
    /// Nothing happens any more.
    Hang,
    /// It says that it has come, and goes on when it is told to.
    Hold(oneshot::Sender<()>, oneshot::Receiver<()>),
}

/// A call that is held back.
pub(crate) struct Held {
    came: oneshot::Receiver<()>,
    go: oneshot::Sender<()>,
}

impl Held {
    pub(crate) async fn came(&mut self) {
        let came = tokio::time::timeout(Duration::from_secs(20), &mut self.came).await;
        came.expect("the call never came").expect("the proxy has ended");
    }

    pub(crate) fn go(self) {
        self.go.send(()).expect("nobody waits any more");
    }
}

type Script = Box<dyn FnMut(&Call) -> Verdict + Send>;

struct Shared {
    upstream: Client,
    script: Mutex<Script>,
    calls: Mutex<Vec<Call>>,
}

pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Proxy {
    pub(crate) async fn start(bed: &Bed) -> Self {
        let KubeSource::Kubeconfig { path, .. } = &bed.admin_settings.source else { panic!("no kubeconfig") };
        let file = Kubeconfig::read_from(path).unwrap();
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
        // Whoever calls is who he is, not the administrator.
        config.auth_info = AuthInfo::default();
        config.default_retry = false;
        config.read_timeout = None;
        let shared = Arc::new(Shared {
            upstream: Client::try_from(config).unwrap(),
            script: Mutex::new(Box::new(|_| Verdict::Pass)),
            calls: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, serving }
    }

    /// The product's account behind this proxy.
    pub(crate) async fn cluster(&self, bed: &Bed, timeout: Duration) -> KubeCluster {
        cluster_at(bed, self.address, timeout).await
    }

    pub(crate) fn obey(&self, script: impl FnMut(&Call) -> Verdict + Send + 'static) {
        *self.shared.script.lock().unwrap() = Box::new(script);
    }

    /// The first such call meets this; everything else passes.
    pub(crate) fn once(&self, method: Method, path_end: &str, verdict: Verdict) {
        let (path_end, mut verdict) = (path_end.to_owned(), Some(verdict));
        self.obey(move |call| {
            let meant = call.is(&method, &path_end) && !call.is_watch();
            if meant { verdict.take().unwrap_or(Verdict::Pass) } else { Verdict::Pass }
        });
    }

    /// Holds the first such call back.
    pub(crate) fn hold(&self, method: Method, path_end: &str) -> Held {
        let ((tell, came), (go, wait)) = (oneshot::channel(), oneshot::channel());
        self.once(method, path_end, Verdict::Hold(tell, wait));
        Held { came, go }
    }

    /// Everything that came since this was asked last.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.shared.calls.lock().unwrap())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| serve(Arc::clone(&shared), request));
            // A lost answer ends its connection by an error.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, String> {
    let call = Call {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
    };
    let verdict = (shared.script.lock().unwrap())(&call);
    shared.calls.lock().unwrap().push(call);
    match verdict {
        Verdict::Pass => forward(&shared, request).await,
        Verdict::Answer(code, wait, body) => {
            let mut answer = Response::builder().status(code);
            if let Some(seconds) = wait {
                answer = answer.header(RETRY_AFTER, seconds);
            }
            answer.body(Body::from(body.into_bytes())).map_err(|error| error.to_string())
        }
        Verdict::LoseReply => {
            forward(&shared, request).await?.into_body().collect().await.map_err(|error| error.to_string())?;
            Err("the answer is lost".to_owned())
        }
        Verdict::Hang => std::future::pending().await,
        Verdict::Hold(came, go) => {
            let _ = came.send(());
            go.await.map_err(|error| error.to_string())?;
            forward(&shared, request).await
        }
    }
}

async fn forward(shared: &Shared, request: Request<Incoming>) -> Result<Response<Body>, String> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    for header in [HOST, CONNECTION] {
        parts.headers.remove(header);
    }
    let sent = shared.upstream.send(Request::from_parts(parts, Body::from(body))).await;
    sent.map_err(|error| error.to_string())
}
