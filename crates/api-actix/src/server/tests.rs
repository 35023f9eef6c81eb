//! The server on a real port: it stops when told to, and lets requests in flight end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::testing::{Bench, Stalled};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn ask(address: SocketAddr, head: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "{head}\r\nHost: localhost\r\n\r\n")?;
    Ok(stream)
}

fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn it_serves_on_a_free_port_until_it_is_stopped() {
    let server = LocalServer::start(Bench::new().api()).unwrap();
    let address = server.address();

    let answer = rest(ask(address, "GET /livez HTTP/1.1\r\nConnection: close").unwrap());
    server.stop().unwrap();

    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(TcpStream::connect(address).is_err(), "the port is still open");
}

#[test]
fn head_answers_with_the_headers_of_get_and_no_body() {
    let server = LocalServer::start(Bench::new().api()).unwrap();

    let answer = rest(ask(server.address(), "HEAD / HTTP/1.1\r\nConnection: close").unwrap());
    server.stop().unwrap();

    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn a_request_in_flight_ends_although_the_shutdown_has_begun() {
    let (stalled, gate) = Stalled::new();
    let mut server = LocalServer::start(Api { health: Arc::new(stalled), ..Bench::new().api() }).unwrap();
    let address = server.address();
    let in_flight = ask(address, "GET /api/v1/health HTTP/1.1").unwrap();
    gate.wait_for_somebody(PATIENCE);

    server.begin_shutdown();
    // The listener closes first: then the shutdown has begun for certain.
    let (tell, refused) = mpsc::channel();
    std::thread::spawn(move || {
        while TcpStream::connect(address).is_ok() {
            std::thread::yield_now();
        }
        let _ = tell.send(());
    });
    refused.recv_timeout(PATIENCE).unwrap();
    drop(gate);

    let answer = rest(in_flight);
    server.stop().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}
