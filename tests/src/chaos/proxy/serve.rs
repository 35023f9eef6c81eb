//! The side that the callers see.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::forward::Body;
use super::{Fault, Outage, Shared};

/// What ends a call without an answer: hyper closes the connection, or resets the stream.
type Broken = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn tls(pki: &Path) -> anyhow::Result<TlsAcceptor> {
    let mut certificates = BufReader::new(File::open(pki.join("apiserver.crt"))?);
    let certificates = CertificateDer::pem_reader_iter(&mut certificates).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(pki.join("apiserver.key"))?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub(super) async fn accept(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
            () = stop.cancelled() => return,
        };
        if shared.faults.outage() == Some(Outage::Refused) {
            shared.meter.call("");
            shared.meter.fault("refused");
            // Without lingering the close is a reset: the caller learns at once that nobody is there.
            let _ = stream.set_zero_linger();
            continue;
        }
        let (tls, shared, end) = (tls.clone(), Arc::clone(&shared), shared.connections());
        tokio::spawn(async move {
            tokio::select! {
                () = connection(stream, &tls, &shared) => {}
                () = end.cancelled() => {}
            }
        });
    }
}

async fn connection(stream: TcpStream, tls: &TlsAcceptor, shared: &Arc<Shared>) {
    // Whatever goes wrong with a connection, its caller has seen it.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else { return };
    let service = service_fn(|request| answer(request, Arc::clone(shared)));
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Body>, Broken> {
    let (parts, body) = request.into_parts();
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    shared.meter.call(agent);
    let body = body.collect().await?.to_bytes();
    let fault = shared.faults.of(&parts);
    if let Some(fault) = fault {
        shared.meter.fault(fault.name());
    }
    match fault {
        None => Ok(shared.upstream.send(parts, body).await?),
        Some(Fault::Throttled) => Ok(refusal(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests")),
        Some(Fault::Error) => Ok(refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")),
        Some(Fault::Reset) => Err("reset on purpose".into()),
        Some(Fault::ReplyLost) => {
            shared.upstream.send(parts, body).await?;
            Err("the reply is lost on purpose".into())
        }
        // Ends with the connection.
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Late(delay)) => late(parts, body, delay, &shared).await,
    }
}

/// Done also when the caller is gone by then.
async fn late(parts: Parts, body: Bytes, delay: Duration, shared: &Shared) -> Result<Response<Body>, Broken> {
    let upstream = shared.upstream.clone();
    let sending = tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        upstream.send(parts, body).await
    });
    Ok(sending.await??)
}

fn refusal(status: StatusCode, reason: &str) -> Response<Body> {
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"broken on purpose","reason":"{reason}","code":{}}}"#,
        status.as_u16()
    );
    let mut response = Response::new(Full::from(body).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    response
}
