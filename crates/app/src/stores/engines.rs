//! Which engines there are, and what can be had of them.

use shopwright_domain::engine::{EngineCatalogue, EngineDescriptor};
use shopwright_domain::store::{EngineName, ThemeName};
use shopwright_ports::releases::{ReleaseError, Releases};
use shopwright_ports::stores_api::{EngineView, StoreServiceError};

use super::Stores;

/// All engines, those too of which no store can be made now: with the reason.
pub(crate) async fn engine_views(
    engines: &EngineCatalogue,
    releases: &dyn Releases,
) -> Result<Vec<EngineView>, ReleaseError> {
    let mut views = Vec::new();
    for engine in engines.iter() {
        let (note, unavailable) = match releases.engine_note(engine).await {
            Ok(note) => (note, None),
            Err(ReleaseError::Chart(reason)) => (None, Some(reason)),
            Err(error) => return Err(error),
        };
        views.push(EngineView { engine: engine.clone(), note, unavailable });
    }
    Ok(views)
}

impl Stores {
    pub(super) async fn read_engines(&self) -> Result<Vec<EngineView>, StoreServiceError> {
        let views = engine_views(&self.engines, self.releases.as_ref()).await;
        views.map_err(|error| StoreServiceError::Internal(error.to_string()))
    }

    /// The engine that somebody asks for.
    pub(super) fn engine(&self, name: &EngineName) -> Result<&EngineDescriptor, StoreServiceError> {
        self.engines.get(name).map_err(|error| StoreServiceError::EngineUnavailable(error.to_string()))
    }

    /// The theme of a store: one of its engine's.
    pub(super) fn theme(
        engine: &EngineDescriptor,
        chosen: Option<&ThemeName>,
    ) -> Result<Option<ThemeName>, StoreServiceError> {
        match chosen {
            Some(theme) if !engine.themes().contains(theme) => {
                Err(StoreServiceError::EngineUnavailable(format!("{} has no theme `{theme}`", engine.name())))
            }
            chosen => Ok(chosen.or(engine.default_theme()).cloned()),
        }
    }
}

/// What the chart says about its engine is for whoever asks; anything else is a fault of ours.
pub(super) fn engine_unavailable(error: ReleaseError) -> StoreServiceError {
    match error {
        ReleaseError::Chart(reason) => StoreServiceError::EngineUnavailable(reason),
        other => StoreServiceError::Internal(other.to_string()),
    }
}
