//! What holds of every [`Cluster`]: facts as plain async functions, each with a store of its own.
//!
//! They see a cluster only through its port, so what was written where is for the adapter's own tests.

#![expect(clippy::missing_panics_doc, reason = "a fact panics when it does not hold: that is all it does")]

use std::time::Duration;

use crate::testing::engines;
use shopwright_domain::{Epoch, StoreId};

use crate::cluster::{Cluster, ClusterError, Fence, NamespaceState, Removal, StoreNamespace};
use crate::secrets::StoreCredentials;

/// How long one look at a removal may take, and how many looks there are.
const LOOK: Duration = Duration::from_secs(5);
const LOOKS: usize = 24;

/// All facts, one after the other; `fresh` gives ids of stores that nobody used before.
pub async fn all(cluster: &dyn Cluster, fresh: &mut dyn FnMut() -> StoreId) {
    it_answers(cluster).await;
    its_fence_holds(cluster).await;
    making_a_namespace_twice_makes_it_once(cluster, fresh()).await;
    a_later_epoch_takes_over_and_the_older_is_refused(cluster, fresh()).await;
    an_epoch_that_nobody_raised_to_is_refused(cluster, fresh()).await;
    without_a_namespace_there_is_nothing_to_raise_or_write_or_await(cluster, fresh()).await;
    credentials_can_be_written_again(cluster, fresh()).await;
    deleting_twice_is_one_deletion(cluster, fresh()).await;
    what_was_never_there_is_gone(cluster, fresh()).await;
    a_removed_store_can_be_made_again(cluster, fresh()).await;
    stores_are_listed_as_they_are(cluster, [fresh(), fresh()]).await;
    a_stray_is_removed_only_as_it_was_listed(cluster, fresh()).await;
    a_stray_that_was_made_again_is_left_alone(cluster, fresh()).await;
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
        database_password_before: None,
    }
}

async fn ensure(cluster: &dyn Cluster, fence: &Fence) {
    let made = cluster.ensure_namespace(fence, &engines::medusa()).await;
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

/// A cluster that stores may be made in refuses stale owners, and says so.
pub async fn its_fence_holds(cluster: &dyn Cluster) {
    let verdict = cluster.verify_fence().await;

    assert!(verdict.is_ok(), "{verdict:?}");
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
        ("ensure", cluster.ensure_namespace(&old, &engines::medusa()).await),
        ("raise", cluster.raise_epoch(&old).await.map(drop)),
        ("credentials", cluster.put_credentials(&old, &credentials("old")).await),
        ("delete", cluster.delete_namespace(&old).await),
    ] {
        assert!(matches!(refused, Err(ClusterError::StaleEpoch { .. })), "{call}: {refused:?}");
    }
    for (call, refused) in [
        ("ensure", cluster.ensure_namespace(&old, &engines::medusa()).await),
        ("raise", cluster.raise_epoch(&old).await.map(drop)),
        ("delete", cluster.delete_namespace(&old).await),
    ] {
        let known = matches!(refused, Err(ClusterError::StaleEpoch { known: Some(Epoch(2)) }));
        assert!(known, "the namespace said which epoch it has, {call}: {refused:?}");
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
    let awaited = cluster.await_workloads(&store_id, engines::medusa_descriptor().readiness(), Duration::ZERO).await;

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

async fn listed(cluster: &dyn Cluster, store_id: &StoreId) -> Option<StoreNamespace> {
    let all = match cluster.list_namespaces().await {
        Ok(all) => all,
        Err(error) => panic!("{error:?}"),
    };
    let mut found = all.into_iter().filter(|namespace| namespace.store_id == *store_id);
    let first = found.next();
    assert!(found.next().is_none(), "{store_id} is listed twice");
    first
}

async fn seen(cluster: &dyn Cluster, store_id: &StoreId) -> StoreNamespace {
    let found = listed(cluster, store_id).await;
    let Some(found) = found else { panic!("{store_id} is not listed") };
    found
}

/// A list shows what was written just before: which object, which version, which epoch, whether it goes away.
pub async fn stores_are_listed_as_they_are(cluster: &dyn Cluster, store_ids: [StoreId; 2]) {
    let [first, second] = &store_ids;
    assert_eq!(listed(cluster, first).await, None);
    for store_id in &store_ids {
        ensure(cluster, &fence(store_id, 1)).await;
    }

    let (made, other) = (seen(cluster, first).await, seen(cluster, second).await);
    assert!((made.epoch, made.terminating) == (Epoch(1), false) && !made.uid.is_empty(), "{made:?}");
    assert_ne!(made.uid, other.uid);

    let raised = cluster.raise_epoch(&fence(first, 2)).await;
    assert!(raised.is_ok(), "{raised:?}");
    let changed = seen(cluster, first).await;
    assert_eq!((changed.epoch, &changed.uid), (Epoch(2), &made.uid));
    assert_ne!(changed.version, made.version, "a change makes another version");

    let deleted = cluster.delete_namespace(&fence(first, 2)).await;
    assert!(deleted.is_ok(), "{deleted:?}");
    if let Some(going) = listed(cluster, first).await {
        assert!(going.terminating && going.uid == made.uid, "{going:?}");
    }
    remove(cluster, &fence(first, 2)).await;
    assert_eq!(listed(cluster, first).await, None);
    remove(cluster, &fence(second, 1)).await;
}

/// Whoever took the namespace over after it was listed keeps it; listed anew, it goes (DECISIONS 7).
pub async fn a_stray_is_removed_only_as_it_was_listed(cluster: &dyn Cluster, store_id: StoreId) {
    ensure(cluster, &fence(&store_id, 1)).await;
    let before = seen(cluster, &store_id).await;
    let raised = cluster.raise_epoch(&fence(&store_id, 2)).await;
    assert!(raised.is_ok(), "{raised:?}");

    let removed = cluster.remove_stray(&before).await;
    assert!(removed.is_ok(), "a changed one is left alone, which is success: {removed:?}");
    let kept = seen(cluster, &store_id).await;
    assert!(!kept.terminating && kept.uid == before.uid, "{kept:?}");

    let removed = cluster.remove_stray(&kept).await;
    assert!(removed.is_ok(), "{removed:?}");
    assert!(listed(cluster, &store_id).await.is_none_or(|namespace| namespace.terminating));
    remove(cluster, &fence(&store_id, 2)).await;

    let removed = cluster.remove_stray(&kept).await;
    assert!(removed.is_ok(), "one that is gone is success: {removed:?}");
}

/// The same name is not the same namespace.
pub async fn a_stray_that_was_made_again_is_left_alone(cluster: &dyn Cluster, store_id: StoreId) {
    ensure(cluster, &fence(&store_id, 1)).await;
    let first = seen(cluster, &store_id).await;
    remove(cluster, &fence(&store_id, 1)).await;
    ensure(cluster, &fence(&store_id, 2)).await;
    let again = seen(cluster, &store_id).await;
    assert_ne!(again.uid, first.uid);

    for stray in [first.clone(), StoreNamespace { version: again.version.clone(), ..first }] {
        let removed = cluster.remove_stray(&stray).await;
        assert!(removed.is_ok(), "{removed:?}");
    }

    let kept = seen(cluster, &store_id).await;
    assert!(!kept.terminating && kept.uid == again.uid, "{kept:?}");
    remove(cluster, &fence(&store_id, 2)).await;
}
