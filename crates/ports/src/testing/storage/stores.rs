//! Stores.

use std::cmp::Ordering;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::store::{Store, StoreHost, StoreName, StoreState};
use shopwright_domain::{Epoch, StoreId, TenantId};

use super::transaction::FakeTransaction;
use crate::storage::{Page, StorageError, StoreFilter, StorePlace, StoreRepository, StoreSort, Unique};

/// The asked-for part of `rows`, and how many there are in all.
pub(super) fn page_of<T>(rows: Vec<T>, page: Page) -> (Vec<T>, u64) {
    let total = rows.len() as u64;
    (rows.into_iter().skip(page.offset as usize).take(page.limit as usize).collect(), total)
}

fn in_order(sort: StoreSort, one: &Store, other: &Store) -> Ordering {
    let by_name = || one.name.as_str().cmp(other.name.as_str()).then_with(|| one.id.cmp(&other.id));
    let newest = || other.created_at.cmp(&one.created_at).then_with(|| one.id.cmp(&other.id));
    match sort {
        StoreSort::Newest => newest(),
        StoreSort::Oldest => newest().reverse(),
        StoreSort::Name => by_name(),
        StoreSort::NameBackwards => by_name().reverse(),
    }
}

/// Whether the store comes after the place; the place may be of a store that is not there any more.
fn is_behind(sort: StoreSort, store: &Store, place: &StorePlace) -> bool {
    let mut there = store.clone();
    match place {
        StorePlace::Time(at, id) => (there.created_at, there.id) = (*at, id.clone()),
        StorePlace::Name(name, id) => (there.name, there.id) = (name.clone(), id.clone()),
    }
    in_order(sort, store, &there) == Ordering::Greater
}

fn require_place_of(sort: StoreSort, place: &StorePlace) -> Result<(), StorageError> {
    match (sort, place) {
        (StoreSort::Newest | StoreSort::Oldest, StorePlace::Time(..))
        | (StoreSort::Name | StoreSort::NameBackwards, StorePlace::Name(..)) => Ok(()),
        _ => Err(StorageError::Internal { detail: "a page begins at a place of another order".into(), source: None }),
    }
}

impl FakeTransaction {
    /// The store of this id, when the reach covers it.
    pub(super) fn seen_store(&mut self, id: &StoreId) -> Result<Option<Store>, StorageError> {
        let reach = self.reach;
        Ok(self.owned_rows()?.store(id).filter(|row| reach.covers(row.tenant_id)).cloned())
    }

    /// Refuses a live store whose name or host another live one has.
    fn check_unique(&mut self, store: &Store) -> Result<(), StorageError> {
        let mut others = self.rows()?.stores.iter().filter(|row| row.id != store.id && row.state.is_live());
        let name_taken = others.clone().any(|row| row.tenant_id == store.tenant_id && row.name == store.name);
        let host_taken = others.any(|row| row.host == store.host);
        match store.state.is_live() {
            true if name_taken => Err(self.not_unique(Unique::StoreName)),
            true if host_taken => Err(self.not_unique(Unique::StoreHost)),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl StoreRepository for FakeTransaction {
    async fn insert(&mut self, store: &Store) -> Result<(), StorageError> {
        self.admit(store.tenant_id)?;
        if self.rows()?.store(&store.id).is_some() {
            return Err(self.not_unique(Unique::StoreId));
        }
        self.check_unique(store)?;
        let rows = self.rows()?;
        let has_tenant = rows.tenants.iter().any(|row| row.id == store.tenant_id);
        let has_owner = rows.users.iter().any(|row| row.id == store.owner_id);
        let has_cluster = rows.clusters.iter().any(|row| row.name == store.cluster);
        self.require(has_tenant, "the store's tenant")?;
        self.require(has_owner, "the store's owner")?;
        self.require(has_cluster, "the store's cluster")?;
        self.rows()?.stores.push(store.clone());
        self.touched.store(&store.id);
        Ok(())
    }

    async fn get(&mut self, id: &StoreId) -> Result<Option<Store>, StorageError> {
        self.seen_store(id)
    }

    async fn lock(&mut self, id: &StoreId) -> Result<Option<Store>, StorageError> {
        self.seen_store(id)
    }

    async fn live_by_name(&mut self, tenant_id: TenantId, name: &StoreName) -> Result<Option<Store>, StorageError> {
        let seen = self.reach.covers(tenant_id);
        let is_it = |row: &&Store| seen && row.tenant_id == tenant_id && row.name == *name && row.state.is_live();
        Ok(self.owned_rows()?.stores.iter().find(is_it).cloned())
    }

    async fn host_is_free(&mut self, host: &StoreHost, released_before: Timestamp) -> Result<bool, StorageError> {
        let holds = |row: &Store| {
            row.host == *host && (row.state.is_live() || row.deleted_at.is_none_or(|at| at > released_before))
        };
        Ok(!self.owned_rows()?.stores.iter().any(holds))
    }

    async fn count_live(&mut self, tenant_id: TenantId) -> Result<u32, StorageError> {
        let seen = self.reach.covers(tenant_id);
        let rows = self.owned_rows()?;
        let count = rows.stores.iter().filter(|row| seen && row.tenant_id == tenant_id && row.state.is_live()).count();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    async fn save(&mut self, store: &mut Store) -> Result<(), StorageError> {
        let reach = self.reach;
        let is_it = |row: &Store| {
            reach.covers(row.tenant_id)
                && row.id == store.id
                && row.tenant_id == store.tenant_id
                && row.row_version == store.row_version
        };
        let at = self.owned_rows()?.stores.iter().position(is_it).ok_or(StorageError::Stale)?;
        self.check_unique(store)?;
        let rows = self.rows()?;
        let has_owner = rows.users.iter().any(|row| row.id == store.owner_id);
        let has_cluster = rows.clusters.iter().any(|row| row.name == store.cluster);
        self.require(has_owner, "the store's owner")?;
        self.require(has_cluster, "the store's cluster")?;
        store.row_version = store.row_version.next();
        let row = &mut self.rows()?.stores[at];
        *row = Store { epoch: row.epoch, created_at: row.created_at, ..store.clone() };
        self.touched.store(&store.id);
        Ok(())
    }

    async fn raise_epoch(&mut self, id: &StoreId) -> Result<Epoch, StorageError> {
        let reach = self.reach;
        let is_it = |row: &Store| reach.covers(row.tenant_id) && row.id == *id;
        let row = self.owned_rows()?.stores.find_mut(is_it).ok_or(StorageError::Stale)?;
        row.epoch = row.epoch.next();
        Ok(row.epoch)
    }

    async fn list(&mut self, filter: &StoreFilter, page: Page) -> Result<(Vec<Store>, u64), StorageError> {
        let reach = self.reach;
        let wanted = |row: &&Store| {
            reach.covers(row.tenant_id)
                && filter.tenant_id.is_none_or(|tenant| row.tenant_id == tenant)
                && filter.owner_id.is_none_or(|owner| row.owner_id == owner)
                && filter.state.map_or(row.state != StoreState::Deleted, |state| row.state == state)
                && filter.engine.as_ref().is_none_or(|engine| row.engine == *engine)
                && filter.search.as_ref().is_none_or(|part| row.name.as_str().contains(part.as_str()))
        };
        let mut stores: Vec<_> = self.owned_rows()?.stores.iter().filter(wanted).cloned().collect();
        let total = stores.len() as u64;
        stores.sort_by(|one, other| in_order(filter.sort, one, other));
        if let Some(place) = &filter.after {
            require_place_of(filter.sort, place)?;
            stores.retain(|row| is_behind(filter.sort, row, place));
        }
        let (page, _) = page_of(stores, page);
        Ok((page, total))
    }
}
