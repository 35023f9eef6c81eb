//! `GET /platform/clusters`: how clusters are doing, as the server that answers knows it.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::json;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::StoreState;
use shopwright_ports::platform_api::{ClusterSight, ClusterView};
use shopwright_ports::stores_api::EngineView;
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::problem::Problem;
use crate::{State, reply};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlatformCluster)]
struct ClusterBody {
    name: String,
    /// Whether operations get through to it now; null when this server does not work on it.
    #[schema(required)]
    takes_work: Option<bool>,
    /// Why it takes none.
    #[schema(required)]
    reason: Option<String>,
    /// `holds`, `open`, or `unknown` as long as nobody could look.
    fence: &'static str,
    /// Null when this server does not work on it.
    #[schema(required)]
    breakers: Option<Breakers>,
    /// Namespaces that carry our labels and belong to no store.
    #[schema(required)]
    unknown_namespaces: Option<usize>,
    capacity: Capacity,
    operations: Operations,
    stores: Stores,
    engines: Vec<EngineOnCluster>,
}

/// `closed`, `half-open` or `open`. One breaker guards a cluster; v1 had one for helm and one for the rest, and its readers look for both.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClusterBreakers)]
struct Breakers {
    helm: &'static str,
    kubernetes: &'static str,
    #[schema(required)]
    last_failure_at: Option<Iso>,
}

/// How many operations run at once, over all servers.
#[derive(Serialize, ToSchema)]
#[schema(as = ClusterCapacity)]
struct Capacity {
    permits: u32,
    running: u64,
}

/// Operations that are not finished.
#[derive(Serialize, ToSchema)]
#[schema(as = ClusterOperations)]
struct Operations {
    queued: u64,
    running: u64,
    waiting: u64,
    stuck: u64,
}

/// Stores that are not deleted.
#[derive(Serialize, ToSchema)]
#[schema(as = ClusterStores)]
struct Stores {
    requested: u64,
    provisioning: u64,
    ready: u64,
    failed: u64,
    deleting: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EngineOnCluster {
    name: String,
    title: String,
    /// Whether a store of it can be made now.
    available: bool,
    #[schema(required)]
    unavailable_reason: Option<String>,
    /// Stores of it on the cluster.
    stores: u64,
}

#[derive(Serialize, ToSchema)]
struct Body {
    clusters: Vec<ClusterBody>,
}

/// What a sight says against taking work.
fn reason(sight: Option<&ClusterSight>) -> Option<String> {
    let Some(sight) = sight else { return Some("this server does not work on it".to_owned()) };
    match &sight.fence_detail {
        _ if sight.takes_work() => None,
        Some(detail) => Some(format!("its fence is open: {detail}")),
        None if sight.breaker.as_str() == "open" => Some("it did not answer several times in a row".to_owned()),
        None => Some("nobody could look at its fence yet".to_owned()),
    }
}

impl ClusterBody {
    fn new(view: &ClusterView, engines: &[EngineView]) -> Self {
        let (census, sight) = (&view.census, view.sight.as_ref());
        let breakers = |sight: &ClusterSight| {
            let state = sight.breaker.as_str();
            Breakers { helm: state, kubernetes: state, last_failure_at: sight.breaker_last_failure.map(Iso) }
        };
        let engine = |view: &EngineView| EngineOnCluster {
            name: view.engine.name().to_string(),
            title: view.engine.title().to_owned(),
            available: view.unavailable.is_none(),
            unavailable_reason: view.unavailable.clone(),
            stores: census.stores_of(view.engine.name()),
        };
        let running = census.operations(OperationStatus::Running);
        Self {
            name: census.cluster.name.to_string(),
            takes_work: sight.map(ClusterSight::takes_work),
            reason: reason(sight),
            fence: sight.map_or("unknown", |sight| sight.fence.as_str()),
            breakers: sight.map(breakers),
            unknown_namespaces: sight.map(|sight| sight.unknown_namespaces),
            capacity: Capacity { permits: census.cluster.permits, running },
            operations: Operations {
                queued: census.operations(OperationStatus::Queued),
                running,
                waiting: census.operations(OperationStatus::Waiting),
                stuck: census.operations(OperationStatus::Stuck),
            },
            stores: Stores {
                requested: census.stores_in(StoreState::Requested),
                provisioning: census.stores_in(StoreState::Provisioning),
                ready: census.stores_in(StoreState::Ready),
                failed: census.stores_in(StoreState::Failed),
                deleting: census.stores_in(StoreState::Deleting),
            },
            engines: engines.iter().map(engine).collect(),
        }
    }
}

pub(crate) fn doc() -> Doc {
    let example = json!({"clusters": [{
        "name": "default", "takesWork": true, "reason": null, "fence": "holds",
        "breakers": {"helm": "closed", "kubernetes": "closed", "lastFailureAt": null}, "unknownNamespaces": 0,
        "capacity": {"permits": 32, "running": 1},
        "operations": {"queued": 0, "running": 1, "waiting": 0, "stuck": 0},
        "stores": {"requested": 0, "provisioning": 1, "ready": 41, "failed": 0, "deleting": 0},
        "engines": [{"name": "medusa", "title": "Medusa", "available": true, "unavailableReason": null, "stores": 42}],
    }]});
    let summary =
        "Every cluster: what is on it, and what this server knows of its breaker and fence. For administrators";
    Doc::answers::<Body>(200, summary, example)
}

/// `GET /platform/clusters`.
pub(crate) async fn list(auth: Authenticated, state: Data<State>) -> Result<HttpResponse, Problem> {
    auth.as_administrator()?;
    let found = state.api.platform.clusters(&auth.context).await?;
    let clusters = found.clusters.iter().map(|view| ClusterBody::new(view, &found.engines)).collect();
    Ok(reply::ok(&auth.context.origin, Body { clusters }))
}
