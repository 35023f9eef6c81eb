//! `GET /.well-known/jwks.json`: what others check our access tokens with (RFC 7517, RFC 8037).

use actix_web::HttpResponse;
use actix_web::web::Data;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;
use shopwright_ports::secrets::PublicKey;

use crate::State;
use crate::openapi::doc::Doc;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = JsonWebKey)]
struct Key {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    kid: String,
    x: String,
}

impl From<PublicKey> for Key {
    fn from(key: PublicKey) -> Self {
        let x = URL_SAFE_NO_PAD.encode(key.bytes);
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", usage: "sig", kid: key.id, x }
    }
}

#[derive(Serialize, ToSchema)]
struct Body {
    keys: Vec<Key>,
}

pub(crate) fn doc() -> Doc {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    Doc::bare::<Body>(200, "The keys that access tokens are checked with (RFC 7517)", json!({"keys": [key]}))
}

/// No request id in it: the document is a standard one.
pub(crate) async fn handle(state: Data<State>) -> HttpResponse {
    let keys = state.api.identity.public_keys().into_iter().map(Key::from).collect();
    HttpResponse::Ok().json(Body { keys })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;
    use shopwright_ports::secrets::PublicKey;

    use crate::testing::Bench;

    #[actix_web::test]
    async fn the_public_keys_are_a_key_set() {
        let mut bench = Bench::new();
        bench.identity.expect_public_keys().returning(|| vec![PublicKey { id: "k1".into(), bytes: vec![0xff; 32] }]);

        let answer = bench.send(TestRequest::get().uri("/.well-known/jwks.json")).await;

        let x = "__________________________________________8";
        let key = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1", "x": x});
        assert_eq!((answer.status, answer.body), (200, json!({"keys": [key]})));
    }
}
