//! Which engines there are, and what can be had of them.

use shopwright_domain::engine::EngineDescriptor;
use shopwright_domain::store::{EngineName, ThemeName};
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::stores_api::{EngineView, StoreServiceError};

use super::Stores;

impl Stores {
    /// All engines, those too of which no store can be made now: with the reason.
    pub(super) async fn read_engines(&self) -> Result<Vec<EngineView>, StoreServiceError> {
        let mut views = Vec::new();
        for engine in self.engines.iter() {
            let (note, unavailable) = match self.releases.engine_note(engine).await {
                Ok(note) => (note, None),
                Err(ReleaseError::Chart(reason)) => (None, Some(reason)),
                Err(error) => return Err(StoreServiceError::Internal(error.to_string())),
            };
            views.push(EngineView { engine: engine.clone(), note, unavailable });
        }
        Ok(views)
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
