//! What the store of a merchant lives through on real pods, both engines side by side (issue 6): a set-up that is killed at its markers, an
//! order, the set-up once more and killed again, many times over, new credentials, an upgrade, an upgrade that is taken back. After each
//! the order is there, the credentials are what they should be to the byte, the shop serves, and the kernel keeps it to its plan.
//!
//! `RERUNS=50` runs the set-up so many times over, `MARKERS=all` kills it at every marker and not only at some; both take minutes.
//! `ENGINE=medusa` leaves the other one out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};
use shopwright_system_tests::client::id_of;
use shopwright_system_tests::real::{Limits, Real, StorePods, TestCluster};
use shopwright_system_tests::shop::{self, Shop, Trace};
use shopwright_system_tests::{Merchant, World};

/// How often a kill may come too late.
const TRIES: usize = 3;
/// The last marker: behind it the set-up has nothing left to be killed in.
const LAST: &str = "marker";
const CREDENTIALS: [&str; 7] = [
    "admin-email",
    "admin-password",
    "admin-username",
    "app-secret",
    "database-password",
    "database-root-password",
    "session-secret",
];

/// An engine, and the sizes of its plan `small` in the local profile.
struct Engine {
    name: &'static str,
    bare: bool,
    web: Limits,
    db: Limits,
    /// From which marker to the next that it is killed at, unless it is at every one.
    stride: usize,
    /// The marker of a rotation's set-up before its longest step.
    rotated_behind: usize,
    /// Whether its first set-up takes long enough to be looked at while it runs.
    is_slow: bool,
    /// The `CronJob` that does its chores.
    schedule: Option<&'static str>,
}

/// The platform that the stores are on.
struct Platform<'a> {
    world: &'a World,
    merchant: &'a Merchant,
    node_ip: &'a str,
    values: PathBuf,
    reruns: usize,
    every_marker: bool,
}

/// A store, and what must stay as it is.
struct Life<'a> {
    platform: &'a Platform<'a>,
    engine: Engine,
    id: String,
    pods: StorePods,
    start: Instant,
}

impl Platform<'_> {
    fn cluster(&self) -> &TestCluster {
        &self.world.parts().cluster
    }
}

impl<'a> Life<'a> {
    /// Made while its set-up is killed at one marker after the other, each time from an empty database or from what the one before left.
    async fn begin(platform: &'a Platform<'a>, engine: Engine) -> anyhow::Result<Self> {
        let start = Instant::now();
        let store = platform.merchant.create(&format!("{}-life", engine.name), engine.name).await?;
        let id = id_of(&store);
        let pods = StorePods::of(platform.cluster(), &id);
        let mut life = Self { platform, engine, id, pods, start };
        let stride = if platform.every_marker { 1 } else { life.engine.stride };
        let mut killed = Vec::new();
        for number in (1..).step_by(stride) {
            let pod = life.pods.next_setup().await?;
            let Some(marker) = life.pods.marker(&pod, number).await?.filter(|marker| marker != LAST) else { break };
            if !life.pods.kill(&pod, "setup").await? {
                break;
            }
            killed.push(format!("{number} {marker}"));
            // A short one may be over before its kill.
            if life.engine.is_slow {
                life.serves_nobody_yet().await?;
            }
            life.pods.set_up_anew().await?;
        }
        life.says(&format!("its set-up was killed after {}", killed.join(", ")));
        // A kill that comes too late leaves a store that is set up, and no marker to come: on a busy machine that may be early.
        assert!(killed.len() >= 2, "{killed:?}");
        let told = life.told_of_the_set_up().await?;
        assert!(!life.engine.is_slow || !told.is_empty(), "the owner sees what a set-up has done while it runs");
        let store = platform.world.settled(platform.merchant, &life.id).await?;
        assert_eq!(store["status"], "ready", "{store:#}");
        let told = life.told_of_the_set_up().await?;
        // The last kill may have come behind the marker: then the last run found nothing to do.
        assert!(!told.is_empty(), "the owner sees what the set-up has done");
        life.says(&format!("ready; the owner sees {} steps of its set-up", told.len()));
        Ok(life)
    }

    /// A store that is half made is reached by nobody (RELIABILITY S35).
    async fn serves_nobody_yet(&self) -> anyhow::Result<()> {
        let store = self.platform.merchant.store(&self.id).await?;
        let host = store["host"].as_str().unwrap_or_default();
        Shop::new(&format!("http://{host}"), self.platform.node_ip, &store)?.serves_nobody().await
    }

    /// The steps of the set-up that the store's operation shows.
    async fn told_of_the_set_up(&self) -> anyhow::Result<Vec<String>> {
        let store = self.platform.merchant.store(&self.id).await?;
        let id = store["operation"]["id"].as_str().unwrap_or_default();
        let operation = self.platform.merchant.get(&format!("/operations/{id}")).await?.body;
        let steps = operation["operation"]["setup"].as_array().into_iter().flatten();
        Ok(steps.filter_map(|step| step["name"].as_str()).map(str::to_owned).collect())
    }

    fn says(&self, what: &str) {
        println!("{:>6.1?} {}: {what}", self.start.elapsed(), self.engine.name);
    }

    async fn credentials(&self) -> anyhow::Result<BTreeMap<&'static str, String>> {
        let mut all = BTreeMap::new();
        for key in CREDENTIALS {
            all.insert(key, self.platform.cluster().credential(&self.id, key).await?);
        }
        Ok(all)
    }

    async fn shop(&self) -> anyhow::Result<Shop> {
        let store = self.platform.merchant.store(&self.id).await?;
        assert_eq!(store["status"], "ready", "{store:#}");
        let url = store["urls"]["storefront"].as_str().unwrap_or_default();
        Shop::new(url, self.platform.node_ip, &store)
    }

    /// Nobody who had something in this shop has lost it.
    async fn is_whole(&self, trace: &Trace, credentials: &BTreeMap<&str, String>) -> anyhow::Result<()> {
        let shop = self.shop().await?;
        shop.serves().await?;
        shop.still_has(trace).await?;
        assert!(shop.lets_the_administrator_in(self.engine.name).await?, "{}", self.id);
        assert_eq!(&self.credentials().await?, credentials);
        assert_eq!(self.pods.limits("web").await?, self.engine.web);
        assert_eq!(self.pods.limits("db").await?, self.engine.db);
        Ok(())
    }

    /// Asks for an operation that runs the set-up, and kills that once, behind its marker of this number (0: as soon as it has begun). The
    /// Job gives it another pod. False when the set-up was faster.
    async fn changed_and_killed(&mut self, what: &str, body: &Value, number: usize) -> anyhow::Result<bool> {
        self.pods.skip_setups().await?;
        let answer = self.platform.merchant.post(&format!("/stores/{}/{what}", self.id), body).await?;
        anyhow::ensure!(answer.status == 202, "{what}: {answer:?}");
        let pod = self.pods.next_setup().await?;
        let marker = if number == 0 { None } else { self.pods.marker(&pod, number).await? };
        let killed = self.pods.kill(&pod, "setup").await?;
        let operation = self.platform.world.ended(self.platform.merchant, &answer.body["store"]).await?;
        assert_eq!(operation["status"], "succeeded", "{operation:#}");
        let how = if killed { "its set-up was killed" } else { "its set-up was faster than the kill" };
        self.says(&format!("{what}: {how} behind {}", marker.as_deref().unwrap_or("its start")));
        Ok(killed)
    }

    async fn change(&self, what: &str, body: &Value) -> anyhow::Result<Value> {
        self.platform.world.change(self.platform.merchant, &format!("/stores/{}/{what}", self.id), body).await
    }

    /// The set-up of a store that lives: killed, and then in peace, over and over.
    async fn set_up_again(&mut self, trace: &Trace, credentials: &BTreeMap<&str, String>) -> anyhow::Result<()> {
        // Of a store that is set up it is a look, over in no time: whether the kill was in time is no matter of ours.
        self.changed_and_killed("upgrade", &json!({}), 0).await?;
        self.is_whole(trace, credentials).await?;
        for _ in 0..self.platform.reruns {
            let before = self.pods.setup().await?;
            let operation = self.change("upgrade", &json!({})).await?;
            assert_eq!(operation["status"], "succeeded", "{operation:#}");
            assert_ne!(self.pods.setup().await?, before, "the set-up has run again");
            self.is_whole(trace, credentials).await?;
        }
        self.says(&format!("set up again, {} times", self.platform.reruns));
        Ok(())
    }

    /// New passwords, while the set-up that puts them in force is killed in the middle of it. Behind the fourth marker there is one write
    /// more, which no kill is fast enough for.
    async fn rotate(&mut self, trace: &Trace, credentials: &mut BTreeMap<&'static str, String>) -> anyhow::Result<()> {
        let usual = self.engine.rotated_behind;
        for number in if self.platform.every_marker { 1..=3 } else { usual..=usual } {
            let mut in_time = false;
            for _ in 0..TRIES {
                in_time = self.rotated_and_killed(trace, credentials, number).await?;
                if in_time {
                    break;
                }
            }
            // Such a step takes milliseconds: how many kills are in time is the machine's matter, unless somebody asks for every marker.
            assert!(
                in_time || !self.platform.every_marker,
                "the set-up was {TRIES} times faster than a kill behind its marker {number}"
            );
        }
        Ok(())
    }

    /// One rotation; whether its set-up was killed in time.
    async fn rotated_and_killed(
        &mut self,
        trace: &Trace,
        credentials: &mut BTreeMap<&'static str, String>,
        number: usize,
    ) -> anyhow::Result<bool> {
        let before = self.shop().await?;
        let body = json!({"targets": ["administrator", "database"]});
        let killed = self.changed_and_killed("credentials/rotate", &body, number).await?;
        let now = self.credentials().await?;
        for (key, old) in credentials.iter() {
            assert_eq!(now[key] != *old, matches!(*key, "admin-password" | "database-password"), "{key}");
        }
        assert!(!before.lets_the_administrator_in(self.engine.name).await?, "the old password is over");
        *credentials = now;
        self.is_whole(trace, credentials).await?;
        Ok(killed)
    }

    /// A larger plan: other pods, the same shop.
    async fn upgrade(&mut self, trace: &Trace, credentials: &BTreeMap<&str, String>) -> anyhow::Result<()> {
        let larger = Limits { cpu: 1500, memory: self.engine.web.memory + 64 };
        let values = self.values()?;
        let limits = format!("{{cpu: {}m, memory: {}Mi}}", larger.cpu, larger.memory);
        self.set_values(&format!("{values}plans: {{small: {{web: {{resources: {{limits: {limits}}}}}}}}}\n"))?;
        let preview = self.platform.merchant.get(&format!("/stores/{}/upgrade", self.id)).await?;
        assert_eq!(preview.body["upgrade"]["upToDate"], false, "{preview:?}");
        let operation = self.change("upgrade", &json!({})).await?;
        assert_eq!(operation["status"], "succeeded", "{operation:#}");
        self.says("upgraded");
        self.engine.web = larger;
        self.is_whole(trace, credentials).await
    }

    /// Pods that are well, and a shop that nobody reaches: the ingress listens where nobody calls.
    async fn upgrade_in_vain(&mut self, trace: &Trace, credentials: &BTreeMap<&str, String>) -> anyhow::Result<()> {
        let values = self.values()?;
        let unreachable = "ingress: {annotations: {traefik.ingress.kubernetes.io/router.entrypoints: nowhere}}\n";
        self.set_values(&format!("{values}{unreachable}"))?;
        let operation = self.change("upgrade", &json!({})).await?;
        assert_eq!(operation["status"], "failed", "{operation:#}");
        assert_eq!(operation["failure"]["code"], "storefront_unreachable", "{operation:#}");
        let is_back =
            |store: &Value| store["operation"]["kind"] == "revert" && store["operation"]["status"] == "succeeded";
        self.platform.world.until(self.platform.merchant, &self.id, is_back).await?;
        self.says("an upgrade in vain was taken back");
        self.set_values(&values)?;
        self.is_whole(trace, credentials).await
    }

    fn values_file(&self) -> PathBuf {
        self.platform.values.join(format!("{}.yaml", self.engine.name))
    }

    fn values(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.values_file())?)
    }

    fn set_values(&self, text: &str) -> anyhow::Result<()> {
        Ok(std::fs::write(self.values_file(), text)?)
    }
}

async fn live(platform: &Platform<'_>, engine: Engine) -> anyhow::Result<()> {
    let mut life = Life::begin(platform, engine).await?;
    let trace = life.shop().await?.leave_a_trace(life.engine.name, life.engine.bare).await?;
    let mut credentials = life.credentials().await?;
    life.is_whole(&trace, &credentials).await?;
    if let Some(schedule) = life.engine.schedule {
        life.pods.run_schedule(schedule).await?;
        life.says("its schedule has run");
        life.is_whole(&trace, &credentials).await?;
    }
    life.set_up_again(&trace, &credentials).await?;
    life.rotate(&trace, &mut credentials).await?;
    life.upgrade(&trace, &credentials).await?;
    life.upgrade_in_vain(&trace, &credentials).await?;
    life.shop().await?.leave_a_trace(life.engine.name, life.engine.bare).await?;
    life.says("takes the next order");
    merchant_deletes(platform, &life.id).await
}

async fn merchant_deletes(platform: &Platform<'_>, id: &str) -> anyhow::Result<()> {
    platform.merchant.delete(&format!("/stores/{id}")).await?;
    assert_eq!(platform.world.settled(platform.merchant, id).await?["status"], "deleted");
    Ok(())
}

fn number(name: &str, default: usize) -> anyhow::Result<usize> {
    match std::env::var(name).ok().filter(|value| !value.is_empty()) {
        Some(value) => Ok(value.parse()?),
        None => Ok(default),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_keeps_its_orders_and_credentials_whatever_happens_to_its_set_up() -> anyhow::Result<()> {
    let Some((node_ip, values)) = shop::node()? else { return Ok(()) };
    let (bare, directory) = (shop::is_bare(&values)?, values.path().to_owned());
    let every_marker = std::env::var("MARKERS").is_ok_and(|markers| markers == "all");
    let mut extra = vec![("SHOPWRIGHT_ALLOW_BARE_WORDPRESS".to_owned(), bare.to_string())];
    if every_marker {
        // A set-up that begins anew twenty times takes longer than a merchant should wait.
        extra.push(("SHOPWRIGHT_ROLLOUT_DEADLINE".to_owned(), "1h".to_owned()));
    }
    let Some(real) = Real::on_node(&node_ip, values, extra).await? else { return Ok(()) };
    let world = World::Real(Box::new(real));
    let merchant = world.merchant("ada").await?;
    let platform = Platform {
        world: &world,
        merchant: &merchant,
        node_ip: &node_ip,
        values: directory,
        reruns: number("RERUNS", 5)?,
        every_marker,
    };

    // F62, at every marker: see `live`.
    let db = Limits { cpu: 1000, memory: 256 };
    let medusa = Engine {
        name: "medusa",
        bare: false,
        web: Limits { cpu: 2000, memory: 384 },
        db,
        stride: 4,
        rotated_behind: 3,
        is_slow: true,
        schedule: None,
    };
    let woocommerce = Engine {
        name: "woocommerce",
        bare,
        web: Limits { cpu: 2000, memory: 320 },
        db,
        stride: 1,
        rotated_behind: 2,
        is_slow: false,
        schedule: Some("cron"),
    };
    let only = std::env::var("ENGINE").unwrap_or_default();
    let wanted = [medusa, woocommerce].into_iter().filter(|engine| only.is_empty() || only == engine.name);
    futures::future::try_join_all(wanted.map(|engine| live(&platform, engine))).await?;
    Ok(())
}
