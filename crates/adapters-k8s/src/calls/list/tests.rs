//! Lists of many pages, and what they ask for.

use k8s_openapi::api::core::v1::Namespace;
use serde_json::json;

use super::*;
use crate::scripted::{Answer, Asked, calls};

fn page(names: &[&str], next: &str) -> Answer {
    let items: Vec<_> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
    let metadata = json!({"resourceVersion": "7", "continue": next});
    Answer::json(200, &json!({"kind": "NamespaceList", "apiVersion": "v1", "metadata": metadata, "items": items}))
}

fn gone() -> Answer {
    Answer::json(410, &json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}))
}

async fn names(script: impl FnMut(&Asked) -> Answer + Send + 'static) -> (Result<Vec<String>, CallError>, Vec<Asked>) {
    let (calls, seen) = calls(script);
    let found = calls.list_metadata::<Namespace>(None, &ListParams::default().labels("a,b=c")).await;
    let names = found.map(|found| found.into_iter().filter_map(|metadata| metadata.name).collect());
    (names, seen.all())
}

/// F36: without a version to start from, an apiserver asks etcd's quorum before it answers; with one it answers from what it has.
#[tokio::test]
async fn f36_a_list_is_paged_and_never_from_a_cache() {
    let (found, asked) = names(|asked| match asked.parameter("continue") {
        None => page(&["store-1", "store-2"], "more"),
        Some("more") => page(&["store-3"], ""),
        Some(other) => panic!("{other}"),
    })
    .await;

    assert_eq!(found.unwrap(), ["store-1", "store-2", "store-3"]);
    assert_eq!(asked.len(), 2);
    for asked in &asked {
        assert_eq!((asked.parameter("limit"), asked.parameter("labelSelector")), (Some("500"), Some("a,b=c")));
        assert_eq!((asked.parameter("resourceVersion"), asked.parameter("resourceVersionMatch")), (None, None));
        let accepted = asked.headers["accept"].to_str().unwrap();
        assert!(accepted.contains("PartialObjectMetadataList"), "names and labels are enough: {accepted}");
    }
}

/// F35: pages of two moments would show a store twice or not at all.
#[tokio::test]
async fn f35_a_list_whose_moment_is_forgotten_begins_anew_and_at_last_asks_for_all_at_once() {
    let (found, asked) = names(|asked| match (asked.parameter("limit"), asked.parameter("continue")) {
        (Some(_), None) => page(&["store-1", "store-2"], "more"),
        (Some(_), Some(_)) => gone(),
        (None, None) => page(&["store-2", "store-3"], ""),
        (None, Some(token)) => panic!("{token}"),
    })
    .await;

    assert_eq!(found.unwrap(), ["store-2", "store-3"], "nothing of the pages that were given up");
    assert_eq!(asked.len(), 5);
}

#[tokio::test]
async fn a_list_that_goes_wrong_on_a_later_page_is_no_list() {
    let (found, _) = names(|asked| match asked.parameter("continue") {
        None => page(&["store-1"], "more"),
        Some(_) => Answer::text(503, "etcd is away"),
    })
    .await;

    assert!(matches!(found, Err(CallError::NoAnswer { .. })), "{found:?}");
}

#[tokio::test]
async fn a_list_without_an_end_is_given_up() {
    let (found, asked) = names(|_| page(&["store-1"], "more")).await;

    assert!(matches!(found, Err(CallError::NoAnswer { .. })), "{found:?}");
    assert_eq!(asked.len(), MOST_PAGES);
}
