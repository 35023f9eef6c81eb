//! Stands for the ingress where no pod runs: it answers 200 for hosts whose Ingress is in the apiserver, 404 for all others.
//!
//! Like an ingress controller it goes on with what it has learned while the apiserver is away.

use std::net::SocketAddr;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures::StreamExt;
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::ListParams;
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio_util::task::AbortOnDropHandle;

/// A running stub; it ends with this.
#[derive(Debug)]
pub struct IngressStub {
    address: SocketAddr,
    handle: actix_web::dev::ServerHandle,
    _watching: AbortOnDropHandle<()>,
}

struct Ingresses {
    client: Client,
    known: Store<Ingress>,
}

impl IngressStub {
    /// Starts one on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(client: Client) -> anyhow::Result<Self> {
        let (known, writer) = reflector::store();
        let events = watcher(Api::<Ingress>::all(client.clone()), watcher::Config::default()).default_backoff();
        // A watch that fails is begun again, and the store keeps what it has.
        let watching = tokio::spawn(reflector::reflector(writer, events).for_each(|_| std::future::ready(())));

        let ingresses = web::Data::new(Ingresses { client, known });
        let server = HttpServer::new(move || App::new().app_data(ingresses.clone()).default_service(web::to(answer)))
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))?;
        let address = *server.addrs().first().ok_or_else(|| anyhow::anyhow!("no address"))?;
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, handle, _watching: AbortOnDropHandle::new(watching) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for IngressStub {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, ingresses: web::Data<Ingresses>) -> HttpResponse {
    let host = request.connection_info().host().split(':').next().unwrap_or_default().to_owned();
    if ingresses.known.state().iter().any(|ingress| serves(ingress, &host)) {
        return HttpResponse::Ok().finish();
    }
    // The watch may be a moment behind.
    match Api::<Ingress>::all(ingresses.client.clone()).list(&ListParams::default()).await {
        Ok(list) if list.items.iter().any(|ingress| serves(ingress, &host)) => HttpResponse::Ok().finish(),
        Ok(_) => HttpResponse::NotFound().finish(),
        Err(error) => HttpResponse::BadGateway().body(error.to_string()),
    }
}

fn serves(ingress: &Ingress, host: &str) -> bool {
    let rules = ingress.spec.as_ref().and_then(|spec| spec.rules.as_ref());
    rules.into_iter().flatten().any(|rule| rule.host.as_deref() == Some(host))
}
