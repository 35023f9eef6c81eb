//! Runs the API on a listener, until it is told to stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::thread::JoinHandle;

use actix_web::{App, HttpServer};
use futures::channel::oneshot;
use futures::future::{Either, join, select};

use crate::{Api, Limits, State, routes};

/// Connections that the kernel keeps until they are accepted. The standard library listens with 128: with more at once the kernel drops the end
/// of a handshake, and a client that waits to be spoken to is connected to nothing for ever. The kernel cuts this to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Serves on `listener` until `shutdown` completes; then requests in flight have [`Limits::drain_time`] to end, and new ones on open
/// connections get 503. Signals are the caller's matter. Runs on any tokio runtime; the workers bring their own.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(listener: TcpListener, api: Api, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let limits: Limits = api.limits.clone();
    rustix::net::listen(&listener, BACKLOG)?;
    let state = State::new(api);
    let shared = state.clone();
    let workers = limits.workers.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let server = HttpServer::new(move || App::new().configure(routes::mount(shared.clone())))
        .workers(workers)
        .disable_signals()
        .max_connections(limits.max_connections)
        .client_request_timeout(limits.head_time)
        .client_disconnect_timeout(limits.head_time)
        .shutdown_timeout(limits.drain_time.as_secs())
        .listen(listener)?
        .run();
    let handle = server.handle();
    match select(server, pin!(shutdown)).await {
        Either::Left((result, _)) => result,
        Either::Right(((), server)) => {
            state.begin_draining();
            join(server, handle.stop(true)).await.0
        }
    }
}

/// The API on a free port of the loopback interface, on a thread of its own. For tests: nothing else runs in that thread, so the caller's
/// runtime can be of any kind. Dropping it stops it.
#[derive(Debug)]
pub struct LocalServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl LocalServer {
    /// Starts it. It accepts connections when this returns.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(mut api: Api) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        api.limits.workers.get_or_insert(1);
        let run = move || {
            let shutdown = async {
                // Dropped or sent, it means the same.
                let _ = stopped.await;
            };
            actix_web::rt::System::new().block_on(serve(listener, api, shutdown))
        };
        let thread = std::thread::Builder::new().name("shopwright-api".to_owned()).spawn(run)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins the shutdown and returns at once.
    pub fn begin_shutdown(&mut self) {
        self.stop.take();
    }

    /// Stops it and waits until it has: blocks the thread for as long as requests are in flight.
    ///
    /// # Errors
    /// What [`serve`] gives.
    pub fn stop(mut self) -> io::Result<()> {
        self.begin_shutdown();
        let joined = self.thread.take().map(JoinHandle::join);
        joined.map_or(Ok(()), |result| result.unwrap_or_else(|_| Err(io::Error::other("the server panicked"))))
    }
}

#[cfg(test)]
mod tests;
