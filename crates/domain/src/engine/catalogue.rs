//! The engines that there are.

use std::collections::BTreeMap;

use super::EngineDescriptor;
use crate::store::EngineName;

/// A name that is well formed and that no descriptor has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no engine `{name}` here; there are: {known}")]
pub struct NoSuchEngine {
    /// The name.
    pub name: EngineName,
    /// The names that there are, with commas.
    pub known: String,
}

/// Why a set of descriptors is no catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Two descriptors have one name.
    #[error("two engines are named `{0}`")]
    Twice(EngineName),
    /// There is no descriptor at all.
    #[error("there is no engine")]
    Empty,
}

/// The descriptors of all engines that stores can be made of, one for each name. It does not change while a program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineCatalogue(BTreeMap<EngineName, EngineDescriptor>);

impl EngineCatalogue {
    /// # Errors
    /// [`Refused`] when there is none, or one twice.
    pub fn new(descriptors: impl IntoIterator<Item = EngineDescriptor>) -> Result<Self, Refused> {
        let mut engines = BTreeMap::new();
        for descriptor in descriptors {
            if let Some(earlier) = engines.insert(descriptor.name().clone(), descriptor) {
                return Err(Refused::Twice(earlier.name().clone()));
            }
        }
        if engines.is_empty() { Err(Refused::Empty) } else { Ok(Self(engines)) }
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &EngineDescriptor> {
        self.0.values()
    }

    /// The engine of this name. A store may outlive its engine's descriptor.
    ///
    /// # Errors
    /// [`NoSuchEngine`], which names those that there are.
    pub fn get(&self, name: &EngineName) -> Result<&EngineDescriptor, NoSuchEngine> {
        self.0.get(name).ok_or_else(|| NoSuchEngine { name: name.clone(), known: self.names() })
    }

    /// The names that there are, with commas.
    pub fn names(&self) -> String {
        self.0.keys().map(EngineName::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Draft;

    fn engine(name: &str) -> EngineDescriptor {
        EngineDescriptor::check(&Draft::new(name)).unwrap()
    }

    #[test]
    fn a_name_stands_for_one_engine() {
        let twice = EngineCatalogue::new([engine("a"), engine("b"), engine("a")]).unwrap_err();

        assert_eq!(twice, Refused::Twice("a".parse().unwrap()));
        assert_eq!(EngineCatalogue::new([]).unwrap_err(), Refused::Empty);
    }

    #[test]
    fn whoever_asks_for_another_one_learns_which_there_are() {
        let catalogue = EngineCatalogue::new([engine("b"), engine("a")]).unwrap();
        let name = "magento".parse().unwrap();

        assert_eq!(catalogue.get(&name).unwrap_err().to_string(), "there is no engine `magento` here; there are: a, b");
        assert_eq!(catalogue.get(&"b".parse().unwrap()).map(EngineDescriptor::name), Ok(&"b".parse().unwrap()));
    }
}
