//! What holds of every [`Cluster`]: facts as plain async functions, each with a store of its own.
//!
//! They see a cluster only through its port, so what was written where is for the adapter's own tests.

#![expect(clippy::missing_panics_doc, reason = "a fact panics when it does not hold: that is all it does")]

use std::time::Duration;

use shopwright_domain::store::Engine;
use shopwright_domain::{Epoch, StoreId};

use crate::cluster::{Cluster, ClusterError, Fence, NamespaceState, Removal};
use crate::secrets::StoreCredentials;

/// How long one look at a removal may take, and how many looks there are.
const LOOK: Duration = Duration::from_secs(5);
const LOOKS: usize = 24;

/// All facts, one after the other; `fresh` gives ids of stores that nobody used before.
pub async fn all(cluster: &dyn Cluster, fresh: &mut dyn FnMut() -> StoreId) {
    it_answers(cluster).await;
    making_a_namespace_twice_makes_it_once(cluster, fresh()).await;
    a_later_epoch_takes_over_and_the_older_is_refused(cluster, fresh()).await;
    an_epoch_that_nobody_raised_to_is_refused(cluster, fresh()).await;
    without_a_namespace_there_is_nothing_to_raise_or_write_or_await(cluster, fresh()).await;
    credentials_can_be_written_again(cluster, fresh()).await;
    deleting_twice_is_one_deletion(cluster, fresh()).await;
    what_was_never_there_is_gone(cluster, fresh()).await;
    a_removed_store_can_be_made_again(cluster, fresh()).await;
}

fn fence(store_id: &StoreId, epoch: i64) -> Fence {
    Fence { store_id: store_id.clone(), epoch: Epoch(epoch) }
}

fn credentials(password: &str) -> StoreCredentials {
    StoreCredentials {
        admin_email: "owner@example.test".to_owned(),
        admin_username: "owner".to_owned(),
        admin_password: password.into(),
        database_password: "db".into(),
        database_root_password: "root".into(),
        app_secret: "app".into(),
        session_secret: "session".into(),
    }
}

async fn ensure(cluster: &dyn Cluster, fence: &Fence) {
    let made = cluster.ensure_namespace(fence, Engine::Medusa).await;
    assert!(made.is_ok(), "{fence:?}: {made:?}");
}

/// Removes the store and waits until nothing of it is left.
pub async fn remove(cluster: &dyn Cluster, fence: &Fence) {
    let deleted = cluster.delete_namespace(fence).await;
    assert!(deleted.is_ok(), "{fence:?}: {deleted:?}");
    let mut last = None;
    for _ in 0..LOOKS {
        match cluster.await_gone(&fence.store_id, LOOK).await {
            Ok(Removal::Gone { .. }) => return,
            other => last = Some(other),
        }
    }
    panic!("{fence:?} does not go away: {last:?}");
}

/// A cluster that works answers.
pub async fn it_answers(cluster: &dyn Cluster) {
    let answer = cluster.check().await;

    assert!(answer.is_ok(), "{answer:?}");
}

/// The second call changes nothing and is no error.
pub async fn making_a_namespace_twice_makes_it_once(cluster: &dyn Cluster, store_id: StoreId) {
    let fence = fence(&store_id, 1);

    ensure(cluster, &fence).await;
    ensure(cluster, &fence).await;

    let raised = cluster.raise_epoch(&fence).await;
    assert!(matches!(raised, Ok(NamespaceState::Present)), "{raised:?}");
    remove(cluster, &fence).await;
}

/// Once a later epoch was written, the older one changes nothing, whatever it calls.
pub async fn a_later_epoch_takes_over_and_the_older_is_refused(cluster: &dyn Cluster, store_id: StoreId) {
    let (old, new) = (fence(&store_id, 1), fence(&store_id, 2));
    ensure(cluster, &old).await;

    let raised = cluster.raise_epoch(&new).await;
    assert!(matches!(raised, Ok(NamespaceState::Present)), "{raised:?}");

    let written = cluster.put_credentials(&new, &credentials("new")).await;
    assert!(written.is_ok(), "{written:?}");
    for (call, refused) in [
        ("ensure", cluster.ensure_namespace(&old, Engine::Medusa).await),
        ("raise", cluster.raise_epoch(&old).await.map(drop)),
        ("credentials", cluster.put_credentials(&old, &credentials("old")).await),
        ("delete", cluster.delete_namespace(&old).await),
    ] {
        assert!(matches!(refused, Err(ClusterError::StaleEpoch { .. })), "{call}: {refused:?}");
    }
    remove(cluster, &new).await;
}

/// Being later is not enough inside the namespace: the epoch must have been raised first.
pub async fn an_epoch_that_nobody_raised_to_is_refused(cluster: &dyn Cluster, store_id: StoreId) {
    let (known, unknown) = (fence(&store_id, 1), fence(&store_id, 7));
    ensure(cluster, &known).await;

    let refused = cluster.put_credentials(&unknown, &credentials("early")).await;

    assert!(matches!(refused, Err(ClusterError::StaleEpoch { .. })), "{refused:?}");
    remove(cluster, &known).await;
}

/// Absence is told apart from refusal.
pub async fn without_a_namespace_there_is_nothing_to_raise_or_write_or_await(cluster: &dyn Cluster, store_id: StoreId) {
    let fence = fence(&store_id, 1);

    let raised = cluster.raise_epoch(&fence).await;
    let written = cluster.put_credentials(&fence, &credentials("nowhere")).await;
    let awaited = cluster.await_workloads(&store_id, Duration::ZERO).await;

    assert!(matches!(raised, Ok(NamespaceState::Absent)), "{raised:?}");
    assert!(matches!(written, Err(ClusterError::NamespaceGone)), "{written:?}");
    assert!(matches!(awaited, Err(ClusterError::NamespaceGone)), "{awaited:?}");
}

/// A step that is repeated writes the same again, and a retry with another password writes that.
pub async fn credentials_can_be_written_again(cluster: &dyn Cluster, store_id: StoreId) {
    let fence = fence(&store_id, 1);
    ensure(cluster, &fence).await;

    for password in ["same", "same", "other"] {
        let written = cluster.put_credentials(&fence, &credentials(password)).await;
        assert!(written.is_ok(), "{written:?}");
    }
    remove(cluster, &fence).await;
}

/// The second deletion is success, while it goes on and after it.
pub async fn deleting_twice_is_one_deletion(cluster: &dyn Cluster, store_id: StoreId) {
    let fence = fence(&store_id, 1);
    ensure(cluster, &fence).await;

    remove(cluster, &fence).await;
    remove(cluster, &fence).await;
}

/// Nothing needs to have been made for its removal to be complete.
pub async fn what_was_never_there_is_gone(cluster: &dyn Cluster, store_id: StoreId) {
    let deleted = cluster.delete_namespace(&fence(&store_id, 1)).await;
    let removal = cluster.await_gone(&store_id, Duration::ZERO).await;

    assert!(deleted.is_ok(), "{deleted:?}");
    assert!(matches!(&removal, Ok(Removal::Gone { retained }) if retained.is_empty()), "{removal:?}");
}

/// A namespace that somebody removed under a running provision is made anew, and then takes writes.
pub async fn a_removed_store_can_be_made_again(cluster: &dyn Cluster, store_id: StoreId) {
    let (first, second) = (fence(&store_id, 1), fence(&store_id, 2));
    ensure(cluster, &first).await;
    remove(cluster, &first).await;

    ensure(cluster, &second).await;

    let written = cluster.put_credentials(&second, &credentials("again")).await;
    assert!(written.is_ok(), "{written:?}");
    remove(cluster, &second).await;
}
