//! The objects that a watch has told of, by namespace.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use kube::ResourceExt;
use kube::runtime::watcher::Event;

type Objects<K> = HashMap<String, HashMap<String, Arc<K>>>;

struct State<K> {
    objects: Objects<K>,
    /// What a new listing has brought so far; it replaces everything when it is complete.
    listed: Objects<K>,
    sure: bool,
}

pub(super) struct Index<K> {
    namespace: fn(&K) -> String,
    state: RwLock<State<K>>,
}

impl<K: ResourceExt> Index<K> {
    /// An empty index that is not sure of anything; `namespace` says where an object belongs.
    pub(super) fn new(namespace: fn(&K) -> String) -> Self {
        let state = State { objects: HashMap::new(), listed: HashMap::new(), sure: false };
        Self { namespace, state: RwLock::new(state) }
    }

    fn read(&self) -> RwLockReadGuard<'_, State<K>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<K>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The namespace's objects, or `None` while the watch is interrupted or has not listed everything once.
    pub(super) fn within(&self, namespace: &str) -> Option<Vec<Arc<K>>> {
        let state = self.read();
        let objects =
            || state.objects.get(namespace).map(|objects| objects.values().cloned().collect()).unwrap_or_default();
        state.sure.then(objects)
    }

    /// From now on the content may be out of date, until the watch says something again.
    pub(super) fn doubt(&self) {
        self.write().sure = false;
    }

    pub(super) fn take(&self, event: Event<K>) {
        let mut state = self.write();
        match event {
            Event::Init => state.listed = HashMap::new(),
            Event::InitApply(object) => self.put(&mut state.listed, object),
            Event::InitDone => {
                state.objects = std::mem::take(&mut state.listed);
                state.sure = true;
            }
            Event::Apply(object) => {
                self.put(&mut state.objects, object);
                state.sure = true;
            }
            Event::Delete(object) => {
                let namespace = (self.namespace)(&object);
                if let Some(objects) = state.objects.get_mut(&namespace) {
                    objects.remove(&object.name_any());
                    if objects.is_empty() {
                        state.objects.remove(&namespace);
                    }
                }
                state.sure = true;
            }
        }
    }

    fn put(&self, objects: &mut Objects<K>, mut object: K) {
        // Half of an object's size, and nobody reads it.
        object.managed_fields_mut().clear();
        let object = Arc::new(object);
        objects.entry((self.namespace)(&object)).or_default().insert(object.name_any(), object);
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::ObjectMeta;

    use super::*;

    fn object(name: &str) -> ConfigMap {
        let metadata =
            ObjectMeta { name: Some(name.to_owned()), namespace: Some("a".to_owned()), ..ObjectMeta::default() };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    fn names(index: &Index<ConfigMap>) -> Option<Vec<String>> {
        let mut names: Vec<_> = index.within("a")?.iter().map(|object| object.name_any()).collect();
        names.sort();
        Some(names)
    }

    fn filled() -> Index<ConfigMap> {
        let index = Index::new(|object: &ConfigMap| object.namespace().unwrap_or_default());
        for event in [Event::Init, Event::InitApply(object("x")), Event::InitApply(object("y")), Event::InitDone] {
            index.take(event);
        }
        index
    }

    #[test]
    fn nothing_is_known_before_everything_was_listed() {
        let index = Index::new(|object: &ConfigMap| object.namespace().unwrap_or_default());
        index.take(Event::Init);
        index.take(Event::InitApply(object("x")));

        assert_eq!(names(&index), None);
    }

    #[test]
    fn a_new_listing_forgets_what_is_not_in_it() {
        let index = filled();
        for event in [Event::Init, Event::InitApply(object("y")), Event::InitDone] {
            index.take(event);
        }

        assert_eq!(names(&index), Some(vec!["y".to_owned()]));
    }

    #[test]
    fn an_interrupted_watch_is_not_believed_until_it_speaks_again() {
        let index = filled();

        index.doubt();
        assert_eq!(names(&index), None);

        index.take(Event::Delete(object("x")));
        assert_eq!(names(&index), Some(vec!["y".to_owned()]));
    }
}
