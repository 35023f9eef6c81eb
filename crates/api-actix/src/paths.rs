//! Paths match with or without a trailing slash and whatever the case of their fixed words. Ids keep theirs.

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;

use crate::routes::ROUTES;

/// The path as the route table spells it, when that is not how it came.
fn folded(path: &str) -> Option<String> {
    // Nearly every path comes as it should, and words of routes are lower case: a test says so.
    if !path.bytes().any(|byte| byte.is_ascii_uppercase()) && (path == "/" || !path.ends_with('/')) {
        return None;
    }
    let trimmed = path.trim_end_matches('/');
    let fold = |segment: &str| {
        let word =
            ROUTES.iter().flat_map(|route| route.path.split('/')).find(|word| word.eq_ignore_ascii_case(segment));
        word.map_or_else(|| segment.to_owned(), str::to_owned)
    };
    let path_now =
        if trimmed.is_empty() { "/".to_owned() } else { trimmed.split('/').map(fold).collect::<Vec<_>>().join("/") };
    (path_now != path).then_some(path_now)
}

/// Rewrites the request's path before it is routed.
pub(crate) fn fold(request: &mut ServiceRequest) {
    let Some(path) = folded(request.uri().path()) else { return };
    let target = request.uri().query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let mut parts = request.uri().clone().into_parts();
    let Ok(target) = target.parse::<PathAndQuery>() else { return };
    parts.path_and_query = Some(target);
    let Ok(uri) = Uri::from_parts(parts) else { return };
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_a_route_has_capitals() {
        let words = ROUTES.iter().flat_map(|route| route.path.split('/')).filter(|word| !word.starts_with('{'));

        assert_eq!(words.filter(|word| word.bytes().any(|byte| byte.is_ascii_uppercase())).count(), 0);
    }

    #[test]
    fn words_are_folded_and_ids_are_not() {
        assert_eq!(
            folded("/API/v1/Stores/store-ABCDEF01/Retry/").as_deref(),
            Some("/api/v1/stores/store-ABCDEF01/retry")
        );
        assert_eq!(folded("//").as_deref(), Some("/"));
        assert_eq!(folded("/api/v1/stores"), None);
        assert_eq!(folded("/"), None);
        assert_eq!(folded("/Else/Where"), None);
    }
}
