//! Requests: how many, from whom, through whom.

use jiff::SignedDuration;
use shopwright_api_actix::Cors;
use shopwright_domain::limits::{Cooldown, Rate, StoreQuota};
use shopwright_domain::network::{Cidr, TrustedProxies};
use shopwright_domain::plans::{Plan, Plans};

use super::{LimitsConfig, Profile};
use crate::config::reader::Reader;
use crate::config::settings::{
    CORS_ORIGIN, RATE_LIMIT_MAX, RATE_LIMIT_WINDOW_MS, SHOPWRIGHT_GLOBAL_RATE_LIMIT_MAX, SHOPWRIGHT_PLANS,
    SHOPWRIGHT_TRUSTED_PROXIES, SHOPWRIGHT_USER_RATE_LIMIT_MAX,
};
use crate::config::values;

/// Most of what is one in the settings.
const MOST: u32 = 1_000_000_000;

/// Requests: how many, from whom, through whom.
#[derive(Debug, Clone)]
pub struct RequestsConfig {
    /// Of one address that nobody else pays for.
    pub address: Rate,
    /// Of all together.
    pub everybody: Rate,
    /// What organisations may take: requests, stores, pauses, retries.
    pub plans: Plans,
    /// Whose word about a client's address is believed.
    pub proxies: TrustedProxies,
    /// Whose pages may read answers.
    pub cors: Cors,
}

fn proxies(text: &str) -> Result<TrustedProxies, String> {
    let ranges: Result<Vec<Cidr>, _> = text.split(',').map(str::parse).collect();
    ranges.map(TrustedProxies).map_err(|_| "is not a list of addresses and ranges like 10.0.0.0/8".to_owned())
}

fn cors(text: &str) -> Result<Cors, String> {
    if text.trim() == "*" {
        return Ok(Cors::Everybody);
    }
    let is_origin = |text: &&str| {
        url::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == **text)
    };
    let origins: Vec<&str> = text.split(',').map(str::trim).collect();
    if !origins.iter().all(is_origin) {
        return Err("is not a list of origins like https://shop.example.com, without a path".to_owned());
    }
    Ok(Cors::Origins(origins.into_iter().map(str::to_owned).collect()))
}

pub(in crate::config) fn requests(
    reader: &mut Reader<'_>,
    profile: Option<Profile>,
    limits: Option<LimitsConfig>,
) -> Option<RequestsConfig> {
    let address = reader.read(&RATE_LIMIT_MAX, values::number(1..=MOST));
    let address_is_wrong = address.is_none() && reader.is_set(&RATE_LIMIT_MAX);
    let user = reader.read(&SHOPWRIGHT_USER_RATE_LIMIT_MAX, values::number(1..=MOST));
    let everybody = reader.read(&SHOPWRIGHT_GLOBAL_RATE_LIMIT_MAX, values::number(1..=MOST));
    let window = reader.read(&RATE_LIMIT_WINDOW_MS, values::number(1_000..=86_400_000));
    let proxies = reader.read(&SHOPWRIGHT_TRUSTED_PROXIES, proxies);
    let cors = reader.read(&CORS_ORIGIN, cors);
    let window = window.map(SignedDuration::from_millis);
    let standard = window.zip(user).zip(limits).map(|((window, user), limits)| Plan {
        stores: StoreQuota(limits.max_stores_per_user),
        cooldown: Cooldown(SignedDuration::try_from(limits.creation_cooldown).unwrap_or(SignedDuration::MAX)),
        requests: Rate { limit: user, window },
        retries: limits.max_retries,
    });
    // Also without the standard: what is wrong with the plans is told all the same.
    let plans = reader.read(&SHOPWRIGHT_PLANS, |text| Plans::parse(standard.unwrap_or_default(), text));
    let plans_are_wrong = plans.is_none() && reader.is_set(&SHOPWRIGHT_PLANS);
    if address_is_wrong || plans_are_wrong {
        return None;
    }
    let usual = if profile == Some(Profile::Production) { 60 } else { 200 };
    Some(RequestsConfig {
        address: Rate { limit: address.unwrap_or(usual), window: window? },
        everybody: Rate { limit: everybody?, window: window? },
        plans: plans.unwrap_or(standard?.into()),
        proxies: proxies.unwrap_or_default(),
        cors: cors.unwrap_or_default(),
    })
}
