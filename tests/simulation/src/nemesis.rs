//! What goes wrong besides single calls: deaths, stops, restarts, outages, clocks that jump, people with kubectl.

use std::sync::Arc;

use shopwright_domain::StoreId;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::store::{Failure, StoreState};
use shopwright_ports::cluster::Rollout;

use crate::rng::Rng;
use crate::time::{MILLI, SECOND};
use crate::trace::Who;
use crate::world::World;

/// One way to make trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nemesis {
    /// `kill -9` (F1).
    Kill,
    /// SIGSTOP and SIGCONT (F3).
    Stop,
    /// SIGTERM, as in a rolling restart (F9).
    Restart,
    /// The wall clock of a process jumps by up to an hour (F7).
    Clock,
    /// The cluster does not answer (F32).
    ClusterOutage,
    /// The database does not answer.
    DatabaseOutage,
    /// Somebody deletes a namespace by hand (F42).
    Robber,
    /// Something holds a namespace that is going away (F55).
    Finalizer,
    /// A store's image cannot be pulled (F60).
    BadImage,
    /// All processes die at once.
    Blackout,
}

const ALL: [Nemesis; 10] = [
    Nemesis::Kill,
    Nemesis::Stop,
    Nemesis::Restart,
    Nemesis::Clock,
    Nemesis::ClusterOutage,
    Nemesis::DatabaseOutage,
    Nemesis::Robber,
    Nemesis::Finalizer,
    Nemesis::BadImage,
    Nemesis::Blackout,
];

impl Nemesis {
    /// Those that this run has.
    pub fn choose(rng: &mut Rng) -> Vec<Self> {
        ALL.into_iter().filter(|_| rng.chance(300_000)).collect()
    }

    /// Makes trouble every now and then until `end`.
    pub async fn reign(self, world: Arc<World>, end: u64) {
        let pause = world.sim.random(|rng| rng.between(3 * SECOND, 40 * SECOND));
        loop {
            world.sim.sleep(world.sim.random(|rng| rng.between(MILLI, 2 * pause))).await;
            if world.sim.now() >= end {
                return;
            }
            self.strike(&world);
        }
    }

    fn strike(self, world: &Arc<World>) {
        let now = world.sim.now();
        let victim = {
            let replicas = world.replicas();
            let alive: Vec<_> =
                replicas.iter().enumerate().filter_map(|(index, it)| Some((index, it.as_ref()?.life))).collect();
            (!alive.is_empty()).then(|| world.sim.random(|rng| *rng.pick(&alive)))
        };
        match (self, victim) {
            (Self::Kill, Some((index, life))) => world.kill(index, life),
            (Self::Stop, Some((index, life))) => {
                let duration = world.sim.random(|rng| rng.between(SECOND / 10, 50 * SECOND));
                world.stop(index, life, duration);
            }
            (Self::Restart, Some((index, _))) => {
                world.sim.trace(Who::Replica(index), "asked to end", "", "");
                if let Some(Some(replica)) = world.replicas().get(index) {
                    replica.stop.cancel();
                }
            }
            (Self::Clock, Some((index, _))) => {
                let skew = world.sim.random(|rng| rng.below(7200)).cast_signed() - 3600;
                world.sim.trace(Who::Replica(index), "clock jumps", "", "");
                if let Some(Some(replica)) = world.replicas().get(index) {
                    replica.clock.jump(skew * SECOND.cast_signed());
                }
            }
            (Self::ClusterOutage, _) => {
                let until = now + world.sim.random(|rng| rng.between(SECOND, 60 * SECOND));
                world.sim.trace(Who::World, "cluster outage", "", "");
                world.plan().cut_cluster(until);
            }
            (Self::DatabaseOutage, _) => {
                let until = now + world.sim.random(|rng| rng.between(SECOND / 10, 20 * SECOND));
                world.sim.trace(Who::World, "database outage", "", "");
                world.plan().cut_database(until);
            }
            (Self::Blackout, _) => {
                let lives: Vec<_> = world
                    .replicas()
                    .iter()
                    .enumerate()
                    .filter_map(|(index, it)| Some((index, it.as_ref()?.life)))
                    .collect();
                for (index, life) in lives {
                    world.kill(index, life);
                }
            }
            (Self::Robber | Self::Finalizer | Self::BadImage, _) => self.bother(world),
            (Self::Kill | Self::Stop | Self::Restart | Self::Clock, None) => {}
        }
    }

    /// Troubles one store for a while.
    fn bother(self, world: &Arc<World>) {
        let live: Vec<StoreId> = {
            let watch = world.watch();
            let stores = watch.rows().stores.iter();
            stores.filter(|store| store.state != StoreState::Deleted).map(|store| store.id.clone()).collect()
        };
        if live.is_empty() {
            return;
        }
        let id = world.sim.random(|rng| rng.pick(&live).clone());
        match self {
            Self::Robber => {
                world.sim.trace(Who::World, "namespace removed by hand", id.as_str(), "");
                world.watch().rob(&id);
                world.cluster.remove_namespace(&id);
                world.look_at_cluster();
            }
            Self::Finalizer => {
                world.sim.trace(Who::World, "finalizer", id.as_str(), "");
                world.hold(&id, world.sim.random(|rng| rng.between(SECOND, 90 * SECOND)));
            }
            _ => {
                world.sim.trace(Who::World, "bad image", id.as_str(), "");
                world.watch().doom(&id);
                let failed = Failure::new(ErrorCode::ImagePull, "web: ErrImagePull (simulated)");
                let permanent = world.sim.random(|rng| rng.chance(500_000));
                let rollout = if permanent { Rollout::Failed(failed) } else { Rollout::Pending(failed) };
                world.cluster.set_rollout(&id, rollout);
                let duration = world.sim.random(|rng| rng.between(SECOND, 90 * SECOND));
                let (cluster, id) = (Arc::clone(&world.cluster), id);
                world.later(duration, move || cluster.clear_rollout(&id));
            }
        }
    }
}
