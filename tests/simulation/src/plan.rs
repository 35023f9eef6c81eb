//! Which call meets which fault: by chance with the seed's weights, or exactly, at the nth call.

use crate::fault::{Class, Fault, Trouble};
use crate::rng::Rng;
use crate::time::{MILLI, SECOND};

/// A kind of fault that a seed may have or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Fails without an effect.
    Before,
    /// Its answer is lost.
    After,
    /// Never returns.
    Hang,
    /// Takes effect late.
    Late,
    /// Answers with what was.
    Stale,
    /// The process dies around it.
    Crash,
    /// The process dies, the effect comes later.
    Orphan,
    /// The process is stopped in it.
    Stop,
    /// Helm dies in the middle.
    Half,
}

const KINDS: [Kind; 9] =
    [Kind::Before, Kind::After, Kind::Hang, Kind::Late, Kind::Stale, Kind::Crash, Kind::Orphan, Kind::Stop, Kind::Half];

/// How likely which faults are in one run, in millionths of all calls.
#[derive(Debug, Clone)]
pub struct Chances {
    /// Of a call to the database.
    pub storage: u32,
    /// Of a call to the cluster, by Kubernetes or Helm.
    pub cluster: u32,
    /// Of a question to a storefront.
    pub storefront: u32,
    /// Of those, the kinds that this run has.
    pub kinds: Vec<Kind>,
    /// Whether errors that use up attempts are among them.
    pub refusals: bool,
    /// Calls take up to this long, and sometimes twenty times as long.
    pub latency: u64,
}

impl Chances {
    /// A run in which nothing goes wrong and little takes long.
    pub const fn calm(latency: u64) -> Self {
        Self { storage: 0, cluster: 0, storefront: 0, kinds: Vec::new(), refusals: false, latency }
    }

    /// What `rng` chooses: each run has some kinds of faults and not others, rarely or often.
    pub fn random(rng: &mut Rng) -> Self {
        let kinds: Vec<Kind> = KINDS.into_iter().filter(|_| rng.chance(500_000)).collect();
        let rate = |rng: &mut Rng, most: u64| match rng.below(6) {
            0 => 0,
            1 => u32::try_from(most / 20).unwrap_or(0),
            _ => u32::try_from(rng.between(most / 10, most)).unwrap_or(0),
        };
        Self {
            storage: rate(rng, 30_000),
            cluster: rate(rng, 250_000),
            storefront: rate(rng, 300_000),
            refusals: rng.chance(400_000),
            latency: *rng.pick(&[MILLI / 2, 3 * MILLI, 20 * MILLI]),
            kinds,
        }
    }

    fn fault(&self, rng: &mut Rng, class: Class, chance: u32) -> Option<Fault> {
        if self.kinds.is_empty() || !rng.chance(chance) {
            return None;
        }
        let fault = match rng.pick(&self.kinds) {
            Kind::Before => Fault::Before(self.trouble(rng, class)),
            Kind::After => Fault::After(Trouble::Lost),
            Kind::Hang => Fault::Hang,
            Kind::Late => Fault::Late(rng.between(MILLI, 60 * SECOND)),
            Kind::Stale => Fault::Stale,
            Kind::Crash if rng.chance(500_000) => Fault::CrashBefore,
            Kind::Crash => Fault::CrashAfter,
            Kind::Orphan => Fault::Orphan(rng.between(MILLI, 60 * SECOND)),
            Kind::Half if rng.chance(500_000) => Fault::Half,
            Kind::Half => Fault::HalfCrash,
            Kind::Stop => Fault::Stop(rng.between(SECOND, 50 * SECOND)),
        };
        // Deaths and long stops of processes are dear: fewer of them let the run get somewhere.
        let dear = matches!(
            fault,
            Fault::CrashBefore | Fault::CrashAfter | Fault::Orphan(_) | Fault::Stop(_) | Fault::HalfCrash
        );
        (fault.fits(class) && !(dear && rng.chance(600_000))).then_some(fault)
    }

    fn trouble(&self, rng: &mut Rng, class: Class) -> Trouble {
        match class {
            Class::Statement | Class::Commit => *rng.pick(&[Trouble::Lost, Trouble::Conflict]),
            Class::Read | Class::Write | Class::Run => match rng.below(10) {
                0..5 => Trouble::Lost,
                5 | 6 => Trouble::Throttled,
                7 => Trouble::Unknown,
                8 if self.refusals => Trouble::Refused,
                _ => Trouble::Denied,
            },
        }
    }
}

/// Which part of the world a call goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// PostgreSQL.
    Storage,
    /// The cluster's API.
    Cluster,
    /// Helm, and through it the cluster's API.
    Helm,
    /// A shop, through the ingress.
    Storefront,
}

/// A call as a list of calls shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// Where it goes.
    pub place: Place,
    /// Which method.
    pub call: &'static str,
    /// How it is sent.
    pub class: Class,
}

/// How one call goes.
#[derive(Debug, Clone, Copy)]
pub struct Passage {
    /// Microseconds before its effect.
    pub before: u64,
    /// Microseconds after it.
    pub after: u64,
    /// What it meets.
    pub fault: Option<Fault>,
}

/// A fault for calls that are named.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which method.
    pub call: &'static str,
    /// Of which process; of all without it.
    pub replica: Option<usize>,
    /// About which store; about all without it.
    pub subject: Option<String>,
    /// What they meet.
    pub fault: Fault,
    /// How many of them.
    pub times: usize,
}

impl Rule {
    /// The next `times` calls of this name meet this.
    pub const fn new(call: &'static str, fault: Fault, times: usize) -> Self {
        Self { call, replica: None, subject: None, fault, times }
    }

    fn takes(&self, call: &str, replica: usize, subject: &str) -> bool {
        self.times > 0
            && self.call == call
            && self.replica.is_none_or(|only| only == replica)
            && self.subject.as_ref().is_none_or(|only| only == subject)
    }
}

/// Who calls, and about what.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// Which process.
    pub replica: usize,
    /// Whether it is its worker: those calls are counted.
    pub worker: bool,
    /// About which store or host.
    pub subject: &'a str,
}

/// Which call meets what.
#[derive(Debug)]
pub struct Plan {
    rules: Vec<Rule>,
    chances: Chances,
    exact: Vec<(usize, Fault)>,
    /// The calls of workers so far, when they are being listed.
    sites: Option<Vec<Site>>,
    /// No answer at all from there until then.
    cluster_down_until: u64,
    database_down_until: u64,
}

impl Plan {
    /// By chance.
    pub const fn new(chances: Chances) -> Self {
        Self {
            rules: Vec::new(),
            chances,
            exact: Vec::new(),
            sites: None,
            cluster_down_until: 0,
            database_down_until: 0,
        }
    }

    /// From now on the calls of workers are counted and listed; the nth of them, from 0, meets this.
    pub fn arm(&mut self, exact: Vec<(usize, Fault)>) {
        self.exact = exact;
        self.sites = Some(Vec::new());
    }

    /// From now on none of them is counted, and none is hit.
    pub fn disarm(&mut self) {
        self.exact.clear();
        self.sites = None;
    }

    /// The list since [`Plan::arm`].
    pub fn sites(&self) -> &[Site] {
        self.sites.as_deref().unwrap_or_default()
    }

    /// From now on this rule holds, after those that were made before.
    pub fn rule(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// No rule holds any more.
    pub fn lift_rules(&mut self) {
        self.rules.clear();
    }

    /// From now on other chances hold.
    pub fn set_chances(&mut self, chances: Chances) {
        self.chances = chances;
    }

    /// How long a call takes at most, usually.
    pub const fn latency(&self) -> u64 {
        self.chances.latency
    }

    /// Nobody reaches the cluster until then.
    pub const fn cut_cluster(&mut self, until: u64) {
        self.cluster_down_until = until;
    }

    /// Nobody reaches the database until then.
    pub const fn cut_database(&mut self, until: u64) {
        self.database_down_until = until;
    }

    /// How the next call goes.
    pub fn next(&mut self, rng: &mut Rng, now: u64, site: Site, caller: Caller<'_>) -> Passage {
        let (unit, chance, down) = match site.place {
            Place::Storage => (self.chances.latency / 4, self.chances.storage, self.database_down_until > now),
            Place::Cluster => (self.chances.latency, self.chances.cluster, self.cluster_down_until > now),
            Place::Helm => (self.chances.latency * 20, self.chances.cluster, self.cluster_down_until > now),
            Place::Storefront => (self.chances.latency, self.chances.storefront, self.cluster_down_until > now),
        };
        let slow = if rng.chance(10_000) { 20 } else { 1 };
        // Half of the statements take no time worth an event.
        let before =
            if matches!(site.class, Class::Statement) && rng.chance(500_000) { 0 } else { rng.below(unit * slow + 1) };
        let after = if rng.chance(250_000) { rng.below(unit + 1) } else { 0 };
        let mut fault = self.chances.fault(rng, site.class, chance);
        if down {
            fault = Some(if rng.chance(200_000) { Fault::Hang } else { Fault::Before(Trouble::Lost) });
        }
        let rule = self.rules.iter_mut().find(|rule| rule.takes(site.call, caller.replica, caller.subject));
        if let Some(rule) = rule {
            rule.times -= 1;
            fault = Some(rule.fault);
        }
        if caller.worker
            && let Some(sites) = &mut self.sites
        {
            let index = sites.len();
            sites.push(site);
            if let Some((_, exact)) = self.exact.iter().find(|(at, _)| *at == index) {
                fault = Some(*exact);
            }
        }
        Passage { before, after, fault }
    }
}
