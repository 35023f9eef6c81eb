//! Cluster, Helm and storefronts behind a wire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use shopwright_domain::StoreId;
use shopwright_domain::engine::{EngineDescriptor, Readiness};
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::{ReleaseDigests, SetupStep};
use shopwright_domain::store::{EngineName, Failure, StoreHost};
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, NamespaceState, Removal, Rollout, StoreNamespace};
use shopwright_ports::releases::{
    Installed, Manifest, ReleaseError, ReleaseOrigin, ReleaseSpec, Releases, Uninstalled,
};
use shopwright_ports::secrets::StoreCredentials;
use shopwright_ports::storefront::{Storefront, StorefrontError};
use shopwright_ports::testing::Fault as PortFault;

use crate::fault::{Class, Fault};
use crate::plan::{Place, Site};
use crate::time::SECOND;
use crate::wire::Wire;

/// What the platform's parts do by themselves: pods start, namespaces go away, caches lag.
#[derive(Debug, Default)]
pub struct Nature {
    /// From when on the pods of a store are ready.
    ready_at: Mutex<BTreeMap<StoreId, u64>>,
    /// What was seen of a store's workloads last.
    seen: Mutex<BTreeMap<StoreId, Rollout>>,
    /// What was listed last.
    listed: Mutex<Vec<StoreNamespace>>,
}

impl Nature {
    /// The store's pods begin anew.
    pub fn forget(&self, store_id: &StoreId) {
        self.ready_at.lock().unwrap_or_else(PoisonError::into_inner).remove(store_id);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(store_id);
    }
}

const fn site(place: Place, call: &'static str, class: Class) -> Site {
    Site { place, call, class }
}

/// [`Cluster`], [`Releases`] and [`Storefront`] as one process reaches them.
#[derive(Debug, Clone)]
pub struct SimPlatform {
    /// The wire.
    pub wire: Wire,
}

impl SimPlatform {
    /// A run of helm, which may be killed when its first record is written and the rest is not.
    async fn helm<T: Send + 'static>(
        &self,
        call: &'static str,
        subject: &str,
        effect: impl Future<Output = Result<T, ReleaseError>> + Send + 'static,
    ) -> Result<T, ReleaseError> {
        let site = site(Place::Helm, call, Class::Run);
        let passage = self.wire.enter(site, subject).await;
        let Some(fault @ (Fault::Half | Fault::HalfCrash)) = passage.fault else {
            return self.wire.send(passage, site, subject, effect).await;
        };
        let world = &self.wire.world;
        self.wire.trace(call, subject, fault.name());
        world.sim.sleep(passage.before).await;
        // The fake stops at its second half, and there it is dropped. Nobody comes between: it is polled once.
        world.releases.faults.push(call, PortFault::Hang);
        if effect.now_or_never().is_some() {
            // Refused before it had begun: the hang is still waiting for somebody.
            drop(world.releases.faults.around(call, || Ok(())).now_or_never());
        }
        world.after_effect(site);
        if fault == Fault::HalfCrash {
            return self.wire.die().await;
        }
        self.wire.count(subject);
        Err(self.wire.lose().await)
    }

    /// Waits until the store's pods are ready, at most `limit`; says whether they are.
    async fn pods(&self, store_id: &StoreId, limit: Duration) -> bool {
        let world = &self.wire.world;
        let now = world.sim.now();
        let ready_at = {
            let mut times = world.nature.ready_at.lock().unwrap_or_else(PoisonError::into_inner);
            *times.entry(store_id.clone()).or_insert_with(|| now + world.pods_take())
        };
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        let wait = ready_at.saturating_sub(now);
        if wait > 0 {
            world.sim.sleep(wait.min(limit)).await;
        }
        wait <= limit
    }
}

#[async_trait]
impl Cluster for SimPlatform {
    async fn check(&self) -> Result<(), ClusterError> {
        let cluster = &self.wire.world.cluster;
        self.wire.read(site(Place::Cluster, "check", Class::Read), "", cluster.check(), || None).await
    }

    async fn verify_fence(&self) -> Result<(), ClusterError> {
        let cluster = &self.wire.world.cluster;
        self.wire.read(site(Place::Cluster, "verify_fence", Class::Read), "", cluster.verify_fence(), || None).await
    }

    async fn list_namespaces(&self) -> Result<Vec<StoreNamespace>, ClusterError> {
        let world = &self.wire.world;
        let question = async {
            let list = world.cluster.list_namespaces().await?;
            world.nature.listed.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&list);
            Ok(list)
        };
        // The port asks for a read that is not stale, but between the answer and its use anything may happen: the same thing.
        let stale = || Some(world.nature.listed.lock().unwrap_or_else(PoisonError::into_inner).clone());
        self.wire.read(site(Place::Cluster, "list_namespaces", Class::Read), "", question, stale).await
    }

    async fn remove_stray(&self, stray: &StoreNamespace) -> Result<(), ClusterError> {
        let (world, stray) = (Arc::clone(&self.wire.world), stray.clone());
        let subject = stray.store_id.clone();
        let effect = async move {
            world.cluster.remove_stray(&stray).await?;
            world.tally().swept += 1;
            world.terminate(&stray.store_id);
            Ok(())
        };
        self.wire.write(site(Place::Cluster, "remove_stray", Class::Write), subject.as_str(), effect).await
    }

    async fn ensure_namespace(&self, fence: &Fence, engine: &EngineName) -> Result<(), ClusterError> {
        let (world, fence, engine) = (Arc::clone(&self.wire.world), fence.clone(), engine.clone());
        let subject = fence.store_id.clone();
        let effect = async move {
            world.cluster.ensure_namespace(&fence, &engine).await?;
            world.watch().fenced("ensure_namespace", &fence);
            Ok(())
        };
        self.wire.write(site(Place::Cluster, "ensure_namespace", Class::Write), subject.as_str(), effect).await
    }

    async fn raise_epoch(&self, fence: &Fence) -> Result<NamespaceState, ClusterError> {
        let (world, sent) = (Arc::clone(&self.wire.world), fence.clone());
        let effect = async move { world.cluster.raise_epoch(&sent).await };
        let site = site(Place::Cluster, "raise_epoch", Class::Write);
        let state = self.wire.write(site, fence.store_id.as_str(), effect).await?;
        self.wire.world.watch().raised(fence, state);
        Ok(state)
    }

    async fn put_credentials(&self, fence: &Fence, credentials: &StoreCredentials) -> Result<(), ClusterError> {
        // A store whose data makes the code itself fall over (RELIABILITY F11).
        assert!(!self.wire.world.is_poisoned(&fence.store_id), "poisoned (simulated)");
        let (world, fence, credentials) = (Arc::clone(&self.wire.world), fence.clone(), credentials.clone());
        let subject = fence.store_id.clone();
        let effect = async move {
            world.cluster.put_credentials(&fence, &credentials).await?;
            world.watch().fenced("put_credentials", &fence);
            Ok(())
        };
        self.wire.write(site(Place::Cluster, "put_credentials", Class::Write), subject.as_str(), effect).await
    }

    async fn await_workloads(
        &self,
        store_id: &StoreId,
        wanted: &Readiness,
        limit: Duration,
    ) -> Result<Rollout, ClusterError> {
        let world = &self.wire.world;
        let question = async {
            let ready = self.pods(store_id, limit).await;
            let rollout = world.cluster.await_workloads(store_id, wanted, limit).await?;
            let rollout = match rollout {
                Rollout::Ready(_) if !ready => {
                    Rollout::Pending(Failure::new(ErrorCode::RolloutTimeout, "the pods are not ready yet"))
                }
                other => other,
            };
            world.nature.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(store_id.clone(), rollout.clone());
            Ok(rollout)
        };
        let stale = || world.nature.seen.lock().unwrap_or_else(PoisonError::into_inner).get(store_id).cloned();
        let site = site(Place::Cluster, "await_workloads", Class::Read);
        self.wire.read(site, store_id.as_str(), question, stale).await
    }

    /// Whatever keeps it from being read, it decides nothing: there is nothing to break.
    async fn setup_progress(&self, fence: &Fence) -> Vec<SetupStep> {
        self.wire.world.cluster.setup_progress(fence).await
    }

    async fn delete_namespace(&self, fence: &Fence) -> Result<(), ClusterError> {
        let (world, fence) = (Arc::clone(&self.wire.world), fence.clone());
        let subject = fence.store_id.clone();
        let effect = async move {
            world.cluster.delete_namespace(&fence).await?;
            world.watch().fenced("delete_namespace", &fence);
            world.terminate(&fence.store_id);
            Ok(())
        };
        self.wire.write(site(Place::Cluster, "delete_namespace", Class::Write), subject.as_str(), effect).await
    }

    async fn await_gone(&self, store_id: &StoreId, limit: Duration) -> Result<Removal, ClusterError> {
        let world = &self.wire.world;
        let question = async {
            let until = world.sim.now() + u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
            loop {
                let removal = world.look_at_removal(store_id).await?;
                if removal != Removal::InProgress || world.sim.now() >= until {
                    return Ok(removal);
                }
                world.sim.sleep(SECOND / 4).await;
            }
        };
        // A lagging view still shows the namespace.
        let stale = || Some(Removal::InProgress);
        self.wire.read(site(Place::Cluster, "await_gone", Class::Read), store_id.as_str(), question, stale).await
    }
}

#[async_trait]
impl Releases for SimPlatform {
    async fn install(&self, fence: &Fence, spec: &ReleaseSpec) -> Result<Installed, ReleaseError> {
        let (world, fence, spec) = (Arc::clone(&self.wire.world), fence.clone(), spec.clone());
        let subject = fence.store_id.clone();
        let effect = async move {
            let installed = world.releases.install(&fence, &spec).await?;
            world.watch().fenced("install", &fence);
            Ok(installed)
        };
        self.helm("install", subject.as_str(), effect).await
    }

    async fn uninstall(&self, fence: &Fence) -> Result<Uninstalled, ReleaseError> {
        let (world, fence) = (Arc::clone(&self.wire.world), fence.clone());
        let subject = fence.store_id.clone();
        let effect = async move {
            // Without a release there is nothing that a late owner could change.
            let there = world.releases.installed().contains_key(&fence.store_id);
            let uninstalled = world.releases.uninstall(&fence).await?;
            if there {
                world.watch().fenced("uninstall", &fence);
            }
            Ok(uninstalled)
        };
        self.helm("uninstall", subject.as_str(), effect).await
    }

    /// Reads files of its own machine, as `engine_note` does.
    async fn digests(&self, spec: &ReleaseSpec) -> Result<ReleaseDigests, ReleaseError> {
        self.wire.world.releases.digests(spec).await
    }

    async fn origin(&self, engine: &EngineName) -> Result<ReleaseOrigin, ReleaseError> {
        self.wire.world.releases.origin(engine).await
    }

    async fn render(&self, spec: &ReleaseSpec) -> Result<Manifest, ReleaseError> {
        self.wire.world.releases.render(spec).await
    }

    async fn engine_note(&self, engine: &EngineDescriptor) -> Result<Option<String>, ReleaseError> {
        self.wire.world.releases.engine_note(engine).await
    }
}

#[async_trait]
impl Storefront for SimPlatform {
    async fn probe(&self, host: &StoreHost, path: &str) -> Result<(), StorefrontError> {
        let storefront = &self.wire.world.storefront;
        let site = site(Place::Storefront, "probe", Class::Read);
        self.wire.read(site, host.as_str(), storefront.probe(host, path), || None).await
    }
}
