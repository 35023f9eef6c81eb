//! Whose rows a transaction is about.

use shopwright_domain::TenantId;

/// Whose rows a transaction sees and may write. There is no transaction without it, and none that reaches everything.
///
/// A row outside is not there: reading finds nothing, changing changes nothing. Adding one, or touching a kind of row that a reach has
/// no business with, is refused with [`super::StorageError::OutOfReach`]. Whether a host is free is answered over all tenants, because
/// hosts are unique in the installation. Registered clusters are there for everybody but [`Reach::Identity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Who somebody is: organisations, who belongs to them, invitations, accounts, sessions, API tokens, signing keys, counters of
    /// attempts, of everybody, for they are looked up before anybody's organisation is known (DECISIONS 23). It adds to any audit trail and reads none; it sees no store.
    Identity,
    /// What one organisation owns, its members and invitations.
    Tenant(TenantId),
    /// What all organisations own, and the registered clusters: for platform administrators.
    Platform,
    /// What all organisations own, for whoever carries operations out. The only reach that claims operations.
    Worker,
}

impl Reach {
    /// Whether it covers what this organisation owns.
    pub fn covers(self, tenant_id: TenantId) -> bool {
        match self {
            Self::Tenant(own) => own == tenant_id,
            Self::Platform | Self::Worker => true,
            Self::Identity => false,
        }
    }
}
