//! What an upgrade would change, before anybody asks for it. Both releases are rendered here; no cluster is asked.

use std::collections::BTreeSet;

use shopwright_domain::StoreId;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::plans::SizeName;
use shopwright_domain::store::{Store, StoreState};
use shopwright_ports::releases::{Manifest, ReleaseOrigin, ReleaseSpec};
use shopwright_ports::stores_api::{
    Change, FieldChange, ObjectChange, RequestContext, StoreServiceError, UpgradePreview,
};

use super::engines::engine_unavailable;
use super::{Stores, access};

/// Fields whose values are told, not only that they differ: what people decide by.
const TOLD: [&str; 4] = [".image", ".replicas", ".resources.limits.", ".requests.storage"];
/// A diff that nobody can read is no help.
const MOST_FIELDS: usize = 100;

/// What a store runs on.
pub(super) struct Running {
    pub(super) store: Store,
    pub(super) digests: ReleaseDigests,
    pub(super) origin: ReleaseOrigin,
    pub(super) credentials_version: u32,
    /// How large it would be by its organisation's plan.
    pub(super) planned_size: Option<SizeName>,
}

impl Stores {
    pub(super) async fn read_upgrade(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<UpgradePreview, StoreServiceError> {
        let Running { store, digests: from, origin, credentials_version, planned_size } =
            self.running(context, id).await?;
        self.engine(&store.engine)?;
        let now = self.releases.origin(&store.engine).await.map_err(engine_unavailable)?;
        let up_to_date = now.digest == origin.digest && planned_size == from.size;
        let spec =
            |origin: ReleaseOrigin, size: Option<&SizeName>| Self::spec_of(&store, credentials_version, origin, size);
        let to = self.releases.digests(&spec(now.clone(), planned_size.as_ref())).await.map_err(engine_unavailable)?;
        let changes = if up_to_date {
            Vec::new()
        } else {
            let before = self.releases.render(&spec(origin, from.size.as_ref())).await.map_err(engine_unavailable)?;
            let after = self.releases.render(&spec(now, planned_size.as_ref())).await.map_err(engine_unavailable)?;
            changes(&before, &after)
        };
        Ok(UpgradePreview { up_to_date, from, to, changes })
    }

    /// A store that is ready, with the release that it was last seen to work with.
    pub(super) async fn running(&self, context: &RequestContext, id: &StoreId) -> Result<Running, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(storage)?;
        let store = access::visible(tx.as_mut(), context, id).await?;
        if store.state != StoreState::Ready {
            return Err(StoreServiceError::NotReady { state: store.state });
        }
        let digests = tx.releases().kept(id).await.map_err(storage)?.ok_or(StoreServiceError::NothingKept)?;
        let digest = digests.origin.as_deref().unwrap_or_default();
        let origin = tx.releases().origin(digest).await.map_err(storage)?.ok_or(StoreServiceError::NothingKept)?;
        let credentials_version = tx.credentials().version(id).await.map_err(storage)?;
        let tenant = tx.tenants().get(store.tenant_id).await.map_err(storage)?;
        let plan = tenant.map(|tenant| tenant.plan).unwrap_or_default();
        let planned_size = self.rules.plans.size(&plan).cloned();
        Ok(Running { store, digests, origin, credentials_version, planned_size })
    }

    /// The same set-up on both sides: that an upgrade runs it once more is no difference between releases.
    pub(super) fn spec_of(
        store: &Store,
        credentials_version: u32,
        origin: ReleaseOrigin,
        size: Option<&SizeName>,
    ) -> ReleaseSpec {
        let public_url = store.urls.as_ref().map(|urls| urls.storefront.clone()).unwrap_or_default();
        ReleaseSpec {
            store_id: store.id.clone(),
            engine: store.engine.clone(),
            name: store.name.clone(),
            host: store.host.clone(),
            public_url,
            theme: store.theme.clone(),
            size: size.cloned(),
            setup_revision: 0,
            credentials_version,
            origin: Some(origin),
        }
    }
}

fn changes(before: &Manifest, after: &Manifest) -> Vec<ObjectChange> {
    let objects: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut room = MOST_FIELDS;
    let told = objects.into_iter().filter_map(|object| {
        let (change, fields) = match (before.get(object), after.get(object)) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) => {
                let paths: BTreeSet<_> = old.keys().chain(new.keys()).collect();
                let differing = paths.into_iter().filter(|path| old.get(*path) != new.get(*path));
                let fields: Vec<_> =
                    differing.map(|path| field(path, old.get(path), new.get(path))).take(room).collect();
                (Change::Changed, fields)
            }
            (None, _) => (Change::Added, Vec::new()),
            (_, None) => (Change::Removed, Vec::new()),
        };
        room = room.saturating_sub(fields.len());
        Some(ObjectChange { object: object.clone(), change, fields })
    });
    told.collect()
}

fn field(path: &str, before: Option<&String>, after: Option<&String>) -> FieldChange {
    let is_told = TOLD.iter().any(|told| path.ends_with(told.trim_end_matches('.')) || path.contains(told));
    let told = |value: Option<&String>| value.filter(|_| is_told).cloned();
    FieldChange { path: path.to_owned(), before: told(before), after: told(after) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shopwright_ports::releases::ObjectRef;

    use super::*;

    fn manifest(objects: &[(&str, &[(&str, &str)])]) -> Manifest {
        let object = |kind: &str| ObjectRef { api_version: "v1".into(), kind: kind.into(), name: "web".into() };
        let fields = |fields: &[(&str, &str)]| -> BTreeMap<_, _> {
            fields.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect()
        };
        objects.iter().map(|(kind, of)| (object(kind), fields(of))).collect()
    }

    #[test]
    fn images_and_sizes_are_told_and_other_fields_only_named() {
        let before =
            manifest(&[("Deployment", &[("c[web].image", "x:1"), ("c[web].env[A].value", "private")]), ("Job", &[])]);
        let after =
            manifest(&[("Deployment", &[("c[web].image", "x:2"), ("c[web].env[A].value", "other")]), ("Pdb", &[])]);

        let changes = changes(&before, &after);

        let said: Vec<_> = changes.iter().map(|it| (it.object.kind.as_str(), it.change)).collect();
        assert_eq!(said, [("Deployment", Change::Changed), ("Job", Change::Removed), ("Pdb", Change::Added)]);
        let told = |path: &str, before: Option<&str>, after: Option<&str>| FieldChange {
            path: path.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let wanted = [told("c[web].env[A].value", None, None), told("c[web].image", Some("x:1"), Some("x:2"))];
        assert_eq!(changes[0].fields, wanted);
    }
}
