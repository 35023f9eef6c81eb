//! A plain TCP forwarder: what lets a browser on this machine reach the ingress of the local cluster by a name that resolves to loopback.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Forwards every connection to `listen` to `target`, until the process ends.
///
/// # Errors
/// The system's error when `listen` cannot be bound. A target that does not answer costs its connection, nothing else.
pub async fn run(listen: SocketAddr, target: SocketAddr) -> std::io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    serve(listener, target).await
}

async fn serve(listener: TcpListener, target: SocketAddr) -> std::io::Result<()> {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(connect(client, target));
            }
            Err(error) => {
                // Out of file descriptors: connections that end give some back.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connect(mut client: TcpStream, target: SocketAddr) {
    match TcpStream::connect(target).await {
        Ok(mut server) => {
            // Either side may go away at any time; that is how connections end.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        Err(error) => tracing::warn!(%target, %error, "the ingress does not answer"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn bytes_pass_both_ways() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (target, entry) = (server.local_addr().unwrap(), listener.local_addr().unwrap());
        let forwarding = tokio::spawn(serve(listener, target));

        let mut client = TcpStream::connect(entry).await.unwrap();
        client.write_all(b"ping").await.unwrap();
        let (mut peer, _) = server.accept().await.unwrap();
        let mut heard = [0; 4];
        peer.read_exact(&mut heard).await.unwrap();
        peer.write_all(b"pong").await.unwrap();
        let mut answer = [0; 4];
        client.read_exact(&mut answer).await.unwrap();

        assert_eq!((&heard, &answer), (b"ping", b"pong"));
        forwarding.abort();
    }
}
