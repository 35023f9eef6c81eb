//! The way from the proxy to the apiserver.

use std::path::Path;

use anyhow::Context;
use futures::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Response, header};
use kube::config::Kubeconfig;

/// Bodies as they come: a watch has no end.
pub(super) type Body = UnsyncBoxBody<Bytes, reqwest::Error>;

/// The apiserver itself.
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    client: reqwest::Client,
    server: String,
}

/// What concerns one connection and not the next (RFC 9110, 7.6.1).
const HOP_BY_HOP: [header::HeaderName; 5] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TE, header::CONTENT_LENGTH];

impl Upstream {
    pub(super) fn of(kubeconfig: &Path, pki: &Path) -> anyhow::Result<Self> {
        let config = Kubeconfig::read_from(kubeconfig)?;
        let server = config.clusters.first().and_then(|named| named.cluster.as_ref()?.server.clone());
        let authority = reqwest::Certificate::from_pem(&std::fs::read(pki.join("ca.crt"))?)?;
        // One call a connection: a connection that dies takes no other call along, as the callers' own would not.
        let client = reqwest::Client::builder().tls_certs_only([authority]).http1_only().no_proxy().build()?;
        Ok(Self { client, server: server.context("the kubeconfig names no server")? })
    }

    /// Sends the call on and returns the answer as soon as it begins.
    pub(super) async fn send(&self, request: Parts, body: Bytes) -> reqwest::Result<Response<Body>> {
        let path = request.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = request.headers;
        strip(&mut headers);
        headers.remove(header::HOST);
        let url = format!("{}{path}", self.server);
        let answer = self.client.request(request.method, url).headers(headers).body(body).send().await?;

        let mut response = Response::new(Body::default());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        strip(response.headers_mut());
        let frames = stream::unfold(Some(answer), |answer| async move {
            let mut answer = answer?;
            match answer.chunk().await {
                Ok(chunk) => chunk.map(|chunk| (Ok(Frame::data(chunk)), Some(answer))),
                Err(error) => Some((Err(error), None)),
            }
        });
        *response.body_mut() = StreamBody::new(frames.boxed()).boxed_unsync();
        Ok(response)
    }
}

fn strip(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}
