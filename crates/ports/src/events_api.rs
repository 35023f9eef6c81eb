//! Driving port: following what happens, live.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use shopwright_domain::StoreId;

use crate::storage::Event;
use crate::stores_api::{RequestContext, StoreServiceError};

/// What somebody follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// One store.
    Store(StoreId),
    /// The stores of the actor's organisation; of all organisations for platform administrators.
    Everything,
}

/// What a follower is told. A place is opaque: brought back, it goes on behind what was told with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It begins here; nothing happened yet.
    Begins {
        /// The place.
        place: String,
    },
    /// Something happened.
    Event {
        /// The place.
        place: String,
        /// What.
        event: Arc<Event>,
    },
    /// The place that was brought back is too old, or none: what happened since is lost to this stream. Read everything anew.
    Reset {
        /// The place.
        place: String,
    },
}

/// What a follower is told, one after the other; it has no end. While the database does not answer it is silent.
pub type EventStream = BoxStream<'static, Told>;

/// Following what happens.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait EventService: Send + Sync {
    /// Follows from the place `after` on, or from now on. Whether the actor may see it is decided now: whoever follows for long asks again.
    async fn follow(
        &self,
        context: &RequestContext,
        what: Followed,
        after: Option<String>,
    ) -> Result<EventStream, StoreServiceError>;
}
