//! Invitations to organisations.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::organisation::InvitationTimes;
use shopwright_domain::{InvitationId, TenantId, UserId};
use shopwright_ports::storage::{Invitation, InvitationRepository, StorageError, Tenant};
use sqlx::postgres::PgRow;

use crate::row::Row;
use crate::tenants::{tenant, tenant_columns};
use crate::transaction::{PgTransaction, sql};

/// The columns of an invitation `i`, under names that no tenant has.
macro_rules! invitation_columns {
    () => {
        "i.id as invitation_id, i.tenant_id, i.email, i.role, i.digest, i.invited_by, i.created_at as invited_at, \
         i.expires_at, i.accepted_at, i.revoked_at"
    };
}

fn invitation(row: &PgRow) -> Result<Invitation, StorageError> {
    let row = Row::new(row, "invitations", "invitation_id");
    let digest: Vec<u8> = row.get("digest")?;
    Ok(Invitation {
        id: InvitationId::from_uuid(row.get("invitation_id")?),
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        email: row.parse_optional("email")?,
        role: row.parse("role")?,
        digest: digest.try_into().map_err(|_| row.corrupt("digest", "it has not 32 bytes"))?,
        invited_by: UserId::from_uuid(row.get("invited_by")?),
        created_at: row.time("invited_at")?,
        times: InvitationTimes {
            expires_at: row.time("expires_at")?,
            accepted_at: row.time_optional("accepted_at")?,
            revoked_at: row.time_optional("revoked_at")?,
        },
    })
}

#[async_trait]
impl InvitationRepository for PgTransaction {
    async fn insert(&mut self, invitation: &Invitation) -> Result<(), StorageError> {
        let statement = sql("\
            insert into invitations (id, tenant_id, email, role, digest, invited_by, created_at, expires_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(invitation.id.as_uuid())
        .bind(invitation.tenant_id.as_uuid())
        .bind(invitation.email.as_ref().map(shopwright_domain::identity::Email::as_str))
        .bind(invitation.role.as_str())
        .bind(invitation.digest.as_slice())
        .bind(invitation.invited_by.as_uuid())
        .bind(invitation.created_at.to_sqlx())
        .bind(invitation.times.expires_at.to_sqlx());
        self.execute("insert an invitation", statement).await.map(|_| ())
    }

    async fn list(&mut self, tenant_id: TenantId) -> Result<Vec<Invitation>, StorageError> {
        let statement = sql(concat!(
            "select ",
            invitation_columns!(),
            " from invitations i where i.tenant_id = $1 and i.accepted_at is null and i.revoked_at is null \
             order by i.created_at desc, i.id desc"
        ))
        .bind(tenant_id.as_uuid());
        self.rows("list invitations", statement).await?.iter().map(invitation).collect()
    }

    async fn lock_by_digest(&mut self, digest: &[u8; 32]) -> Result<Option<(Invitation, Tenant)>, StorageError> {
        let statement = sql(concat!(
            "select ",
            invitation_columns!(),
            ", ",
            tenant_columns!(),
            " from invitations i join tenants t on t.id = i.tenant_id where i.digest = $1 for no key update of i"
        ))
        .bind(digest.as_slice());
        let row = self.row("lock an invitation", statement).await?;
        row.map(|row| Ok((invitation(&row)?, tenant(&row)?))).transpose()
    }

    async fn accept(&mut self, id: InvitationId, by: UserId, now: Timestamp) -> Result<(), StorageError> {
        let statement = sql("\
            update invitations set accepted_at = $3, accepted_by = $2
            where id = $1 and accepted_at is null and revoked_at is null and expires_at > $3")
        .bind(id.as_uuid())
        .bind(by.as_uuid())
        .bind(now.to_sqlx());
        match self.execute("accept an invitation", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }

    async fn revoke(&mut self, tenant_id: TenantId, id: InvitationId, now: Timestamp) -> Result<bool, StorageError> {
        let statement = sql("\
            update invitations set revoked_at = $3
            where tenant_id = $1 and id = $2 and accepted_at is null and revoked_at is null and expires_at > $3")
        .bind(tenant_id.as_uuid())
        .bind(id.as_uuid())
        .bind(now.to_sqlx());
        Ok(self.execute("take an invitation back", statement).await? > 0)
    }

    async fn revoke_all(&mut self, tenant_id: TenantId, now: Timestamp) -> Result<u64, StorageError> {
        let statement = sql("\
            update invitations set revoked_at = $2
            where tenant_id = $1 and accepted_at is null and revoked_at is null and expires_at > $2")
        .bind(tenant_id.as_uuid())
        .bind(now.to_sqlx());
        self.execute("take all invitations back", statement).await
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let statement = sql("delete from invitations where expires_at < $1").bind(before.to_sqlx());
        self.execute("forget invitations", statement).await
    }
}
