//! Everybody who may come, and what they are.

use shopwright_domain::Scope;
use shopwright_domain::organisation::Role;

/// Somebody who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Without a token.
    Nobody,
    /// With a header that is no token.
    Malformed(&'static str),
    /// With a token of nobody's making.
    Forged,
    /// A session whose time is over.
    ExpiredSession,
    /// A session that was ended.
    RevokedSession,
    /// An API token whose time is over.
    ExpiredToken,
    /// An API token that was revoked.
    RevokedToken,
    /// A member of the company, acting in it.
    Member(Role),
    /// The company's owner, acting in the organisation of their own account.
    OwnerElsewhere,
    /// Somebody with an organisation of their own alone.
    Stranger,
    /// The same, naming the company.
    Intruder,
    /// Who was a member of the company until a moment ago, naming it.
    Former,
    /// A platform administrator, who is no member of the company.
    Administrator,
    /// The same, naming the company.
    AdministratorInside,
    /// An API token that a member made in the company.
    Token(Role, Vec<Scope>),
    /// The owner's API token, naming another organisation of the owner's.
    TokenElsewhere,
    /// An API token of the platform administrator.
    AdministratorToken(Vec<Scope>),
}

/// What somebody is whose token is good.
pub(crate) struct Standing {
    /// What they are in the organisation that they act in; none when they may not act in it.
    pub(crate) active: Option<Role>,
    /// Whether that is the company.
    pub(crate) inside: bool,
    /// What they are in the company, wherever they act.
    pub(crate) in_company: Option<Role>,
    /// Whether they have the powers of a platform administrator.
    pub(crate) is_administrator: bool,
    /// What an API token is good for; none for a person.
    pub(crate) scopes: Option<Vec<Scope>>,
}

const PERSON: Standing =
    Standing { active: Some(Role::Owner), inside: false, in_company: None, is_administrator: false, scopes: None };

impl Caller {
    /// Everybody.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Nobody,
            Self::Malformed("Bearer"),
            Self::Malformed("Bearer nonsense"),
            Self::Malformed("Basic YWRhOnBhc3N3b3Jk"),
            Self::Forged,
            Self::ExpiredSession,
            Self::RevokedSession,
            Self::ExpiredToken,
            Self::RevokedToken,
            Self::OwnerElsewhere,
            Self::Stranger,
            Self::Intruder,
            Self::Former,
            Self::Administrator,
            Self::AdministratorInside,
            Self::TokenElsewhere,
        ];
        all.extend(Role::ALL.map(Self::Member));
        for role in [Role::Owner, Role::Viewer] {
            // Each scope alone, all of them, and all but each.
            all.extend(Scope::ALL.map(|scope| Self::Token(role, vec![scope])));
            all.push(Self::Token(role, ordinary(|_| true)));
            all.extend(
                [Scope::AccountRead, Scope::StoresRead, Scope::StoresWrite]
                    .map(|without| Self::Token(role, ordinary(|scope| scope != without))),
            );
        }
        all.retain(|caller| !matches!(caller, Self::Token(_, scopes) if scopes.contains(&Scope::PlatformAdmin)));
        all.push(Self::AdministratorToken(ordinary(|_| true)));
        all.push(Self::AdministratorToken(Scope::ALL.to_vec()));
        all
    }

    /// What they are; none for somebody whose token is not good.
    pub(crate) fn standing(&self) -> Option<Standing> {
        let inside = |role| Standing { active: Some(role), inside: true, in_company: Some(role), ..PERSON };
        match self {
            Self::Nobody
            | Self::Malformed(_)
            | Self::Forged
            | Self::ExpiredSession
            | Self::RevokedSession
            | Self::ExpiredToken
            | Self::RevokedToken => None,
            Self::Member(role) => Some(inside(*role)),
            Self::OwnerElsewhere => Some(Standing { in_company: Some(Role::Owner), ..PERSON }),
            Self::Stranger => Some(PERSON),
            Self::Intruder | Self::Former => Some(Standing { active: None, ..PERSON }),
            Self::Administrator => Some(Standing { is_administrator: true, ..PERSON }),
            Self::AdministratorInside => Some(Standing { active: None, is_administrator: true, ..PERSON }),
            Self::Token(role, scopes) => Some(Standing { scopes: Some(scopes.clone()), ..inside(*role) }),
            Self::TokenElsewhere => Some(Standing { active: None, scopes: Some(ordinary(|_| true)), ..PERSON }),
            Self::AdministratorToken(scopes) => Some(Standing {
                is_administrator: scopes.contains(&Scope::PlatformAdmin),
                scopes: Some(scopes.clone()),
                ..PERSON
            }),
        }
    }
}

/// The scopes that anybody can give, as far as wanted.
pub(crate) fn ordinary(wanted: impl Fn(Scope) -> bool) -> Vec<Scope> {
    Scope::ALL.into_iter().filter(|scope| *scope != Scope::PlatformAdmin && wanted(*scope)).collect()
}
