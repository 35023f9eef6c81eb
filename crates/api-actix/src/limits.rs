//! `GET /limits`: what the organisation may take, and how much of it is taken.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::json;
use shopwright_ports::stores_api::LimitsView;
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::problem::Problem;
use crate::{State, reply};

#[derive(Serialize, ToSchema)]
struct StoresLimit {
    limit: u32,
    used: u32,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreationCooldown {
    seconds: u64,
    ends_at: Option<Iso>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RequestsLimit {
    limit: u32,
    window_seconds: u64,
}

#[derive(Serialize, ToSchema)]
struct RetriesLimit {
    limit: u32,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LimitsBody {
    plan: String,
    stores: StoresLimit,
    creation_cooldown: CreationCooldown,
    requests: RequestsLimit,
    retries: RetriesLimit,
}

impl From<LimitsView> for LimitsBody {
    fn from(view: LimitsView) -> Self {
        let LimitsView { plan_name, plan, stores_used, cooldown_ends_at } = view;
        let seconds = |duration: jiff::SignedDuration| duration.unsigned_abs().as_secs();
        Self {
            plan: plan_name.to_string(),
            stores: StoresLimit { limit: plan.stores.0, used: stores_used },
            creation_cooldown: CreationCooldown {
                seconds: seconds(plan.cooldown.0),
                ends_at: cooldown_ends_at.map(Iso),
            },
            requests: RequestsLimit { limit: plan.requests.limit, window_seconds: seconds(plan.requests.window) },
            retries: RetriesLimit { limit: plan.retries },
        }
    }
}

pub(crate) fn doc() -> Doc {
    let example = json!({
        "plan": "standard",
        "stores": {"limit": 5, "used": 1},
        "creationCooldown": {"seconds": 30, "endsAt": "2026-11-25T11:00:00.000Z"},
        "requests": {"limit": 600, "windowSeconds": 60},
        "retries": {"limit": 3},
    });
    Doc::answers::<LimitsBody>(200, "What the organisation may take, and how much of it is taken", example)
}

pub(crate) async fn handle(auth: Authenticated, state: Data<State>, _: HttpRequest) -> Result<HttpResponse, Problem> {
    let view = state.api.stores.limits(&auth.context).await?;
    Ok(reply::ok(&auth.context.origin, LimitsBody::from(view)))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;
    use shopwright_domain::plans::Plan;
    use shopwright_ports::clock::Clock;
    use shopwright_ports::stores_api::LimitsView;
    use shopwright_ports::testing::ManualClock;

    use crate::testing::{Bench, OWNER};

    #[actix_web::test]
    async fn an_organisation_sees_what_it_may_take() {
        let mut bench = Bench::new();
        let ends = ManualClock::default().now();
        bench.stores.expect_limits().once().returning(move |_| {
            Ok(LimitsView {
                plan_name: "team".parse().unwrap(),
                plan: Plan::default(),
                stores_used: 2,
                cooldown_ends_at: Some(ends),
            })
        });

        let answer = bench.send(OWNER.asks(TestRequest::get().uri("/api/v1/limits"))).await;

        assert_eq!(answer.status, 200);
        let mut body = answer.body.clone();
        body.as_object_mut().unwrap().remove("requestId");
        let ends = crate::iso::Iso(ends).to_string();
        assert_eq!(
            body,
            json!({"plan": "team", "stores": {"limit": 5, "used": 2}, "creationCooldown": {"seconds": 30, "endsAt": ends},
                   "requests": {"limit": 600, "windowSeconds": 60}, "retries": {"limit": 3}})
        );
    }
}
