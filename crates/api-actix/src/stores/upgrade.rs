//! `GET /stores/{id}/upgrade` says what an upgrade would change, `POST /stores/{id}/upgrade` asks for it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_ports::stores_api::{Change, FieldChange, ObjectChange, UpgradePreview};

use super::{accepted, accepted_doc, id_of};
use crate::auth::Authenticated;
use crate::openapi::doc::Doc;
use crate::problem::Problem;
use crate::{State, reply};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
struct Body<'a> {
    upgrade: PreviewBody<'a>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Upgrade)]
struct PreviewBody<'a> {
    up_to_date: bool,
    from: DigestsBody<'a>,
    to: DigestsBody<'a>,
    changes: Vec<ChangeBody<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReleaseDigests)]
struct DigestsBody<'a> {
    chart: &'a str,
    values: &'a str,
    helm: &'a str,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ObjectChange)]
struct ChangeBody<'a> {
    kind: &'a str,
    name: &'a str,
    /// `added`, `removed` or `changed`.
    change: &'static str,
    fields: Vec<FieldBody<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FieldChange)]
struct FieldBody<'a> {
    path: &'a str,
    #[schema(required)]
    before: Option<&'a str>,
    #[schema(required)]
    after: Option<&'a str>,
}

impl<'a> From<&'a ReleaseDigests> for DigestsBody<'a> {
    fn from(digests: &'a ReleaseDigests) -> Self {
        Self { chart: &digests.chart, values: &digests.values, helm: &digests.helm }
    }
}

impl<'a> From<&'a FieldChange> for FieldBody<'a> {
    fn from(field: &'a FieldChange) -> Self {
        Self { path: &field.path, before: field.before.as_deref(), after: field.after.as_deref() }
    }
}

impl<'a> From<&'a ObjectChange> for ChangeBody<'a> {
    fn from(it: &'a ObjectChange) -> Self {
        let change = match it.change {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "changed",
        };
        let fields = it.fields.iter().map(FieldBody::from).collect();
        Self { kind: &it.object.kind, name: &it.object.name, change, fields }
    }
}

impl<'a> From<&'a UpgradePreview> for PreviewBody<'a> {
    fn from(preview: &'a UpgradePreview) -> Self {
        Self {
            up_to_date: preview.up_to_date,
            from: (&preview.from).into(),
            to: (&preview.to).into(),
            changes: preview.changes.iter().map(ChangeBody::from).collect(),
        }
    }
}

pub(crate) fn preview_doc() -> Doc {
    let digests = |letter: &str| json!({"chart": format!("sha256:{letter}"), "values": "sha256:b", "helm": "sha256:c"});
    let field = json!({"path": "spec.template.spec.containers[web].image", "before": "x:1", "after": "x:2"});
    let change = json!({"kind": "Deployment", "name": "web", "change": "changed", "fields": [field]});
    let upgrade = json!({"upToDate": false, "from": digests("a"), "to": digests("d"), "changes": [change]});
    Doc::answers::<Body<'static>>(200, "What an upgrade would change", json!({"upgrade": upgrade}))
        .refuses(409, "The store is not `ready`")
        .refuses(422, "The engine is not available")
}

pub(crate) fn doc() -> Doc {
    accepted_doc(
        "Brings a store to what the platform would make of it now, and back when that fails",
        "The store is being upgraded.",
    )
    .refuses(409, "The store is not `ready`, or something runs on it")
    .refuses(422, "The engine is not available")
}

pub(crate) async fn preview(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let preview = state.api.stores.preview_upgrade(&auth.context, &id_of(&request)?).await?;
    Ok(reply::ok(&auth.context.origin, Body { upgrade: (&preview).into() }))
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let outcome = state.api.stores.upgrade(&auth.context, &id_of(&request)?).await?;
    Ok(accepted(&auth.context.origin, "The store is being upgraded.", &outcome))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_domain::OperationId;
    use shopwright_domain::operation::OperationKind;
    use shopwright_ports::releases::ObjectRef;
    use shopwright_ports::stores_api::{Accepted, StoreServiceError};

    use super::*;
    use crate::testing::{Bench, OWNER, STORE, operation, ready_store};

    fn uri() -> String {
        format!("/api/v1/stores/{STORE}/upgrade")
    }

    #[actix_web::test]
    async fn what_would_change_is_told_object_by_object() {
        let mut bench = Bench::new();
        bench.stores.expect_preview_upgrade().once().returning(|_, _| {
            let digests = |name: &str| ReleaseDigests {
                chart: name.into(),
                values: "v".into(),
                helm: "h".into(),
                origin: None,
                size: None,
            };
            let object = ObjectRef { api_version: "apps/v1".into(), kind: "Deployment".into(), name: "web".into() };
            let field = FieldChange { path: "c.image".into(), before: Some("x:1".into()), after: Some("x:2".into()) };
            let changes = vec![ObjectChange { object, change: Change::Changed, fields: vec![field] }];
            Ok(UpgradePreview { up_to_date: false, from: digests("a"), to: digests("b"), changes })
        });

        let answer = bench.send(OWNER.asks(TestRequest::get().uri(&uri()))).await;

        assert_eq!(answer.status, 200);
        let upgrade = &answer.body["upgrade"];
        assert_eq!((&upgrade["from"]["chart"], &upgrade["to"]["chart"]), (&json!("a"), &json!("b")));
        let fields = json!([{"path": "c.image", "before": "x:1", "after": "x:2"}]);
        let wanted = json!([{"kind": "Deployment", "name": "web", "change": "changed", "fields": fields}]);
        assert_eq!(upgrade["changes"], wanted);
    }

    #[actix_web::test]
    async fn an_upgrade_is_accepted_unless_something_runs() {
        let mut bench = Bench::new();
        bench
            .stores
            .expect_upgrade()
            .once()
            .returning(|_, _| Ok(Accepted { store: ready_store(), operation: Some(operation()), is_owner: true }));
        assert_eq!(bench.send(OWNER.asks(TestRequest::post().uri(&uri()))).await.status, 202);

        let mut bench = Bench::new();
        let running = OperationId::from_random(7);
        bench.stores.expect_upgrade().return_once(move |_, _| {
            Err(StoreServiceError::Busy { kind: OperationKind::Rotate, operation_id: running })
        });
        let answer = bench.send(OWNER.asks(TestRequest::post().uri(&uri()))).await;
        assert_eq!((answer.status, answer.code()), (409, "OPERATION_RUNNING"));
    }
}
