//! Probes against a server on the loopback interface that says what it was asked.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

/// Answers every connection with `answer` and hands over the request. With no answer it never answers.
async fn ingress(answer: Option<&'static str>) -> (IngressAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = IngressAddr::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let (sender, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 4096];
            let length = stream.read(&mut buffer).await.unwrap();
            sender.send(String::from_utf8_lossy(&buffer[..length]).into_owned()).unwrap();
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => std::future::pending().await,
            }
        }
    });
    (address, requests)
}

fn storefront(ingress: IngressAddr, public_port: u16) -> HttpStorefront {
    crate::crypto::install_crypto();
    HttpStorefront::new(Some(ingress), Scheme::Http, public_port, Duration::from_secs(1)).unwrap()
}

fn host() -> StoreHost {
    "teashop.shops.example.com".parse().unwrap()
}

#[tokio::test]
async fn the_ingress_is_asked_for_the_stores_own_host() {
    let (address, mut requests) = ingress(Some("HTTP/1.1 204 No Content\r\n\r\n")).await;

    storefront(address.clone(), 80).probe(&host(), "/ready").await.unwrap();
    storefront(address, 8080).probe(&host(), "/ready").await.unwrap();

    let plain = requests.recv().await.unwrap();
    assert!(plain.starts_with("GET /ready HTTP/1.1\r\n"), "{plain}");
    assert!(plain.contains("host: teashop.shops.example.com\r\n"), "{plain}");
    let with_port = requests.recv().await.unwrap();
    assert!(with_port.contains("host: teashop.shops.example.com:8080\r\n"), "{with_port}");
}

#[tokio::test]
async fn only_success_is_success() {
    for (answer, expected) in [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 404),
        ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", 503),
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 302),
    ] {
        let (address, _requests) = ingress(Some(answer)).await;

        let error = storefront(address, 80).probe(&host(), "/ready").await.unwrap_err();

        assert!(matches!(error, StorefrontError::Status { status, .. } if status == expected), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let (address, _requests) = ingress(Some("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")).await;

    let error = storefront(address, 80).probe(&host(), "/").await.unwrap_err();

    assert!(matches!(error, StorefrontError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn silence_and_a_closed_door_are_told_apart() {
    let (silent, _requests) = ingress(None).await;
    let silence = storefront(silent, 80).probe(&host(), "/").await.unwrap_err().to_string();
    assert_eq!(silence, "no answer from the ingress for teashop.shops.example.com: no answer in time");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = IngressAddr::parse(&closed.to_string()).unwrap();
    let refused = storefront(address, 80).probe(&host(), "/").await.unwrap_err().to_string();
    assert!(refused.contains("Connection refused"), "{refused}");
}
