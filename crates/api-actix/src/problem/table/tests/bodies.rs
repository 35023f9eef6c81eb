//! Every code that the table can give, as a client gets it: one snapshot a code, with the headers, in both shapes. A code without a
//! snapshot fails here: produce it in [`problems`], look at what it says (`INSTA_UPDATE=always`), and commit the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::body::to_bytes;
use actix_web::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use shopwright_domain::RequestId;
use shopwright_ports::gate_api::PromiseError;

use super::*;
use crate::problem::{Detail, DetailContext, Occurrence, Shape, render};

fn organisation_errors() -> Vec<OrganisationError> {
    use OrganisationError as E;
    vec![
        E::NotAMember,
        E::NotAllowed { role: Role::Viewer, action: Action::ManageMembers },
        E::LastOwner,
        E::Personal,
        E::HasStores { held: 2 },
        E::NoSuchMember,
        E::NoSuchInvitation,
        E::InvitationOver,
        E::InvitationForAnother,
        E::AlreadyMember,
        E::TooMany { what: "organisations", limit: 50 },
    ]
}

/// At least one problem of every code.
fn problems() -> Vec<Problem> {
    let mut problems = vec![Problem::validation(vec![Detail {
        message: "name must have at least 3 characters".into(),
        path: vec!["name".into()],
        kind: "string.min",
        context: DetailContext { label: "name".into(), key: "name".into(), limit: Some(3) },
    }])];
    problems.extend(store_errors().into_iter().map(Problem::from));
    problems.extend(identity_errors().into_iter().map(Problem::from));
    problems.extend(organisation_errors().into_iter().map(Problem::from));
    problems.extend(
        [
            PlatformError::NotAdministrator,
            PlatformError::NoSuchUser,
            PlatformError::OwnAccount,
            PlatformError::LastAdministrator,
        ]
        .map(Problem::from),
    );
    problems.extend(storage_errors().into_iter().map(|error| Problem::from(StoreServiceError::Storage(error))));
    problems.push(PromiseError::Reused.into());
    // These are made where they happen: tests beside those places look at their words.
    for (row, message) in [
        (INVALID_JSON, "The body is not valid JSON: it ends too early at line 1, column 2."),
        (BODY_UNREADABLE, "The body ended before it was complete."),
        (CROSS_SITE, "This request did not come from a page of ours"),
        (PERSON_REQUIRED, "No API token can be used for this"),
        (NOT_FOUND, "There is nothing here."),
        (SLOW_BODY, "The body did not arrive in time."),
        (PAYLOAD_TOO_LARGE, "The body has more than 262144 bytes."),
        (ENCODING_UNSUPPORTED, "Encoded bodies are not read."),
        (TOO_MANY_STREAMS, "20 streams are open: close one first."),
        (PRECONDITION_FAILED, "It is not what you have seen: it was changed since."),
    ] {
        problems.push(Problem::new(row, message));
    }
    problems.push(
        Problem::new(INSUFFICIENT_SCOPE, "This API token lacks the scope stores:write").with("scope", "stores:write"),
    );
    problems.push(Problem::new(TIMED_OUT, "The request took too long and was given up.").retry(Retry::Seconds(5)));
    let until = Retry::Until(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_millis(16_001));
    problems.push(Problem::new(RATE_LIMITED, "More than 60 requests in 60 seconds: wait a moment.").retry(until));
    problems
}

async fn shown(problem: &Problem, shape: Shape) -> String {
    let occurrence = Occurrence {
        request_id: RequestId::from_random(1),
        path: "/api/v1/stores".into(),
        shape,
        now: Timestamp::UNIX_EPOCH,
        with_token: true,
    };
    let answer: HttpResponse = render(problem, &occurrence);
    let mut text = format!("HTTP/1.1 {}\n", answer.status());
    for name in [CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, CONNECTION] {
        if let Some(value) = answer.headers().get(&name) {
            writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
    }
    let body = to_bytes(answer.into_body()).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    format!("{text}\n{body:#}\n")
}

/// The codes that stand in the source of the table: what is written there in capitals between quotes.
fn codes_of_the_table() -> BTreeSet<&'static str> {
    let capitals = |word: &&str| word.len() > 3 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    include_str!("../../table.rs").split('"').filter(capitals).collect()
}

#[actix_web::test]
async fn every_code_has_a_body_that_was_looked_at() {
    // One of each code and status: `REQUEST_TIMEOUT` and `FORBIDDEN` have more than one reason.
    let mut by_code: BTreeMap<String, Problem> = BTreeMap::new();
    for problem in problems() {
        let name = format!("{}-{}", problem.row.code, problem.row.status.as_u16());
        by_code.entry(name).or_insert(problem);
    }

    let produced: BTreeSet<&str> = by_code.values().map(|problem| problem.row.code).collect();
    let missing: Vec<_> = codes_of_the_table().into_iter().filter(|code| !produced.contains(code)).collect();
    assert_eq!(missing, [""; 0], "no body of these was looked at");
    for (name, problem) in &by_code {
        let text = format!("{}\n{}", shown(problem, Shape::Envelope).await, shown(problem, Shape::Rfc9457).await);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "bodies" }, {
            insta::assert_snapshot!(name.as_str(), text);
        });
    }
    println!("{} bodies", by_code.len());
}

/// The callers' page names every code of the table, so that nobody meets one that is explained nowhere.
#[test]
fn every_code_is_explained_to_callers() {
    let page = include_str!("../../../../../../docs/API.md");

    let silent: Vec<_> = codes_of_the_table().into_iter().filter(|code| !page.contains(&format!("`{code}`"))).collect();

    assert_eq!(silent, [""; 0], "docs/API.md says nothing about these");
}
