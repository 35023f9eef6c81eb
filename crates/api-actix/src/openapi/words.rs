//! The words of the domain as schemas: what a field that holds one of them may say.

use std::borrow::Cow;

use shopwright_domain::ErrorCode;
use shopwright_domain::Scope;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::error_code::ErrorClass;
use shopwright_domain::identity::PlatformRole;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::organisation;
use shopwright_domain::saga::StepStatus as DomainStepStatus;
use shopwright_domain::store::{Engine as DomainEngine, StoreState, Theme as DomainTheme};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $words:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words: Vec<&'static str> = $words;
                let object = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).enum_values(Some(words));
                RefOr::T(Schema::Object(object.build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

words! {
    /// What a store is.
    StoreStatus = StoreState::ALL.iter().map(|word| word.as_str()).collect();
    /// What a store is made with.
    Engine = DomainEngine::ALL.iter().map(|word| word.as_str()).collect();
    /// How a store looks.
    Theme = DomainTheme::ALL.iter().map(|word| word.as_str()).collect();
    /// What runs on a store.
    Kind = OperationKind::ALL.iter().map(|word| word.as_str()).collect();
    /// How it is doing.
    Status = OperationStatus::ALL.iter().map(|word| word.as_str()).collect();
    /// Every step of every kind.
    Step = OperationKind::ALL.iter().flat_map(|kind| kind.steps()).map(|step| step.as_str()).fold(Vec::new(), distinct);
    /// How a step is doing.
    StepStatus = DomainStepStatus::ALL.iter().map(|word| word.as_str()).collect();
    /// Why something failed or waits.
    FailureCode = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    /// Who must act.
    FailureClass = [ErrorClass::Retry, ErrorClass::User, ErrorClass::Platform].iter().map(|word| word.as_str()).collect();
    /// What an audit event is about.
    EventType = AuditEventType::ALL.iter().map(|word| word.as_str()).collect();
    /// What an API token may be used for.
    TokenScope = Scope::ALL.iter().map(|word| word.as_str()).collect();
    /// What somebody is in an organisation.
    MemberRole = organisation::Role::ALL.iter().map(|word| word.as_str()).collect();
    /// Whether somebody runs the platform.
    Role = [PlatformRole::Admin, PlatformRole::Tenant].iter().map(|word| word.as_str()).collect();
}

/// The document itself.
pub(crate) enum Document {}

impl PartialSchema for Document {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(SchemaType::new(Type::Object)).build()))
    }
}

impl ToSchema for Document {}

fn distinct(mut words: Vec<&'static str>, word: &'static str) -> Vec<&'static str> {
    if !words.contains(&word) {
        words.push(word);
    }
    words
}
