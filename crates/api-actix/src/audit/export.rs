//! `GET /audit/export`: the same entries from end to end, as lines of JSON or as CSV, however many there are.
//!
//! The answer is made while it is read: one stretch is in memory at a time, the next is asked for when the client has taken this one. A
//! failure in the middle ends the connection without the end of the body, so that nobody takes a part for the whole.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures::stream::try_unfold;
use shopwright_domain::identity::Credential;
use shopwright_ports::audit_api::AuditServiceError;
use shopwright_ports::storage::{AuditEntry, AuditFilter};
use shopwright_ports::stores_api::{LogPage, RequestContext};

use super::{EntryBody, filter, filter_fields, values};
use crate::State;
use crate::auth::Authenticated;
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{one_of, optional};
use crate::problem::Problem;
use crate::query;

/// So many entries are in memory at a time.
const STRETCH: u32 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Format {
    /// One JSON object per line.
    #[default]
    JsonLines,
    /// RFC 4180 with a heading.
    Csv,
}

/// A text that is no format.
struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("format must be one of: jsonl, csv")
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "jsonl" => Ok(Self::JsonLines),
            "csv" => Ok(Self::Csv),
            _ => Err(UnknownFormat),
        }
    }
}

const HEADING: &str = "id,organisationId,createdAt,eventType,storeId,storeName,previousStatus,newStatus,message,actorId,actorEmail,\
                       ipAddress,sessionId,tokenId,requestId,operationId,before,after,metadata,digest\r\n";

impl Format {
    const fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    const fn disposition(self) -> &'static str {
        match self {
            Self::JsonLines => "attachment; filename=\"audit.jsonl\"",
            Self::Csv => "attachment; filename=\"audit.csv\"",
        }
    }

    fn write(self, entries: &[AuditEntry], out: &mut String) -> Result<(), serde_json::Error> {
        for entry in entries {
            match self {
                Self::JsonLines => out.push_str(&serde_json::to_string(&EntryBody::from(entry))?),
                Self::Csv => write_record(entry, out)?,
            }
            out.push_str(if self == Self::Csv { "\r\n" } else { "\n" });
        }
        Ok(())
    }
}

fn write_record(entry: &AuditEntry, out: &mut String) -> Result<(), serde_json::Error> {
    let (event, body) = (&entry.event, EntryBody::from(entry));
    let text = |value: &dyn fmt::Display| value.to_string();
    let columns = [
        body.id,
        text(&event.tenant_id),
        text(&Iso(event.at)),
        text(&event.event_type),
        event.store_id.as_ref().map(|id| text(id)).unwrap_or_default(),
        entry.store_name.as_ref().map(|name| text(name)).unwrap_or_default(),
        event.previous.map(|state| text(&state)).unwrap_or_default(),
        event.new.map(|state| text(&state)).unwrap_or_default(),
        event.message.clone(),
        event.actor.map(|id| text(&id)).unwrap_or_default(),
        event.actor_email.clone().unwrap_or_default(),
        event.ip_address.clone().unwrap_or_default(),
        event.credential.and_then(Credential::session).map(|id| text(&id)).unwrap_or_default(),
        event.credential.and_then(Credential::api_token).map(|id| text(&id)).unwrap_or_default(),
        event.request_id.as_ref().map(|id| text(id)).unwrap_or_default(),
        event.operation_id.map(|id| text(&id)).unwrap_or_default(),
        serde_json::to_string(&values(&event.before))?,
        serde_json::to_string(&values(&event.after))?,
        serde_json::to_string(&body.metadata)?,
        text(&entry.digest),
    ];
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_field(column, out);
    }
    Ok(())
}

/// A field of CSV. A spreadsheet would run what begins like a formula: an apostrophe makes it a text.
fn write_field(text: &str, out: &mut String) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guarded = if formula { "'" } else { "" };
    if formula || text.contains(['"', ',', '\n', '\r']) {
        // Writing to a string does not fail.
        let _ = write!(out, "\"{guarded}{}\"", text.replace('"', "\"\""));
    } else {
        out.push_str(text);
    }
}

/// What is still to be sent.
struct Rest {
    state: Data<State>,
    context: RequestContext,
    format: Format,
    /// The stretch that was read; none after the last.
    page: Option<LogPage>,
    filter: AuditFilter,
    begun: bool,
}

impl Rest {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Broken> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let mut text = String::new();
        if !self.begun && self.format == Format::Csv {
            text.push_str(HEADING);
        }
        self.begun = true;
        self.format.write(&page.entries, &mut text).map_err(|error| Broken(error.to_string()))?;
        if page.next.is_some() {
            self.filter.after = page.next;
            let stretch = self.state.api.audit.stretch(&self.context, self.filter.clone(), STRETCH).await;
            self.page = Some(stretch.map_err(|error| Broken::by(&error, &self.context))?);
        }
        Ok(Some((text.into(), self)))
    }
}

/// The export cannot go on.
#[derive(Debug)]
struct Broken(String);

impl Broken {
    fn by(error: &AuditServiceError, context: &RequestContext) -> Self {
        let request_id = context.origin.request_id.as_str();
        tracing::warn!(requestId = request_id, error = error as &dyn std::error::Error, "an export broke off");
        Self("the export broke off".to_owned())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

pub(crate) fn doc() -> Doc {
    let fields = [optional("format", one_of(["jsonl", "csv"]), "Lines of JSON, or CSV with a heading")];
    let example = examples::audit_entry().to_string();
    Doc::text(200, "application/x-ndjson", "All entries that match, as a file; with `format=csv` as text/csv", &example)
        .query(filter_fields())
        .query(fields)
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut form = query::form(&request);
    let format = form.choice::<Format>("format").unwrap_or_default();
    let filter = filter(&mut form);
    let filter = form.finish(Some(filter))?;
    // The first stretch before the head of the answer: what goes wrong here is an ordinary error.
    let page = state.api.audit.stretch(&auth.context, filter.clone(), STRETCH).await?;
    let rest = Rest { state, context: auth.context, format, page: Some(page), filter, begun: false };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, format.media_type()))
        .insert_header((CONTENT_DISPOSITION, format.disposition()))
        .streaming(try_unfold(rest, Rest::next)))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::Value;
    use shopwright_ports::storage::StorageError;

    use super::*;
    use crate::audit::example_entry;
    use crate::testing::{Bench, OWNER};

    fn get(query: &str) -> TestRequest {
        OWNER.asks(TestRequest::get().uri(&format!("/api/v1/audit/export{query}")))
    }

    /// Two stretches.
    fn bench() -> Bench {
        let mut bench = Bench::new();
        bench.audit.expect_stretch().once().withf(|_, filter, _| filter.after.is_none()).returning(|_, _, _| {
            let entries = vec![example_entry(3), example_entry(2)];
            Ok(LogPage { entries, total: 0, next: Some(example_entry(2).place()) })
        });
        bench
    }

    fn with_an_end() -> Bench {
        let mut bench = bench();
        bench
            .audit
            .expect_stretch()
            .once()
            .withf(|_, filter, _| filter.after == Some(example_entry(2).place()))
            .returning(|_, _, _| Ok(LogPage { entries: vec![example_entry(1)], total: 0, next: None }));
        bench
    }

    #[actix_web::test]
    async fn lines_of_json_are_the_entries_of_the_trail() {
        let answer = with_an_end().send(get("?format=jsonl")).await;

        assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"));
        let ids: Vec<Value> =
            answer.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
        assert_eq!(ids, ["3", "2", "1"]);
    }

    #[actix_web::test]
    async fn csv_has_a_heading_and_a_record_per_entry() {
        let answer = with_an_end().send(get("?format=csv")).await;

        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"audit.csv\"");
        let lines: Vec<&str> = answer.text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(format!("{}\r\n", lines[0]), HEADING);
        assert!(lines[1].starts_with("3,00000000-0000-4000-8000-00000000000a,2026-01-01T00:00:00.000Z,status_change,"));
        let metadata = r#","{""engine"":""medusa"",""forced"":false,""steps"":4}","#;
        assert!(lines[1].ends_with(&format!("{metadata}{}", "ab".repeat(32))), "{}", lines[1]);
    }

    #[test]
    fn a_field_is_never_a_formula_nor_two_fields() {
        let written = |text: &str| {
            let mut out = String::new();
            write_field(text, &mut out);
            out
        };

        assert_eq!(written("plain"), "plain");
        assert_eq!(written("a,b"), "\"a,b\"");
        assert_eq!(written("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
        assert_eq!(written("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
        assert_eq!(written("@SUM"), "\"'@SUM\"");
    }

    #[actix_web::test]
    async fn a_wrong_format_is_400_and_a_failure_at_once_is_an_ordinary_error() {
        assert_eq!(Bench::new().send(get("?format=xml")).await.kinds(), [("format".into(), "any.only".into())]);

        let mut bench = Bench::new();
        bench.audit.expect_stretch().returning(|_, _, _| {
            Err(AuditServiceError::Storage(StorageError::Unavailable { detail: "away".into(), source: None }))
        });
        let answer = bench.send(get("")).await;
        assert_eq!((answer.status, answer.code()), (503, "SERVICE_UNAVAILABLE"));
    }

    #[actix_web::test]
    async fn a_failure_in_the_middle_ends_the_body_with_an_error() {
        let mut bench = bench();
        bench.audit.expect_stretch().once().returning(|_, _, _| {
            Err(AuditServiceError::Storage(StorageError::Unavailable { detail: "away".into(), source: None }))
        });

        assert!(bench.app().await.body_of(get("")).await.is_err(), "nobody takes a part for the whole");
    }
}
