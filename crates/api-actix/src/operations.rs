//! `GET /operations/{id}`: what runs on a store, step by step. Also its short form inside a store, and in the [`list`].

pub(crate) mod cancel;
pub(crate) mod list;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use shopwright_domain::operation::{Operation, SetupStep};
use shopwright_domain::saga::StepRecord;
use shopwright_domain::store::Failure;
use shopwright_domain::{ErrorCode, OperationId};
use shopwright_ports::stores_api::OperationView;

use crate::State;
use crate::auth::Authenticated;
use crate::conditional::conditional;
use crate::form::Form;
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::{examples, words};
use crate::problem::Problem;
use serde_json::json;
use utoipa::ToSchema;

/// Why something failed or waits. `message` repeats `detail` for readers of either word.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct FailureBody {
    #[schema(value_type = words::FailureCode)]
    code: &'static str,
    #[schema(value_type = words::FailureClass)]
    class: &'static str,
    detail: String,
    message: String,
    hint: &'static str,
}

impl FailureBody {
    fn new(code: ErrorCode, detail: &str) -> Self {
        let (code, class, hint) = (code.as_str(), code.class().as_str(), code.hint());
        Self { code, class, detail: detail.to_owned(), message: detail.to_owned(), hint }
    }

    /// Words for a person: what happened, and what to do.
    pub(crate) fn sentence(&self) -> String {
        match self.detail.trim().trim_end_matches('.') {
            "" => self.hint.to_owned(),
            detail => format!("{detail}. {}", self.hint),
        }
    }
}

impl From<&Failure> for FailureBody {
    fn from(failure: &Failure) -> Self {
        Self::new(failure.code, &failure.detail)
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperationStep)]
struct StepBody {
    #[schema(value_type = words::Step)]
    name: &'static str,
    #[schema(value_type = words::StepStatus)]
    status: &'static str,
    attempts: u32,
    #[schema(required)]
    started_at: Option<Iso>,
    #[schema(required)]
    finished_at: Option<Iso>,
    #[schema(required)]
    error: Option<FailureBody>,
}

impl From<&StepRecord> for StepBody {
    fn from(record: &StepRecord) -> Self {
        Self {
            name: record.step.as_str(),
            status: record.status.as_str(),
            attempts: record.attempts,
            started_at: record.started_at.map(Iso),
            finished_at: record.finished_at.map(Iso),
            error: record.error.as_ref().map(|error| FailureBody::new(error.code, &error.detail)),
        }
    }
}

/// A step that the engine's own set-up says to have done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SetupStep)]
struct SetupStepBody {
    name: String,
    duration_ms: u64,
}

impl From<&SetupStep> for SetupStepBody {
    fn from(step: &SetupStep) -> Self {
        Self { name: step.name.clone(), duration_ms: step.millis }
    }
}

/// An operation; `steps` and `setup` only where it is looked at itself.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Operation)]
pub(crate) struct OperationBody {
    id: String,
    store_id: String,
    #[schema(value_type = words::Kind)]
    kind: &'static str,
    #[schema(value_type = words::Status)]
    status: &'static str,
    #[schema(required, value_type = Option<words::Step>)]
    step: Option<&'static str>,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup: Option<Vec<SetupStepBody>>,
    #[schema(required)]
    failure: Option<FailureBody>,
    created_at: Iso,
    requested_at: Iso,
    #[schema(required)]
    started_at: Option<Iso>,
    #[schema(required)]
    finished_at: Option<Iso>,
}

impl OperationBody {
    pub(crate) fn summary(operation: &Operation) -> Self {
        Self {
            id: operation.id.to_string(),
            store_id: operation.store_id.to_string(),
            kind: operation.kind.as_str(),
            status: operation.status.as_str(),
            step: operation.step.map(shopwright_domain::saga::Step::as_str),
            attempt: operation.attempt,
            steps: None,
            setup: None,
            failure: operation.failure.as_ref().map(FailureBody::from),
            created_at: Iso(operation.created_at),
            requested_at: Iso(operation.created_at),
            started_at: operation.started_at.map(Iso),
            finished_at: operation.finished_at.map(Iso),
        }
    }

    fn detail(view: &OperationView) -> Self {
        let steps = view.steps.iter().map(StepBody::from).collect();
        let setup = view.operation.setup.iter().map(SetupStepBody::from).collect();
        Self { steps: Some(steps), setup: Some(setup), ..Self::summary(&view.operation) }
    }
}

#[derive(Serialize, ToSchema)]
struct Body {
    operation: OperationBody,
}

fn id_of(request: &HttpRequest) -> Result<OperationId, Problem> {
    Form::path_id(request, "id", "an operation id: a UUID")
}

pub(crate) fn doc() -> Doc {
    let example = json!({"operation": examples::operation_detail()});
    Doc::answers::<Body>(200, "What runs on a store, step by step", example)
        .header("ETag", "For If-None-Match")
        .or_nothing(304, "Nothing has changed since the answer with this ETag")
        .refuses(404, "No such operation; told to administrators alone")
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let view = state.api.stores.operation(&auth.context, id_of(&request)?).await?;
    conditional(&request, &auth.context.origin, Body { operation: OperationBody::detail(&view) })
}

#[cfg(test)]
mod tests;
