//! Stands for the ingress where no pod runs: it answers 200 for hosts whose Ingress is in the apiserver, 404 for all others.

use std::net::SocketAddr;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::ListParams;
use kube::{Api, Client};

/// A running stub; it ends with this.
#[derive(Debug)]
pub struct IngressStub {
    address: SocketAddr,
    handle: actix_web::dev::ServerHandle,
}

impl IngressStub {
    /// Starts one on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(client: Client) -> anyhow::Result<Self> {
        let client = web::Data::new(client);
        let server = HttpServer::new(move || App::new().app_data(client.clone()).default_service(web::to(answer)))
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))?;
        let address = *server.addrs().first().ok_or_else(|| anyhow::anyhow!("no address"))?;
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, handle })
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

async fn answer(request: HttpRequest, client: web::Data<Client>) -> HttpResponse {
    let host = request.connection_info().host().split(':').next().unwrap_or_default().to_owned();
    let ingresses: Api<Ingress> = Api::all(client.get_ref().clone());
    match ingresses.list(&ListParams::default()).await {
        Ok(list) => {
            let known = list.items.iter().filter_map(|ingress| ingress.spec.as_ref()?.rules.as_ref()).flatten();
            if known.filter_map(|rule| rule.host.as_deref()).any(|known| known == host) {
                HttpResponse::Ok().finish()
            } else {
                HttpResponse::NotFound().finish()
            }
        }
        Err(error) => HttpResponse::BadGateway().body(error.to_string()),
    }
}
