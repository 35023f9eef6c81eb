//! A mock issuer on the loopback interface, its good tokens, and a table of those that are none (RELIABILITY S1, S2).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use shopwright_ports::testing::ManualClock;

use super::*;

/// A key of the issuer: what it signs with, and what it publishes.
struct Signer {
    algorithm: Algorithm,
    encoding: EncodingKey,
    jwk: Value,
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn es256(kid: &str) -> Signer {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref()).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": b64(&point[1..33]), "y": b64(&point[33..65])});
    Signer { algorithm: Algorithm::ES256, encoding: EncodingKey::from_ec_der(der.as_ref()), jwk }
}

fn eddsa(kid: &str) -> Signer {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA", "x": b64(pair.public_key().as_ref())});
    Signer { algorithm: Algorithm::EdDSA, encoding: EncodingKey::from_ed_der(der.as_ref()), jwk }
}

fn rs256(kid: &str) -> Signer {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    // RSAPublicKey in DER: the modulus stands after nine bytes, the exponent is 65537.
    let modulus = &pair.public_key().as_ref()[9..265];
    let jwk = json!({"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": b64(modulus), "e": "AQAB"});
    Signer { algorithm: Algorithm::RS256, encoding: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), jwk }
}

impl Signer {
    fn sign(&self, header: &Value, body: &Value) -> String {
        let message = format!("{}.{}", b64(header.to_string().as_bytes()), b64(body.to_string().as_bytes()));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// What the issuer answers with.
struct Pages {
    metadata: Value,
    keys: Value,
    up: bool,
}

/// Serves its two documents, one connection at a time.
struct MockIssuer {
    url: String,
    pages: Arc<Mutex<Pages>>,
    fetches: Arc<AtomicUsize>,
    clock: Arc<ManualClock>,
}

impl MockIssuer {
    fn start(keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let metadata = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let pages = Arc::new(Mutex::new(Pages { metadata, keys: published(keys), up: true }));
        let (served, fetches) = (pages.clone(), Arc::new(AtomicUsize::new(0)));
        let counted = fetches.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut request = [0; 2048];
                let length = stream.read(&mut request).unwrap_or(0);
                let pages = served.lock().unwrap();
                let keys = request[..length].starts_with(b"GET /keys ");
                counted.fetch_add(usize::from(keys), Ordering::SeqCst);
                let (status, body) = match (pages.up, keys) {
                    (false, _) => ("503 Service Unavailable", json!({})),
                    (true, true) => ("200 OK", pages.keys.clone()),
                    (true, false) => ("200 OK", pages.metadata.clone()),
                };
                let body = body.to_string();
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        Self { url, pages, fetches, clock: Arc::default() }
    }

    fn issuer(&self) -> OidcIssuer {
        let settings =
            OidcSettings { issuer: IssuerUrl::parse(&self.url).unwrap(), audience: "shopwright-api".to_owned() };
        OidcIssuer::new(settings, self.clock.clone()).unwrap()
    }

    fn publish(&self, keys: &[&Signer]) {
        self.pages.lock().unwrap().keys = published(keys);
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    fn header(signer: &Signer) -> Value {
        json!({"alg": format!("{:?}", signer.algorithm), "typ": "at+jwt", "kid": signer.jwk["kid"]})
    }

    fn body(&self) -> Value {
        let now = self.clock.now().as_second();
        json!({
            "iss": self.url, "aud": "shopwright-api", "sub": "ada", "iat": now, "nbf": now, "exp": now + 300,
            "email": "ada@example.com", "email_verified": true,
        })
    }

    fn token(&self, signer: &Signer) -> String {
        signer.sign(&Self::header(signer), &self.body())
    }
}

fn published(keys: &[&Signer]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk.clone()).collect::<Vec<_>>()})
}

fn with(value: &Value, key: &str, new: Value) -> Value {
    let mut value = value.clone();
    value[key] = new;
    value
}

fn without(value: &Value, key: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove(key).unwrap();
    value
}

#[tokio::test]
async fn a_good_token_of_each_kind_of_key_says_who_it_is() {
    let signers = [es256("e"), eddsa("o"), rs256("r")];
    let mock = MockIssuer::start(&[&signers[0], &signers[1], &signers[2]]);
    let issuer = mock.issuer();

    for signer in &signers {
        let token = mock.token(signer);
        assert!(issuer.is_named_by(&token));
        let person = issuer.verify(&token).await.unwrap();
        assert_eq!((person.issuer.as_str(), person.subject.as_str()), (mock.url.as_str(), "ada"));
        assert_eq!(person.email.unwrap().as_str(), "ada@example.com");
    }
    assert_eq!(mock.fetches(), 1, "the keys are fetched once");
}

#[tokio::test]
async fn an_address_that_the_issuer_has_not_verified_is_none() {
    let signer = es256("e");
    let mock = MockIssuer::start(&[&signer]);
    let issuer = mock.issuer();

    for word in [json!(false), json!("false"), json!(1), json!(null)] {
        let token = signer.sign(&MockIssuer::header(&signer), &with(&mock.body(), "email_verified", word));
        assert_eq!(issuer.verify(&token).await.unwrap().email, None);
    }
}

/// Each differs from a good token in one thing.
fn forged(mock: &MockIssuer, signer: &Signer, stranger: &Signer) -> Vec<(&'static str, String)> {
    let (header, body, now) = (MockIssuer::header(signer), mock.body(), mock.clock.now().as_second());
    let headers = [
        ("no kid", without(&header, "kid")),
        ("an empty kid", with(&header, "kid", json!(""))),
        ("an unknown kid", with(&header, "kid", json!("other"))),
        ("a kid that is a path", with(&header, "kid", json!("../../dev/null"))),
        ("no typ", without(&header, "typ")),
        ("typ of a logout token", with(&header, "typ", json!("logout+jwt"))),
        ("typ of a proof", with(&header, "typ", json!("dpop+jwt"))),
        ("alg none", with(&header, "alg", json!("none"))),
        ("alg HS256", with(&header, "alg", json!("HS256"))),
        ("alg RS256", with(&header, "alg", json!("RS256"))),
        ("alg EdDSA", with(&header, "alg", json!("EdDSA"))),
        ("alg ES384", with(&header, "alg", json!("ES384"))),
        ("a critical extension", with(&header, "crit", json!(["exp"]))),
        ("the header's own key", with(&with(&header, "jwk", stranger.jwk.clone()), "kid", json!("other"))),
        ("a key somewhere else", with(&with(&header, "jku", json!("http://127.0.0.1:1/keys")), "kid", json!("other"))),
    ];
    let bodies = [
        ("no issuer", without(&body, "iss")),
        ("another issuer", with(&body, "iss", json!("http://127.0.0.1:1"))),
        ("the issuer with a slash", with(&body, "iss", json!(format!("{}/", mock.url)))),
        ("no audience", without(&body, "aud")),
        ("another audience", with(&body, "aud", json!("another-api"))),
        ("other audiences", with(&body, "aud", json!(["a", "b"]))),
        ("an empty audience", with(&body, "aud", json!([]))),
        ("no expiry", without(&body, "exp")),
        ("expired", with(&body, "exp", json!(now - 61))),
        ("an expiry that is text", with(&body, "exp", json!("never"))),
        ("not yet good", with(&body, "nbf", json!(now + 61))),
        ("from the future", with(&body, "iat", json!(now + 61))),
        ("no subject", without(&body, "sub")),
        ("an empty subject", with(&body, "sub", json!(""))),
        ("a subject that is a list", with(&body, "sub", json!(["ada"]))),
        ("a subject without end", with(&body, "sub", json!("a".repeat(256)))),
    ];
    let good = mock.token(signer);
    let [head, middle, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let public = signer.jwk["x"].as_str().unwrap();
    let hmac = EncodingKey::from_secret(public.as_bytes());
    let confused = Signer { algorithm: Algorithm::HS256, encoding: hmac, jwk: signer.jwk.clone() };
    let texts = [
        ("another's signature", stranger.sign(&header, &body)),
        ("no signature", format!("{head}.{middle}.")),
        ("two parts", format!("{head}.{middle}")),
        ("four parts", format!("{good}.{signature}")),
        (
            "another body",
            format!("{head}.{}.{signature}", b64(with(&body, "sub", json!("eve")).to_string().as_bytes())),
        ),
        ("signed with the public key", confused.sign(&with(&header, "alg", json!("HS256")), &body)),
        ("too long", signer.sign(&header, &with(&body, "more", json!("a".repeat(9000))))),
        ("a space before it", format!(" {good}")),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
    ];
    let of_headers = headers.into_iter().map(|(what, header)| (what, signer.sign(&header, &body)));
    let of_bodies = bodies.into_iter().map(|(what, changed)| (what, signer.sign(&header, &changed)));
    of_headers.chain(of_bodies).chain(texts).collect()
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let (signer, stranger) = (es256("e"), es256("e"));
    let mock = MockIssuer::start(&[&signer]);
    let issuer = mock.issuer();
    assert!(issuer.verify(&mock.token(&signer)).await.is_ok());

    let table = forged(&mock, &signer, &stranger);

    for (what, token) in &table {
        assert_eq!(issuer.verify(token).await, Err(ExternalTokenError::Invalid), "{what}");
    }
    println!("{} forged tokens refused", table.len());
    assert!(table.len() >= 30);
    assert!(issuer.verify(&mock.token(&signer)).await.is_ok());
}

#[tokio::test]
async fn a_rotation_is_found_and_made_up_names_of_keys_cost_nothing() {
    let (old, new) = (es256("old"), es256("new"));
    let mock = MockIssuer::start(&[&old]);
    let issuer = mock.issuer();
    assert!(issuer.verify(&mock.token(&old)).await.is_ok());

    mock.publish(&[&new]);
    for _ in 0..20 {
        assert!(issuer.verify(&mock.token(&new)).await.is_err(), "looked for again too soon");
    }
    assert_eq!(mock.fetches(), 1);
    mock.clock.advance(jiff::SignedDuration::from_secs(31));
    assert!(issuer.verify(&mock.token(&new)).await.is_ok());

    assert_eq!(issuer.verify(&mock.token(&old)).await, Err(ExternalTokenError::Invalid), "its key is withdrawn");
    assert_eq!(mock.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_away_refuses_nobody_whose_key_is_known() {
    let signer = es256("e");
    let mock = MockIssuer::start(&[&signer]);
    mock.pages.lock().unwrap().up = false;
    let issuer = mock.issuer();
    assert_eq!(issuer.verify(&mock.token(&signer)).await, Err(ExternalTokenError::Unavailable));

    mock.pages.lock().unwrap().up = true;
    mock.clock.advance(jiff::SignedDuration::from_secs(31));
    assert!(issuer.verify(&mock.token(&signer)).await.is_ok());
    mock.pages.lock().unwrap().up = false;
    mock.clock.advance(jiff::SignedDuration::from_hours(23));
    assert!(issuer.verify(&mock.token(&signer)).await.is_ok());
    mock.clock.advance(jiff::SignedDuration::from_hours(2));
    assert!(issuer.verify(&mock.token(&signer)).await.is_err());
}

#[tokio::test]
async fn what_is_published_is_not_believed_blindly() {
    let signer = es256("e");
    let wrong = [
        json!({"issuer": "https://somebody.else", "jwks_uri": "http://127.0.0.1:1/keys"}),
        json!({"issuer": "ISSUER", "jwks_uri": "http://keys.example.com/keys"}),
        json!({"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"}),
        json!({"issuer": "ISSUER"}),
        json!({"issuer": "ISSUER", "jwks_uri": "ISSUER/keys", "more": "a".repeat(300 * 1024)}),
    ];
    for metadata in wrong {
        let mock = MockIssuer::start(&[&signer]);
        let text = metadata.to_string().replace("ISSUER", &mock.url);
        mock.pages.lock().unwrap().metadata = serde_json::from_str(&text).unwrap();

        let refused = mock.issuer().verify(&mock.token(&signer)).await;

        assert_eq!(refused, Err(ExternalTokenError::Unavailable), "{}", &text[..text.len().min(100)]);
        assert_eq!(mock.fetches(), 0);
    }
}

#[test]
fn an_issuer_is_https_or_on_this_machine() {
    for good in
        ["https://id.example.com", "https://id.example.com/realms/shops", "http://127.0.0.1:8080", "http://localhost/x"]
    {
        assert!(IssuerUrl::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://id.example.com",
        "id.example.com",
        "https://id.example.com?x=1",
        "https://id.example.com/#a",
        "https://u:p@id.example.com",
        "ftp://127.0.0.1",
        "http://127.0.0.1.example.com",
    ] {
        assert!(IssuerUrl::parse(bad).is_err(), "{bad}");
    }
}
