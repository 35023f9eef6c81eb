//! `GET /stores/{id}/resources`: what a store takes of its cluster, against its quota.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use shopwright_ports::stores_api::{Share, StoreResources};
use utoipa::ToSchema;

use super::id_of;
use crate::auth::Authenticated;
use crate::openapi::doc::Doc;
use crate::problem::Problem;
use crate::{State, reply};

#[derive(Serialize, ToSchema)]
struct Body {
    resources: ResourcesBody,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StoreResources)]
struct ResourcesBody {
    /// Computing that its pods may do at once, in thousandths of a core.
    cpu_millicores: ShareBody,
    /// Memory that its pods may use.
    memory_bytes: ShareBody,
    /// Its volumes.
    storage_bytes: ShareBody,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Share)]
struct ShareBody {
    /// What the store asks for.
    taken: u64,
    /// What it may have; null where there is no quota.
    #[schema(required)]
    quota: Option<u64>,
}

impl From<Share> for ShareBody {
    fn from(Share { taken, quota }: Share) -> Self {
        Self { taken, quota }
    }
}

impl From<StoreResources> for ResourcesBody {
    fn from(resources: StoreResources) -> Self {
        let StoreResources { cpu_millicores, memory_bytes, storage_bytes } = resources;
        Self {
            cpu_millicores: cpu_millicores.into(),
            memory_bytes: memory_bytes.into(),
            storage_bytes: storage_bytes.into(),
        }
    }
}

pub(crate) fn doc() -> Doc {
    let share = |taken: u64, quota: u64| json!({"taken": taken, "quota": quota});
    let gibibytes = |count: u64| count << 30;
    let resources = json!({
        "cpuMillicores": share(1_500, 7_000),
        "memoryBytes": share(gibibytes(1), gibibytes(5)),
        "storageBytes": share(gibibytes(10), gibibytes(20)),
    });
    Doc::answers::<Body>(200, "What a store takes of its cluster, against its quota", json!({"resources": resources}))
        .refuses(409, "The store is not `ready`")
        .refuses(422, "The engine is not available")
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let resources = state.api.stores.resources(&auth.context, &id_of(&request)?).await?;
    Ok(reply::ok(&auth.context.origin, Body { resources: resources.into() }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_domain::store::StoreState;
    use shopwright_ports::stores_api::StoreServiceError;

    use super::*;
    use crate::testing::{Bench, OWNER, STORE};

    fn get() -> TestRequest {
        TestRequest::get().uri(&format!("/api/v1/stores/{STORE}/resources"))
    }

    #[actix_web::test]
    async fn what_a_store_takes_is_told_beside_what_it_may() {
        let mut bench = Bench::new();
        bench.stores.expect_resources().once().withf(|_, id| id.as_str() == STORE).returning(|_, _| {
            let cpu_millicores = Share { taken: 1_500, quota: Some(8_000) };
            let memory_bytes = Share { taken: 1 << 30, quota: None };
            Ok(StoreResources { cpu_millicores, memory_bytes, ..StoreResources::default() })
        });

        let answer = bench.send(OWNER.asks(get())).await;

        assert_eq!(answer.status, 200);
        let resources = &answer.body["resources"];
        assert_eq!(resources["cpuMillicores"], json!({"taken": 1_500, "quota": 8_000}));
        assert_eq!(resources["memoryBytes"], json!({"taken": 1_073_741_824, "quota": null}));
    }

    #[actix_web::test]
    async fn a_store_that_is_not_ready_is_refused() {
        let mut bench = Bench::new();
        let refused = StoreServiceError::NotReady { state: StoreState::Failed };
        bench.stores.expect_resources().return_once(move |_, _| Err(refused));

        let answer = bench.send(OWNER.asks(get())).await;

        assert_eq!((answer.status, answer.code()), (409, "STORE_NOT_READY"));
    }
}
