//! What an operator decides about accounts, sessions and attempts.

use jiff::SignedDuration;
use shopwright_domain::limits::{Lockout, Rate};

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct IdentityRules {
    /// Whether anybody may register.
    pub registration_open: bool,
    /// Whether the first account ever becomes administrator (DECISIONS 31: only where it was asked for).
    pub bootstrap_first_user: bool,
    /// Whether accounts may have passwords that everybody tries first.
    pub common_passwords_allowed: bool,
    /// When an account is locked.
    pub lockout: Lockout,
    /// Attempts to sign in to one account from one address.
    pub sign_in_rate: Rate,
    /// Registrations from one address.
    pub registration_rate: Rate,
    /// How long a session lasts, however often it is refreshed.
    pub session_lifetime: SignedDuration,
    /// How long a session lasts without being refreshed.
    pub session_idle: SignedDuration,
}

impl Default for IdentityRules {
    fn default() -> Self {
        Self {
            registration_open: true,
            bootstrap_first_user: false,
            common_passwords_allowed: true,
            lockout: Lockout::default(),
            sign_in_rate: Rate { limit: 10, window: SignedDuration::from_mins(15) },
            registration_rate: Rate { limit: 5, window: SignedDuration::from_hours(1) },
            session_lifetime: SignedDuration::from_hours(24 * 30),
            session_idle: SignedDuration::from_hours(24 * 7),
        }
    }
}
