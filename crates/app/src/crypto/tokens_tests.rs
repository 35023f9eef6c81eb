//! A table of forged tokens: each differs from a good one in one thing, and each is refused (RELIABILITY S1, S2). And a fuzz of the parser.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shopwright_ports::testing::ManualClock;

use super::super::key_ring::{Keys, TimedKey};
use super::super::signing_key::SigningKey;
use super::*;

/// The same keys whenever they are looked for.
struct Given(u8);

#[async_trait]
impl Keys for Given {
    async fn load(&self) -> Result<Vec<TimedKey>, SigningKeyError> {
        let key = Arc::new(SigningKey::from_seed(&[self.0; 32]).unwrap());
        Ok(vec![TimedKey { key, signs_from: jiff::Timestamp::MIN, checks_until: None }])
    }
}

async fn tokens_of(clock: &Arc<ManualClock>, seed: u8) -> Ed25519Tokens {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let ring = KeyRing::of(Box::new(Given(seed)), clock.clone()).await.unwrap();
    Ed25519Tokens { ring, clock, ttl: Duration::from_mins(10) }
}

fn claims() -> Claims {
    Claims {
        user_id: UserId::from_random(1),
        tenant_id: TenantId::from_random(2),
        session_id: SessionId::from_random(3),
        email: "ada@example.com".parse().unwrap(),
        role: PlatformRole::Tenant,
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Signs whatever it is given with the right key.
fn signed_text(tokens: &Ed25519Tokens, header: &str, body: &str) -> String {
    let message = [header, body].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let key = tokens.ring.signing().unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.encoding, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

fn signed(tokens: &Ed25519Tokens, header: &Value, body: &Value) -> String {
    signed_text(tokens, &header.to_string(), &body.to_string())
}

fn good(tokens: &Ed25519Tokens) -> (Value, Value) {
    let token = tokens.issue(&claims()).unwrap();
    let mut parts = token.expose_secret().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
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
async fn a_token_says_what_was_signed() {
    let tokens = tokens_of(&Arc::default(), 7).await;

    let token = tokens.issue(&claims()).unwrap();

    assert_eq!(tokens.verify(token.expose_secret()).await, Ok(claims()));
    let (header, body) = good(&tokens);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert_eq!(body["exp"].as_i64().unwrap() - body["iat"].as_i64().unwrap(), 600);
    assert_eq!((&body["iss"], &body["sub"]), (&json!("shopwright"), &body["id"]));
}

/// Headers and bodies that were never ours, signed with the right key.
fn forged_parts(tokens: &Ed25519Tokens, now: i64) -> Vec<(&'static str, String)> {
    let (header, body) = good(tokens);
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let headers = [
        ("another kid", with(&header, "kid", json!("0000000000000000"))),
        ("no kid", without(&header, "kid")),
        ("a kid that is no text", with(&header, "kid", json!(7))),
        ("a kid that is a path", with(&header, "kid", json!("../../etc/passwd"))),
        ("a kid that is SQL", with(&header, "kid", json!("' or 1=1 --"))),
        ("typ of an ID token", with(&header, "typ", json!("JWT"))),
        ("typ of a logout token", with(&header, "typ", json!("logout+jwt"))),
        ("no typ", without(&header, "typ")),
        ("alg none", with(&header, "alg", json!("none"))),
        ("alg nOnE", with(&header, "alg", json!("nOnE"))),
        ("alg HS256", with(&header, "alg", json!("HS256"))),
        ("alg ES256", with(&header, "alg", json!("ES256"))),
        ("alg RS256", with(&header, "alg", json!("RS256"))),
        ("a list of algs", with(&header, "alg", json!(["EdDSA", "none"]))),
        ("no alg", without(&header, "alg")),
        ("an extension we must understand", with(&header, "crit", json!(["b64"]))),
    ];
    let bodies = [
        ("another issuer", with(&body, "iss", json!("somebody"))),
        ("an issuer that begins like ours", with(&body, "iss", json!("shopwright.evil.example"))),
        ("no issuer", without(&body, "iss")),
        ("a list of issuers", with(&body, "iss", json!([ISSUER]))),
        ("another audience", with(&body, "aud", json!("dashboard"))),
        ("no audience", without(&body, "aud")),
        ("a list of audiences", with(&body, "aud", json!([AUDIENCE, "dashboard"]))),
        ("expired", with(&body, "exp", json!(now - LEEWAY_SECONDS))),
        ("no expiry", without(&body, "exp")),
        ("expiry as text", with(&body, "exp", json!("9999999999"))),
        ("expiry beyond all numbers", with(&body, "exp", json!(1e300))),
        ("a negative expiry", with(&body, "exp", json!(-1))),
        ("not yet valid", with(&body, "nbf", json!(now + 60))),
        ("signed in the future", with(&body, "iat", json!(now + 60))),
        ("no time of signing", without(&body, "iat")),
        ("no user", without(&body, "id")),
        ("user is no UUID", with(&body, "id", json!("root"))),
        ("another user as subject", with(&body, "sub", json!(UserId::from_random(9).to_string()))),
        ("no subject", without(&body, "sub")),
        ("no session", without(&body, "sid")),
        ("session is no UUID", with(&body, "sid", json!("*"))),
        ("unknown role", with(&body, "role", json!("god"))),
        ("no tenant", without(&body, "tenant")),
        ("an address that is none", with(&body, "email", json!("ada"))),
        ("no object", json!([1, 2])),
    ];
    let mut forged: Vec<_> = headers.map(|(what, header)| (what, signed(tokens, &header, &body))).into();
    forged.extend(bodies.map(|(what, body)| (what, signed(tokens, &header, &body))));
    // The key that a token brings along is never looked at: with it, and with its owner's signature, it is another's token.
    let stranger = EncodingKey::from_ed_der(&ed25519_pkcs8(8));
    for (what, name, value) in [
        ("its own key", "jwk", key),
        ("a URL of keys", "jku", json!("https://evil.example/keys")),
        ("a URL of certificates", "x5u", json!("https://evil.example/cert")),
        ("certificates", "x5c", json!(["AAAA"])),
    ] {
        let message = format!("{}.{}", part(&with(&header, name, value)), part(&body));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &stranger, Algorithm::EdDSA).unwrap();
        forged.push((what, format!("{message}.{signature}")));
    }
    forged.push(("a header that is no JSON", signed_text(tokens, "{", &body.to_string())));
    forged.push(("a body that is no JSON", signed_text(tokens, &header.to_string(), "{")));
    let twice = format!("{},\"role\":\"admin\"}}", body.to_string().trim_end_matches('}'));
    forged.push(("a role that is there twice", signed_text(tokens, &header.to_string(), &twice)));
    forged
}

fn ed25519_pkcs8(seed: u8) -> Vec<u8> {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    pair.to_pkcs8v1().unwrap().as_ref().to_vec()
}

/// A good header and body under a signature that is none of ours, and texts that are no tokens.
fn forged_signatures(tokens: &Ed25519Tokens) -> Vec<(&'static str, String)> {
    let (header, body) = good(tokens);
    let message = format!("{}.{}", part(&header), part(&body));
    let token = tokens.issue(&claims()).unwrap().expose_secret().to_owned();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signed_as = |bytes: &[u8]| format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));

    // The old trick: the public key as the secret of an HMAC.
    let public = tokens.public_keys().remove(0);
    let mut symmetric = Header::new(Algorithm::HS256);
    (symmetric.kid, symmetric.typ) = (Some(public.id.clone()), Some(TYPE.to_owned()));
    let hmac = jsonwebtoken::encode(&symmetric, &body, &EncodingKey::from_secret(&public.bytes)).unwrap();
    let none = format!("{}.{}", part(&with(&header, "alg", json!("none"))), part(&body));
    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let ecdsa = p256.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    let promoted = format!("{}.{}.{signature}", part(&header), part(&with(&body, "role", json!("admin"))));
    // The same signature with the order of the group added to its second half: another number for the same point.
    let mut malleable = bytes.clone();
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (byte, more) in malleable[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    vec![
        ("HMAC with the public key", hmac),
        ("alg none without a signature", format!("{none}.")),
        ("alg none with a good signature", format!("{none}.{signature}")),
        ("no signature", format!("{message}.")),
        ("a signature of nothing", signed_as(&[0; 64])),
        ("a signature that is too short", signed_as(&bytes[..63])),
        ("a signature that is too long", signed_as(&[bytes.as_slice(), &[0]].concat())),
        ("a signature with a bit turned", signed_as(&[&[bytes[0] ^ 1], &bytes[1..]].concat())),
        ("a signature of the same point", signed_as(&malleable)),
        ("a signature by another kind of key", signed_as(ecdsa.as_ref())),
        ("a role that was not signed", promoted),
        ("a padded signature", format!("{message}.{}", STANDARD.encode(&bytes))),
        ("a fourth part", format!("{token}.x")),
        ("a part too few", message),
        ("five parts, as if it were encrypted", format!("{token}.x.y")),
        ("a space behind it", format!("{token} ")),
        ("a space before it", format!(" {token}")),
        ("nothing", String::new()),
        ("two dots", "..".to_owned()),
        ("letters", "a.b.c".to_owned()),
        ("a token that never ends", format!("{token}{}", "A".repeat(100_000))),
    ]
}

#[tokio::test]
async fn s1_s2_every_forgery_is_refused() {
    let clock = Arc::new(ManualClock::default());
    let tokens = tokens_of(&clock, 7).await;
    let (header, body) = good(&tokens);
    assert!(tokens.verify(&signed(&tokens, &header, &body)).await.is_ok(), "the forge itself works");

    let mut forged = forged_parts(&tokens, clock.now().as_second());
    forged.extend(forged_signatures(&tokens));
    let stranger = tokens_of(&clock, 8).await;
    forged.push(("a stranger's key of our name", signed(&stranger, &header, &body)));

    for (what, token) in &forged {
        assert_eq!(tokens.verify(token).await, Err(InvalidToken), "{what}");
    }
    println!("{} forged tokens refused", forged.len());
    assert!(forged.len() >= 60, "{}", forged.len());
}

#[tokio::test]
async fn a_token_ends_when_its_time_is_over() {
    let clock = Arc::new(ManualClock::default());
    let tokens = tokens_of(&clock, 7).await;
    let token = tokens.issue(&claims()).unwrap();

    clock.advance(SignedDuration::from_secs(600 + LEEWAY_SECONDS - 1));
    assert!(tokens.verify(token.expose_secret()).await.is_ok());

    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(tokens.verify(token.expose_secret()).await, Err(InvalidToken));
}

/// What a mutation does to a good token.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(usize, char),
    Insert(usize, char),
    Remove(usize),
    Cut(usize),
    Swap(usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = 0_usize..800;
    prop_oneof![
        (at.clone(), any::<char>()).prop_map(|(at, new)| Mutation::Replace(at, new)),
        (at.clone(), any::<char>()).prop_map(|(at, new)| Mutation::Insert(at, new)),
        at.clone().prop_map(Mutation::Remove),
        at.clone().prop_map(Mutation::Cut),
        (at.clone(), at).prop_map(|(one, other)| Mutation::Swap(one, other)),
    ]
}

fn mutated(token: &str, mutations: &[Mutation]) -> String {
    let mut letters: Vec<char> = token.chars().collect();
    for mutation in mutations {
        let length = letters.len().max(1);
        match *mutation {
            _ if letters.is_empty() => {}
            Mutation::Replace(at, new) => letters[at % length] = new,
            Mutation::Insert(at, new) => letters.insert(at % length, new),
            Mutation::Remove(at) => drop(letters.remove(at % length)),
            Mutation::Cut(at) => letters.truncate(at % length),
            Mutation::Swap(one, other) => letters.swap(one % length, other % length),
        }
    }
    letters.into_iter().collect()
}

/// Anything at all in the place of header and body.
fn any_part() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        r#"\{("(alg|typ|kid|crit|jwk|exp|iss|aud)":("EdDSA"|"none"|"at\+jwt"|null|1|\[\]|\{\}),?){0,5}\}?"#,
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

proptest! {
    /// No change of a good token is good, and none of them breaks anything.
    #[test]
    fn a_changed_token_is_refused(mutations in prop::collection::vec(mutation(), 1..4)) {
        futures::executor::block_on(async {
            let tokens = tokens_of(&Arc::default(), 7).await;
            let token = tokens.issue(&claims()).unwrap().expose_secret().to_owned();
            let changed = mutated(&token, &mutations);
            prop_assert_eq!(tokens.verify(&changed).await.is_ok(), changed == token, "{}", changed);
            Ok(())
        })?;
    }

    /// Texts in the shape of a token, signed with the right key: whatever they say, they are judged and not obeyed.
    #[test]
    fn any_header_and_body_are_judged(header in any_part(), body in any_part()) {
        futures::executor::block_on(async {
            let tokens = tokens_of(&Arc::default(), 7).await;
            prop_assert!(tokens.verify(&signed_text(&tokens, &header, &body)).await.is_err());
            Ok(())
        })?;
    }

    #[test]
    fn any_text_is_refused(text in "\\PC{0,200}") {
        futures::executor::block_on(async {
            let tokens = tokens_of(&Arc::default(), 7).await;
            prop_assert!(tokens.verify(&text).await.is_err());
            Ok(())
        })?;
    }
}
