//! The `Idempotency-Key` header: a client's promise that a repeated request is the same request.

use actix_web::HttpRequest;
use sha2::{Digest, Sha256};
use shopwright_ports::stores_api::{CreateStore, Idempotency};

use crate::form::{Form, Rule};

const HEADER: &str = "Idempotency-Key";
const KEY_MAX: usize = 255;

/// The key of the request, if it has one; a bad one is one more broken rule of `form`.
pub(crate) fn of(request: &HttpRequest, form: &mut Form) -> Option<String> {
    let value = request.headers().get(HEADER)?.to_str().unwrap_or_default();
    if value.is_empty() || value.len() > KEY_MAX || !value.bytes().all(|b| b.is_ascii_graphic()) {
        let message = format!("{HEADER} must be 1 to {KEY_MAX} printable characters without spaces");
        form.refuse(HEADER, Rule::new("string.pattern.base"), message);
        return None;
    }
    Some(value.to_owned())
}

/// The promise of `key` for `command`.
///
/// The fingerprint is stored, so it says whether there is a password, and nothing else about it: a fast hash of one could be guessed from.
pub(crate) fn promise(key: String, command: &CreateStore) -> Idempotency {
    let theme = command.theme.as_ref().map_or("", |theme| theme.as_str());
    let password = if command.password.is_some() { "chosen" } else { "minted" };
    let request = [command.name.as_str(), command.engine.as_str(), theme, password].join("\n");
    Idempotency { key, fingerprint: Sha256::digest(request).to_vec() }
}
