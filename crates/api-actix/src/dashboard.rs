//! The dashboard's files, and the rules by which browsers get them. Where they come from is the caller's matter: this crate builds
//! without Node.js.
//!
//! Files below `assets/` carry a hash in their name and never change; every other is asked for again with its `ETag`. Whoever navigates
//! (`Accept: text/html`) to a path that is neither a file nor the API's gets the page, which knows its own routes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};

use crate::origin::header;

const PAGE: &str = "index.html";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// What is shown where the dashboard was not built in.
const NOT_BUILT: &str = include_str!("dashboard/not_built.html");

/// What a build of the dashboard consists of; without files, a page says how to build it.
#[derive(Clone, Default)]
pub struct Dashboard {
    files: Arc<HashMap<String, File>>,
}

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dashboard").field("files", &self.files.len()).finish()
    }
}

struct File {
    content_type: &'static str,
    etag: String,
    plain: Cow<'static, [u8]>,
    /// The same bytes by the name of their encoding, the smallest first.
    encoded: Vec<(&'static str, Cow<'static, [u8]>)>,
}

impl Dashboard {
    /// From paths below the build's root and their bytes. `NAME.br` and `NAME.gz` are `NAME`, compressed.
    pub fn new(files: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let mut all: HashMap<String, Cow<'static, [u8]>> = files.into_iter().collect();
        let names: Vec<String> = all.keys().filter(|name| encoding_of(name).is_none()).cloned().collect();
        let mut built = HashMap::new();
        for name in names {
            let Some(plain) = all.remove(&name) else { continue };
            let encoded = ENCODINGS
                .iter()
                .filter_map(|(encoding, suffix)| Some((*encoding, all.remove(&format!("{name}{suffix}"))?)))
                .collect();
            let file = File { content_type: content_type(&name), etag: etag(&plain), plain, encoded };
            built.insert(name, file);
        }
        Self { files: Arc::new(built) }
    }

    /// The answer to a browser; none where the path is not the dashboard's.
    pub(crate) fn answer(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let path = request.path();
        if !matches!(*request.method(), Method::GET | Method::HEAD) || path == "/api" || path.starts_with("/api/") {
            return None;
        }
        let name = path.trim_start_matches('/');
        if name != PAGE
            && let Some(file) = self.files.get(name)
        {
            let cache = if name.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN };
            return Some(file.answer(request, cache, "Accept-Encoding"));
        }
        // A script that is gone must not become a page.
        if !wants_page(request) || name.starts_with("assets/") {
            return None;
        }
        let Some(page) = self.files.get(PAGE) else {
            return Some(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(NOT_BUILT));
        };
        Some(page.answer(request, ASK_AGAIN, "Accept, Accept-Encoding"))
    }
}

impl File {
    fn answer(&self, request: &HttpRequest, cache: &'static str, vary: &'static str) -> HttpResponse {
        let headers = request.headers();
        let accepted = header(headers, ACCEPT_ENCODING.as_str()).unwrap_or_default();
        let (encoding, bytes) = self
            .encoded
            .iter()
            .find(|(encoding, _)| accepts(accepted, encoding))
            .map_or((None, &self.plain), |(encoding, bytes)| (Some(*encoding), bytes));
        // Other bytes, another tag.
        let tag =
            encoding.map_or_else(|| format!("\"{}\"", self.etag), |encoding| format!("\"{}-{encoding}\"", self.etag));
        let known = header(headers, IF_NONE_MATCH.as_str())
            .is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
        let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        answer.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, cache)).insert_header((VARY, vary));
        if known {
            return answer.finish();
        }
        if let Some(encoding) = encoding {
            answer.insert_header((CONTENT_ENCODING, encoding));
        }
        answer.insert_header((CONTENT_TYPE, self.content_type));
        match bytes {
            Cow::Borrowed(bytes) => answer.body(*bytes),
            Cow::Owned(bytes) => answer.body(bytes.clone()),
        }
    }
}

/// In the order of preference.
const ENCODINGS: &[(&str, &str)] = &[("br", ".br"), ("gzip", ".gz")];

fn encoding_of(name: &str) -> Option<&'static str> {
    ENCODINGS.iter().find(|(_, suffix)| name.ends_with(suffix)).map(|(encoding, _)| *encoding)
}

/// Whether a list such as `gzip, br;q=0.5` names the encoding and does not refuse it.
fn accepts(list: &str, encoding: &str) -> bool {
    list.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = parts.any(|weight| {
            weight.strip_prefix("q=").is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
        });
        named && !refused
    })
}

/// Whether somebody navigates. Programs ask for JSON or for anything, and get the API's own words.
pub(crate) fn wants_page(request: &HttpRequest) -> bool {
    header(request.headers(), ACCEPT.as_str()).is_some_and(|accept| accepts(accept, "text/html"))
}

fn etag(bytes: &[u8]) -> String {
    let mut tag = String::new();
    for byte in &Sha256::digest(bytes)[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
