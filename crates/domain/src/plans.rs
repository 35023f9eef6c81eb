//! Plans: what an organisation may take. Each organisation has the name of one; what the names mean is configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use crate::limits::{Cooldown, Rate, StoreQuota};

/// The name of a plan: 1 to 32 lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanName(String);

/// Which size a plan's stores have: the name of one of the sizes that charts know, as strict as a plan's. Which these are is the charts'.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SizeName(String);

/// A text that is no name of a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a size: 1 to 32 lower-case letters, digits and hyphens")]
pub struct InvalidSizeName(pub String);

/// A text that is no name of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a plan: 1 to 32 lower-case letters, digits and hyphens")]
pub struct InvalidPlanName(pub String);

impl PlanName {
    /// The plan of whoever has no other.
    pub fn standard() -> Self {
        Self("standard".to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for PlanName {
    fn default() -> Self {
        Self::standard()
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlanName {
    type Err = InvalidPlanName;

    fn from_str(text: &str) -> Result<Self, InvalidPlanName> {
        if is_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidPlanName(text.chars().take(80).collect())) }
    }
}

fn is_name(text: &str) -> bool {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(ok)
}

impl SizeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SizeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SizeName {
    type Err = InvalidSizeName;

    fn from_str(text: &str) -> Result<Self, InvalidSizeName> {
        if is_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidSizeName(text.chars().take(80).collect())) }
    }
}

/// What an organisation may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Stores at the same time.
    pub stores: StoreQuota,
    /// The pause between two creations.
    pub cooldown: Cooldown,
    /// Requests of each of its people.
    pub requests: Rate,
    /// How often one store may be retried by hand before it was ready.
    pub retries: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            stores: StoreQuota(5),
            cooldown: Cooldown(SignedDuration::from_secs(30)),
            requests: Rate { limit: 600, window: SignedDuration::from_mins(1) },
            retries: 3,
        }
    }
}

/// What the names of plans mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plans {
    /// The plan called `standard`, and of every organisation whose plan has no meaning here any more.
    pub standard: Plan,
    /// The others.
    pub others: BTreeMap<PlanName, Plan>,
    /// How large the stores of a plan are, where it says so; else as large as the charts' values say.
    pub sizes: BTreeMap<PlanName, SizeName>,
}

impl From<Plan> for Plans {
    /// One plan for everybody.
    fn from(standard: Plan) -> Self {
        Self { standard, ..Self::default() }
    }
}

impl Plans {
    /// What `name` means.
    pub fn get(&self, name: &PlanName) -> &Plan {
        self.others.get(name).unwrap_or(&self.standard)
    }

    /// How large stores of organisations with this plan are; none: as large as the charts' values say.
    pub fn size(&self, name: &PlanName) -> Option<&SizeName> {
        let known = if self.knows(name) { name.clone() } else { PlanName::standard() };
        self.sizes.get(&known)
    }

    /// Whether `name` means something of its own.
    pub fn knows(&self, name: &PlanName) -> bool {
        *name == PlanName::standard() || self.others.contains_key(name)
    }

    /// Reads plans that are like `standard` but for what they say: `free: stores=1 cooldown=5m; team: stores=50 cooldown=0s
    /// requests=6000/1m retries=10 size=large`. A plan `standard` changes the standard itself.
    ///
    /// # Errors
    /// In words that go on after the text: which part is wrong.
    pub fn parse(standard: Plan, text: &str) -> Result<Self, String> {
        let mut plans = Self { standard, ..Self::default() };
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, words) = part.split_once(':').ok_or("has a part without a name: write `name: stores=5`")?;
            let name: PlanName = name.trim().parse().map_err(|error| format!("has a wrong name: {error}"))?;
            let (sizes, words): (Vec<_>, Vec<_>) = words.split_whitespace().partition(|word| word.starts_with("size="));
            for size in sizes {
                let size =
                    size["size=".len()..].parse().map_err(|error| format!("says of the plan {name}: {error}"))?;
                plans.sizes.insert(name.clone(), size);
            }
            let plan = words.into_iter().try_fold(standard, |plan, word| changed(plan, &name, word))?;
            if name == PlanName::standard() {
                plans.standard = plan;
            } else if plans.others.insert(name.clone(), plan).is_some() {
                return Err(format!("names the plan {name} twice"));
            }
        }
        Ok(plans)
    }
}

fn changed(mut plan: Plan, name: &PlanName, word: &str) -> Result<Plan, String> {
    let wrong =
        || format!("says of the plan {name} what cannot be read: `{}`", word.chars().take(40).collect::<String>());
    let (what, value) = word.split_once('=').ok_or_else(wrong)?;
    let duration = |text: &str| text.parse::<SignedDuration>().ok().filter(|duration| !duration.is_negative());
    match what {
        "stores" => plan.stores = StoreQuota(value.parse().map_err(|_| wrong())?),
        "cooldown" => plan.cooldown = Cooldown(duration(value).ok_or_else(wrong)?),
        "retries" => plan.retries = value.parse().map_err(|_| wrong())?,
        "requests" => {
            let (limit, window) = value.split_once('/').ok_or_else(wrong)?;
            let limit = limit.parse().ok().filter(|limit| *limit > 0).ok_or_else(wrong)?;
            let window = duration(window).filter(|window| window.as_secs() >= 1).ok_or_else(wrong)?;
            plan.requests = Rate { limit, window };
        }
        _ => return Err(wrong()),
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_the_standard_but_for_what_it_says() {
        let text = "free: stores=1 cooldown=5m; team: stores=50 cooldown=0s requests=6000/1m retries=10;";
        let plans = Plans::parse(Plan::default(), text).unwrap();

        let free = plans.get(&"free".parse().unwrap());
        assert_eq!((free.stores, free.retries), (StoreQuota(1), 3));
        assert_eq!(free.cooldown, Cooldown(SignedDuration::from_mins(5)));
        let team = plans.get(&"team".parse().unwrap());
        assert_eq!((team.requests.limit, team.cooldown), (6000, Cooldown(SignedDuration::ZERO)));
        assert_eq!(plans.get(&"gone".parse().unwrap()), &plans.standard);
        assert!(plans.knows(&PlanName::standard()) && !plans.knows(&"gone".parse().unwrap()));
    }

    #[test]
    fn stores_are_as_large_as_their_plan_says_and_else_as_the_charts_do() {
        let plans = Plans::parse(Plan::default(), "free: stores=1; team: size=large stores=50").unwrap();
        let size = |name: &str| plans.size(&name.parse().unwrap()).map(SizeName::as_str);

        assert_eq!((size("team"), size("free"), size("standard"), size("gone")), (Some("large"), None, None, None));
        assert_eq!(plans.get(&"team".parse().unwrap()).stores, StoreQuota(50));

        let plans = Plans::parse(Plan::default(), "standard: size=small; team: size=medium").unwrap();
        let size = |name: &str| plans.size(&name.parse().unwrap()).map(SizeName::as_str);
        assert_eq!((size("team"), size("standard"), size("gone")), (Some("medium"), Some("small"), Some("small")));
    }

    #[test]
    fn the_standard_can_be_changed_too() {
        let plans = Plans::parse(Plan::default(), "standard: stores=2").unwrap();

        assert_eq!(plans.get(&PlanName::standard()).stores, StoreQuota(2));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, part) in [
            ("free", "without a name"),
            ("Free: stores=1", "wrong name"),
            ("free: stores=many", "`stores=many`"),
            ("free: colour=red", "`colour=red`"),
            ("free: size=", "`` is not the name of a size"),
            ("free: size=Large", "`Large` is not the name of a size"),
            ("free: cooldown=-1s", "`cooldown=-1s`"),
            ("free: requests=0/1m", "`requests=0/1m`"),
            ("free: requests=5/1ms", "`requests=5/1ms`"),
            ("free: stores=1; free: stores=2", "twice"),
        ] {
            let problem = Plans::parse(Plan::default(), text).unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
}
