//! A store as the API shows it. The first fields are v1's, with its six states; the rest adds to them.
//!
//! Credentials appear in exactly one place: the detail that the owner reads.

use std::borrow::Cow;

use secrecy::ExposeSecret;
use serde::Serialize;
use shopwright_domain::store::{Store, StoreUrls};
use shopwright_ports::stores_api::{Accepted, AdminCredentials, StoreView};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::iso::Iso;
use crate::openapi::words;
use crate::operations::{FailureBody, OperationBody};

#[derive(Serialize, ToSchema)]
#[schema(as = StoreUrls)]
struct Urls {
    #[schema(required)]
    storefront: Option<String>,
    #[schema(required)]
    admin: Option<String>,
}

/// v1's `adminCredentials`: empty for an owner whose store is not ready, nulls for anybody else.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum CredentialsBody {
    NotYet {},
    Hidden {
        email: Option<String>,
        password: Option<String>,
    },
    Shown {
        email: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        password: String,
    },
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Store)]
pub(super) struct StoreBody {
    id: String,
    name: String,
    engine: String,
    #[schema(value_type = words::StoreStatus)]
    status: &'static str,
    #[schema(required)]
    theme: Option<String>,
    urls: Urls,
    namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_credentials: Option<CredentialsBody>,
    is_credential_owner: bool,
    #[schema(required)]
    failure_reason: Option<String>,
    retry_count: u32,
    #[schema(required)]
    provisioning_duration_ms: Option<i64>,
    created_at: Iso,
    updated_at: Iso,
    host: String,
    #[schema(required)]
    engine_note: Option<String>,
    #[schema(required)]
    failure: Option<FailureBody>,
    #[schema(required)]
    operation: Option<OperationBody>,
}

impl PartialSchema for CredentialsBody {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
        let object = ["email", "username", "password"]
            .into_iter()
            .fold(ObjectBuilder::new(), |object, name| object.property(name, text()));
        RefOr::T(Schema::Object(object.schema_type(SchemaType::new(Type::Object)).build()))
    }
}

impl ToSchema for CredentialsBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("AdminCredentials")
    }
}

impl StoreBody {
    /// The store that its owner, or a platform administrator, looks at.
    pub(super) fn detail(view: &StoreView) -> Self {
        let credentials = credentials(view.credentials.as_ref(), view.is_owner);
        let operation = view.operation.as_ref().map(OperationBody::summary);
        Self { admin_credentials: Some(credentials), operation, ..Self::new(&view.store, view.is_owner) }
    }

    /// One of many: without credentials.
    pub(super) fn listed(view: &StoreView) -> Self {
        let operation = view.operation.as_ref().map(OperationBody::summary);
        Self { operation, ..Self::new(&view.store, view.is_owner) }
    }

    /// The store for which something was accepted. Its credentials are a detail that it does not repeat.
    pub(super) fn accepted(accepted: &Accepted) -> Self {
        let credentials = credentials(None, accepted.is_owner);
        let operation = accepted.operation.as_ref().map(OperationBody::summary);
        Self { admin_credentials: Some(credentials), operation, ..Self::new(&accepted.store, accepted.is_owner) }
    }

    fn new(store: &Store, is_owner: bool) -> Self {
        let (storefront, admin) = match store.urls.clone() {
            Some(StoreUrls { storefront, admin }) => (Some(storefront), Some(admin)),
            None => (None, None),
        };
        let failure = store.failure.as_ref().map(FailureBody::from);
        let milliseconds = |duration: jiff::SignedDuration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self {
            id: store.id.to_string(),
            name: store.name.to_string(),
            engine: store.engine.to_string(),
            status: store.state.as_str(),
            theme: store.theme.as_ref().map(ToString::to_string),
            urls: Urls { storefront, admin },
            namespace: store.id.namespace().to_owned(),
            admin_credentials: None,
            is_credential_owner: is_owner,
            failure_reason: failure.as_ref().map(FailureBody::sentence),
            retry_count: store.retry_count,
            provisioning_duration_ms: store.provisioning_duration.map(milliseconds),
            created_at: Iso(store.created_at),
            updated_at: Iso(store.updated_at),
            host: store.host.to_string(),
            engine_note: store.engine_note.clone(),
            failure,
            operation: None,
        }
    }
}

fn credentials(credentials: Option<&AdminCredentials>, is_owner: bool) -> CredentialsBody {
    match (credentials, is_owner) {
        (Some(AdminCredentials { email, username, password: Some(password) }), true) => CredentialsBody::Shown {
            email: email.clone(),
            username: username.clone(),
            password: password.expose_secret().to_owned(),
        },
        (_, true) => CredentialsBody::NotYet {},
        (_, false) => CredentialsBody::Hidden { email: None, password: None },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shopwright_domain::ErrorCode;
    use shopwright_domain::store::Failure;

    use super::*;
    use crate::testing::{operation, ready_store, view};

    fn shown(body: &StoreBody) -> Value {
        serde_json::to_value(body).unwrap()
    }

    #[test]
    fn the_owner_sees_a_ready_store_with_its_credentials() {
        insta::assert_json_snapshot!(shown(&StoreBody::detail(&view(true))), @r#"
        {
          "adminCredentials": {
            "email": "owner@example.com",
            "password": "KGXv-secret"
          },
          "createdAt": "2026-01-01T00:00:00.000Z",
          "engine": "medusa",
          "engineNote": null,
          "failure": null,
          "failureReason": null,
          "host": "teashop.localhost",
          "id": "store-1a2b3c4d",
          "isCredentialOwner": true,
          "name": "teashop",
          "namespace": "store-1a2b3c4d",
          "operation": {
            "attempt": 0,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "failure": null,
            "finishedAt": null,
            "id": "00000000-0000-4000-8000-0000000000ff",
            "kind": "provision",
            "requestedAt": "2026-01-01T00:00:00.000Z",
            "startedAt": null,
            "status": "queued",
            "step": "create_namespace",
            "storeId": "store-1a2b3c4d"
          },
          "provisioningDurationMs": 1281,
          "retryCount": 0,
          "status": "ready",
          "theme": null,
          "updatedAt": "2026-01-01T00:00:00.000Z",
          "urls": {
            "admin": "http://teashop.localhost:8080/app",
            "storefront": "http://teashop.localhost:8080"
          }
        }
        "#);
    }

    #[test]
    fn a_platform_administrator_sees_no_credentials() {
        let body = shown(&StoreBody::detail(&view(false)));

        assert_eq!(body["adminCredentials"], json!({"email": null, "password": null}));
        assert_eq!(body["isCredentialOwner"], false);
    }

    /// API.md section 8 item 4: v1 sent passwords in every list and in the answers to changes.
    #[test]
    fn api_8_4_lists_and_accepted_requests_hold_no_credentials() {
        let accepted = Accepted { store: ready_store(), operation: Some(operation()), is_owner: true };

        assert_eq!(shown(&StoreBody::listed(&view(true))).get("adminCredentials"), None);
        assert_eq!(shown(&StoreBody::accepted(&accepted))["adminCredentials"], json!({}));
    }

    #[test]
    fn a_failure_is_a_sentence_and_a_code() {
        let mut view = view(true);
        view.store.failure = Some(Failure::new(ErrorCode::ImagePull, "pod web-0: ErrImagePull."));

        let body = shown(&StoreBody::detail(&view));

        let hint = ErrorCode::ImagePull.hint();
        assert_eq!(body["failureReason"], format!("pod web-0: ErrImagePull. {hint}"));
        assert_eq!(
            body["failure"],
            json!({"code": "image_pull", "class": "platform", "detail": "pod web-0: ErrImagePull.", "message": "pod web-0: ErrImagePull.", "hint": hint})
        );
    }
}
