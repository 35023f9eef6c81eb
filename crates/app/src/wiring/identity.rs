//! Identity in a running server: its keys, the first administrator, and what is done for it in the background.

use std::sync::Arc;
use std::time::Duration;

use shopwright_ports::clock::Clock;
use shopwright_ports::external_issuer::ExternalIssuer;
use tokio_util::sync::CancellationToken;

use super::{Platform, StartError};
use crate::config::Config;
use crate::crypto::{Argon2Hasher, Ed25519Tokens, KeySource, Sha256Digester, ensure_signing_key};
use crate::identity::Identity;
use crate::oidc::OidcIssuer;

/// Sign-ins that are hashed at once, and that may wait: each takes 19 MiB and some 50 ms of a core.
const HASH_THREADS: usize = 2;
const HASH_WAITING: usize = 64;
/// How often what is over is forgotten.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// Identity, ready to serve.
pub(super) struct RunningIdentity {
    pub(super) identity: Identity,
    tokens: Arc<Ed25519Tokens>,
}

impl RunningIdentity {
    pub(super) async fn start(config: &Config, platform: &Platform) -> Result<Self, StartError> {
        let source = if let Some(directory) = &config.identity.signing_keys_dir {
            KeySource::Files(directory.clone())
        } else {
            let (storage, sealer) = (platform.storage.clone(), platform.sealer.clone());
            let (clock, entropy) = (platform.clock.as_ref(), platform.entropy.as_ref());
            ensure_signing_key(storage.as_ref(), sealer.as_ref(), clock, entropy).await?;
            KeySource::Database { storage, sealer }
        };
        let ttl = config.identity.access_token_ttl;
        let tokens = Arc::new(Ed25519Tokens::open(source, platform.clock.clone(), ttl).await?);
        let issuer = config.identity.oidc.clone().map(|settings| OidcIssuer::new(settings, platform.clock.clone()));
        let issuer =
            issuer.transpose().map_err(StartError::Issuer)?.map(|issuer| Arc::new(issuer) as Arc<dyn ExternalIssuer>);
        let identity = Identity {
            storage: platform.storage.clone(),
            hasher: Arc::new(Argon2Hasher::new(HASH_THREADS, HASH_WAITING).peppered(&config.identity.peppers)),
            tokens: tokens.clone(),
            digester: Arc::new(Sha256Digester),
            clock: platform.clock.clone(),
            entropy: platform.entropy.clone(),
            rules: config.identity.rules.clone(),
            issuer,
        };
        if let Some(admin) = &config.identity.admin {
            let made = identity.ensure_administrator(admin.email.clone(), admin.password.clone()).await;
            if made.map_err(StartError::Administrator)? {
                tracing::info!(email = %admin.email, "the first administrator is made");
            }
        }
        Ok(Self { identity, tokens })
    }

    /// Looks for new keys and forgets what is over, until told to stop.
    pub(super) async fn look_after(self, clock: Arc<dyn Clock>, stop: CancellationToken) {
        let Self { identity, tokens } = self;
        let sweep = async {
            loop {
                clock.sleep(SWEEP_EVERY).await;
                match identity.forget_what_is_over().await {
                    Ok(0) => {}
                    Ok(rows) => tracing::debug!(rows, "sessions, tokens and counters that are over are forgotten"),
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "nothing could be forgotten");
                    }
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokens.watch_keys() => {}
            () = sweep => {}
        }
    }
}
