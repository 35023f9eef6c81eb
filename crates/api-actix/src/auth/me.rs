//! `GET /auth/me`: the account behind the token.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use super::{Authenticated, UserBody};
use crate::State;
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::organisations::{OrganisationBody, organisation_example};
use crate::problem::Problem;
use crate::reply;
use serde_json::json;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Account)]
struct AccountBody {
    #[serde(flatten)]
    user: UserBody,
    created_at: Iso,
}

#[derive(Serialize, ToSchema)]
struct Body {
    user: AccountBody,
    organisations: Vec<OrganisationBody>,
}

pub(crate) fn doc() -> Doc {
    let mut user = examples::user();
    user["createdAt"] = "2026-11-23T00:14:17.473Z".into();
    Doc::answers::<Body>(
        200,
        "The account behind the token",
        json!({"user": user, "organisations": [organisation_example()]}),
    )
}

pub(crate) async fn handle(auth: Authenticated, state: Data<State>) -> Result<HttpResponse, Problem> {
    let user = AccountBody { user: UserBody::from(&auth.user), created_at: Iso(auth.user.created_at) };
    let organisations = state.api.organisations.list(&auth.context).await?;
    let organisations = organisations.into_iter().map(OrganisationBody::from).collect();
    Ok(reply::ok(&auth.context.origin, Body { user, organisations }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use crate::testing::{Bench, OWNER, own_organisation};

    #[actix_web::test]
    async fn the_account_is_shown_without_its_hash() {
        let mut bench = Bench::new();
        bench.organisations.expect_list().returning(|_| Ok(vec![own_organisation()]));
        let answer = bench.send(OWNER.asks(TestRequest::get().uri("/api/v1/auth/me"))).await;

        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body["user"],
            json!({
                "id": "00000000-0000-4000-8000-00000000000a", "email": "owner@example.com", "username": "owner",
                "role": "tenant", "createdAt": "2026-01-01T00:00:00.000Z",
            })
        );
        assert_eq!(
            answer.body["organisations"],
            json!([{
                "id": "00000000-0000-4000-8000-00000000000a", "name": "owner", "personal": true, "role": "owner",
                "createdAt": "2026-01-01T00:00:00.000Z",
            }])
        );
    }
}
