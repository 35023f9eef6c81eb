//! A table of forged tokens: each differs from a good one in one thing, and each is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shopwright_ports::testing::ManualClock;

use super::*;

fn tokens(clock: &Arc<ManualClock>) -> Ed25519Tokens {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Ed25519Tokens::new(SigningKey::from_seed(&[7; 32]).unwrap(), Vec::new(), clock, Duration::from_mins(10))
}

fn claims() -> Claims {
    Claims {
        user_id: UserId::from_random(1),
        tenant_id: TenantId::from_random(2),
        email: "ada@example.com".parse().unwrap(),
        role: PlatformRole::Tenant,
    }
}

/// Signs whatever it is given with the right key.
fn signed(tokens: &Ed25519Tokens, header: &Value, body: &Value) -> String {
    let message = [header, body].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let key = &tokens.newest.encoding;
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

fn good(tokens: &Ed25519Tokens) -> (Value, Value) {
    let token = tokens.issue(&claims()).unwrap();
    let mut parts = token.expose_secret().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

#[test]
fn a_token_says_what_was_signed() {
    let clock = Arc::new(ManualClock::default());
    let tokens = tokens(&clock);

    let token = tokens.issue(&claims()).unwrap();

    assert_eq!(tokens.verify(token.expose_secret()), Ok(claims()));
    let (header, body) = good(&tokens);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert_eq!(body["exp"].as_i64().unwrap() - body["iat"].as_i64().unwrap(), 600);
}

#[test]
fn every_forgery_is_refused() {
    let clock = Arc::new(ManualClock::default());
    let tokens = tokens(&clock);
    let (header, body) = good(&tokens);
    let now = clock.now().as_second();
    assert!(tokens.verify(&signed(&tokens, &header, &body)).is_ok(), "the forge itself works");

    let with = |value: &Value, key: &str, new: Value| {
        let mut value = value.clone();
        value[key] = new;
        value
    };
    let without = |value: &Value, key: &str| {
        let mut value = value.clone();
        value.as_object_mut().unwrap().remove(key);
        value
    };
    let forged_headers = [
        ("another kid", with(&header, "kid", json!("0000000000000000"))),
        ("no kid", without(&header, "kid")),
        ("typ of an ID token", with(&header, "typ", json!("JWT"))),
        ("no typ", without(&header, "typ")),
        ("alg none", with(&header, "alg", json!("none"))),
        ("alg HS256", with(&header, "alg", json!("HS256"))),
        ("an extension we must understand", with(&header, "crit", json!(["b64"]))),
    ];
    for (what, forged) in forged_headers {
        assert_eq!(tokens.verify(&signed(&tokens, &forged, &body)), Err(InvalidToken), "{what}");
    }
    let forged_bodies = [
        ("another issuer", with(&body, "iss", json!("somebody"))),
        ("no issuer", without(&body, "iss")),
        ("a list of issuers", with(&body, "iss", json!([ISSUER]))),
        ("another audience", with(&body, "aud", json!("dashboard"))),
        ("no audience", without(&body, "aud")),
        ("expired", with(&body, "exp", json!(now - LEEWAY_SECONDS))),
        ("no expiry", without(&body, "exp")),
        ("expiry as text", with(&body, "exp", json!("9999999999"))),
        ("not yet valid", with(&body, "nbf", json!(now + 60))),
        ("signed in the future", with(&body, "iat", json!(now + 60))),
        ("no user", without(&body, "id")),
        ("user is no UUID", with(&body, "id", json!("root"))),
        ("unknown role", with(&body, "role", json!("god"))),
        ("no tenant", without(&body, "tenant")),
    ];
    for (what, forged) in forged_bodies {
        assert_eq!(tokens.verify(&signed(&tokens, &header, &forged)), Err(InvalidToken), "{what}");
    }
}

#[test]
fn a_signature_by_anything_but_the_key_is_refused() {
    let clock = Arc::new(ManualClock::default());
    let tokens = tokens(&clock);
    let (header, body) = good(&tokens);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());

    // The old trick: the public key as the secret of an HMAC.
    let public = tokens.newest.decoding.try_get_as_bytes().unwrap().to_vec();
    let mut symmetric = Header::new(Algorithm::HS256);
    symmetric.kid = Some(tokens.newest.id.clone());
    symmetric.typ = Some(TYPE.to_owned());
    let hmac = jsonwebtoken::encode(&symmetric, &body, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(tokens.verify(&hmac), Err(InvalidToken));

    let mut none = header.clone();
    none["alg"] = json!("none");
    assert_eq!(tokens.verify(&format!("{}.{}.", part(&none), part(&body))), Err(InvalidToken));
    assert_eq!(tokens.verify(&format!("{}.{}.", part(&header), part(&body))), Err(InvalidToken));

    let stranger = Ed25519Tokens::new(
        SigningKey::from_seed(&[8; 32]).unwrap(),
        Vec::new(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Duration::from_mins(10),
    );
    assert_eq!(tokens.verify(&signed(&stranger, &header, &body)), Err(InvalidToken));

    let token = tokens.issue(&claims()).unwrap();
    let (message, signature) = token.expose_secret().rsplit_once('.').unwrap();
    let mut promoted = body.clone();
    promoted["role"] = json!("admin");
    assert_eq!(tokens.verify(&format!("{}.{}.{signature}", part(&header), part(&promoted))), Err(InvalidToken));
    for text in ["", "..", "a.b.c", message, &format!("{message}.{signature}.x")] {
        assert_eq!(tokens.verify(text), Err(InvalidToken), "{text}");
    }
}

#[test]
fn a_token_ends_when_its_time_is_over() {
    let clock = Arc::new(ManualClock::default());
    let tokens = tokens(&clock);
    let token = tokens.issue(&claims()).unwrap();

    clock.advance(SignedDuration::from_secs(600 + LEEWAY_SECONDS - 1));
    assert!(tokens.verify(token.expose_secret()).is_ok());

    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(tokens.verify(token.expose_secret()), Err(InvalidToken));
}

#[test]
fn an_older_key_still_checks_what_it_signed() {
    let clock = Arc::new(ManualClock::default());
    let token = tokens(&clock).issue(&claims()).unwrap();

    let rotated = Ed25519Tokens::new(
        SigningKey::from_seed(&[9; 32]).unwrap(),
        vec![SigningKey::from_seed(&[7; 32]).unwrap()],
        Arc::clone(&clock) as Arc<dyn Clock>,
        Duration::from_mins(10),
    );

    assert_eq!(rotated.verify(token.expose_secret()), Ok(claims()));
}
