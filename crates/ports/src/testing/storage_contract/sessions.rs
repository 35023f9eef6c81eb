//! Sessions, API tokens, counters of attempts.

use futures::future::{join, join_all};
use jiff::Timestamp;
use shopwright_domain::limits::SignInFailures;
use shopwright_domain::{ApiTokenId, Scope, SessionId};

use super::world::{World, at, random_bytes};
use crate::storage::{ApiToken, Reach, RefreshToken, Session, Storage, StorageError, Throttle, User};

fn new_session(user: &User, begun: i64) -> (Session, RefreshToken) {
    let id = SessionId::from_random(u128::from_be_bytes(random_bytes()));
    let session = Session {
        id,
        user_id: user.id,
        tenant_id: user.tenant_id,
        created_at: at(begun),
        last_used_at: at(begun),
        expires_at: at(1_000),
        revoked_at: None,
        ip_address: Some("192.0.2.1".into()),
        user_agent: Some("curl/8".into()),
    };
    let digest = random_bytes();
    (session, RefreshToken { digest, session_id: id, issued_at: at(begun), expires_at: at(100), replaced: None })
}

fn successor_of(token: &RefreshToken, issued: i64) -> RefreshToken {
    RefreshToken { digest: random_bytes(), issued_at: at(issued), expires_at: at(issued + 100), ..token.clone() }
}

async fn insert(world: &World<'_>, session: &Session, token: &RefreshToken) {
    let mut tx = world.within(Reach::Identity).await;
    tx.sessions().insert(session, token).await.expect("insert");
    tx.commit().await.expect("commit");
}

/// A live session of the owner.
pub(super) async fn insert_session(world: &World<'_>, begun: i64) -> Session {
    let (session, token) = new_session(&world.owner, begun);
    insert(world, &session, &token).await;
    session
}

async fn found(world: &World<'_>, token: &RefreshToken) -> Option<(Session, RefreshToken)> {
    world.within(Reach::Identity).await.sessions().lock_by_token(&token.digest).await.expect("look")
}

/// A session is what was written, by its id with its user, and by its token.
pub async fn a_session_reads_back_with_its_user(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let (session, token) = new_session(&world.owner, 0);
    insert(&world, &session, &token).await;

    let read = world.within(Reach::Identity).await.sessions().get(session.id).await.expect("read");
    let (unknown, _) = new_session(&world.owner, 0);
    let nobody = world.within(Reach::Identity).await.sessions().get(unknown.id).await.expect("read");

    assert_eq!(read, Some((session.clone(), world.owner.clone())));
    assert_eq!(nobody, None);
    assert_eq!(found(&world, &token).await, Some((session, token.clone())));
    assert_eq!(found(&world, &successor_of(&token, 1)).await, None);
}

/// A token that is replaced says by what; it cannot be replaced again.
pub async fn a_refresh_token_is_replaced_once(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let (session, first) = new_session(&world.owner, 0);
    insert(&world, &session, &first).await;
    let (second, third) = (successor_of(&first, 10), successor_of(&first, 11));
    let nonce = random_bytes();
    let mut tx = world.within(Reach::Identity).await;
    tx.sessions().rotate(&first.digest, &nonce, &second, Some("192.0.2.2")).await.expect("rotate");
    tx.commit().await.expect("commit");

    let again = world.within(Reach::Identity).await.sessions().rotate(&first.digest, &nonce, &third, None).await;

    assert!(matches!(again, Err(StorageError::Stale)), "{again:?}");
    let used = Session { last_used_at: at(10), ip_address: Some("192.0.2.2".into()), ..session };
    let replaced = RefreshToken { replaced: Some((at(10), nonce)), ..first.clone() };
    assert_eq!(found(&world, &first).await, Some((used.clone(), replaced)));
    assert_eq!(found(&world, &second).await, Some((used, second)));
    assert_eq!(found(&world, &third).await, None);
}

/// What cannot be used any more is not kept for ever.
pub async fn expired_refresh_tokens_are_forgotten_when_their_session_is_refreshed(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let (session, first) = new_session(&world.owner, 0);
    let (other_session, other) = new_session(&world.owner, 0);
    insert(&world, &session, &first).await;
    insert(&world, &other_session, &other).await;
    let (second, third) = (successor_of(&first, 90), successor_of(&first, 101));
    let mut tx = world.within(Reach::Identity).await;
    tx.sessions().rotate(&first.digest, &random_bytes(), &second, None).await.expect("rotate");
    tx.sessions().rotate(&second.digest, &random_bytes(), &third, None).await.expect("rotate");
    tx.commit().await.expect("commit");

    assert_eq!(found(&world, &first).await, None, "it expired at 100");
    assert!(found(&world, &second).await.is_some());
    assert!(found(&world, &other).await.is_some(), "another session's");
}

/// A list holds what is live, and nobody ends a stranger's session.
pub async fn sessions_are_listed_and_ended_by_their_user_alone(storage: &dyn Storage) {
    let (world, stranger) = (World::new(storage).await, World::new(storage).await);
    let (old, old_token) = new_session(&world.owner, 0);
    let (new, new_token) = new_session(&world.owner, 5);
    let (over, over_token) = new_session(&world.owner, 1);
    let over = Session { expires_at: at(50), ..over };
    for (session, token) in [(&old, &old_token), (&new, &new_token), (&over, &over_token)] {
        insert(&world, session, token).await;
    }
    let list =
        async || world.within(Reach::Identity).await.sessions().list(world.owner.id, at(50)).await.expect("list");
    let revoke = async |user: &User, id: SessionId| {
        let mut tx = world.within(Reach::Identity).await;
        let revoked = tx.sessions().revoke(user.id, id, at(50)).await.expect("revoke");
        tx.commit().await.expect("commit");
        revoked
    };

    assert_eq!(list().await, [new.clone(), old.clone()]);
    assert!(!revoke(&stranger.owner, new.id).await, "a stranger's");
    assert!(!revoke(&world.owner, over.id).await, "over");
    assert!(revoke(&world.owner, new.id).await);
    assert!(!revoke(&world.owner, new.id).await, "revoked");
    assert_eq!(list().await, [old]);
    let (read, _) = found(&world, &new_token).await.expect("it is kept");
    assert_eq!(read.revoked_at, Some(at(50)));
}

/// Everything but the session that asks.
pub async fn all_sessions_but_one_are_ended(storage: &dyn Storage) {
    let (world, stranger) = (World::new(storage).await, World::new(storage).await);
    let sessions: Vec<_> = (0..3).map(|begun| new_session(&world.owner, begun)).collect();
    let (theirs, their_token) = new_session(&stranger.owner, 0);
    for (session, token) in &sessions {
        insert(&world, session, token).await;
    }
    insert(&stranger, &theirs, &their_token).await;
    let end = async |keep: Option<SessionId>| {
        let mut tx = world.within(Reach::Identity).await;
        let ended = tx.sessions().revoke_all(world.owner.id, keep, at(50)).await.expect("revoke");
        tx.commit().await.expect("commit");
        ended
    };

    assert_eq!(end(Some(sessions[1].0.id)).await, 2);
    let left = world.within(Reach::Identity).await.sessions().list(world.owner.id, at(50)).await.expect("list");
    assert_eq!(left, [sessions[1].0.clone()]);
    assert_eq!((end(None).await, end(None).await), (1, 0));
    assert_eq!(
        world.within(Reach::Identity).await.sessions().list(stranger.owner.id, at(50)).await.expect("list"),
        [theirs]
    );
}

/// A session begins before its account is closed, and ends with it, or not at all: whoever begins one looks behind the lock.
pub async fn no_session_outlives_the_closing_of_its_account(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let begin = async |begun: i64| {
        let (session, token) = new_session(&world.owner, begun);
        let mut tx = world.within(Reach::Identity).await;
        let user = tx.users().lock(world.owner.id).await.expect("lock").expect("the account");
        if user.active {
            tx.sessions().insert(&session, &token).await.expect("insert");
            tx.commit().await.expect("commit");
        }
    };
    let close = async || {
        let mut tx = world.within(Reach::Identity).await;
        tx.users().lock_with_administrators(world.owner.id).await.expect("lock");
        tx.users().set_active(world.owner.id, false).await.expect("close");
        tx.sessions().revoke_all(world.owner.id, None, at(50)).await.expect("end");
        tx.commit().await.expect("commit");
    };

    for round in 0..5 {
        // The one first, then the other.
        let others = join_all((0..3).map(|number| begin(10 * round + number)));
        if round % 2 == 0 {
            drop(join(others, close()).await);
        } else {
            drop(join(close(), others).await);
        }

        let live = world.within(Reach::Identity).await.sessions().list(world.owner.id, at(50)).await.expect("list");
        assert_eq!(live, [], "round {round}");
        let mut tx = world.within(Reach::Identity).await;
        tx.users().set_active(world.owner.id, true).await.expect("open");
        tx.commit().await.expect("commit");
    }
}

/// Sessions are kept for a while after their end, and their tokens with them.
pub async fn sessions_that_are_over_are_forgotten(storage: &dyn Storage) {
    let world = World::new(storage).await;
    // Times of their own: other facts' sessions are in the same database.
    let long_ago = |seconds: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_000_000 + seconds);
    let mut made = Vec::new();
    for (revoked_at, expires_at) in [
        (Some(long_ago(10)), long_ago(100)),
        (None, long_ago(15)),
        (Some(long_ago(25)), long_ago(100)),
        (None, long_ago(30)),
    ] {
        let (session, token) = new_session(&world.owner, 0);
        let session = Session { revoked_at: None, expires_at, ..session };
        insert(&world, &session, &token).await;
        if let Some(at) = revoked_at {
            let mut tx = world.within(Reach::Identity).await;
            assert!(tx.sessions().revoke(world.owner.id, session.id, at).await.expect("revoke"));
            tx.commit().await.expect("commit");
        }
        made.push(token);
    }

    let mut tx = world.within(Reach::Identity).await;
    let gone = tx.sessions().purge(long_ago(20)).await.expect("purge");
    tx.commit().await.expect("commit");

    assert_eq!(gone, 2);
    let mut left = Vec::new();
    for token in &made {
        left.push(found(&world, token).await.is_some());
    }
    assert_eq!(left, [false, false, true, true]);
}

pub(super) fn new_api_token(user: &User, made: i64) -> ApiToken {
    ApiToken {
        id: ApiTokenId::from_random(u128::from_be_bytes(random_bytes())),
        user_id: user.id,
        tenant_id: user.tenant_id,
        acts_in: user.tenant_id,
        name: "deploys from CI".into(),
        prefix: "swt_1a2b3c4d".into(),
        digest: random_bytes(),
        scopes: [Scope::StoresWrite, Scope::StoresRead].into(),
        created_at: at(made),
        expires_at: at(1_000),
        last_used_at: None,
        revoked_at: None,
    }
}

pub(super) async fn insert_api_token(world: &World<'_>, token: &ApiToken) {
    let mut tx = world.within(Reach::Identity).await;
    tx.api_tokens().insert(token).await.expect("insert");
    tx.commit().await.expect("commit");
}

async fn by_digest(world: &World<'_>, token: &ApiToken) -> Option<(ApiToken, User)> {
    world.within(Reach::Identity).await.api_tokens().by_digest(&token.digest).await.expect("look")
}

/// An API token is what was written, with its user.
pub async fn an_api_token_reads_back_with_its_user(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let token = new_api_token(&world.owner, 0);
    insert_api_token(&world, &token).await;

    assert_eq!(by_digest(&world, &token).await, Some((token, world.owner.clone())));
    assert_eq!(by_digest(&world, &new_api_token(&world.owner, 0)).await, None);
}

/// A token that is used all the time is not written all the time.
pub async fn a_use_of_an_api_token_is_noted_once_in_a_while(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let token = new_api_token(&world.owner, 0);
    insert_api_token(&world, &token).await;
    let mut seen = Vec::new();
    for now in [100, 159, 160, 161] {
        let mut tx = world.within(Reach::Identity).await;
        tx.api_tokens().note_use(token.id, at(now), at(now - 60)).await.expect("note");
        tx.commit().await.expect("commit");
        seen.push(by_digest(&world, &token).await.and_then(|(token, _)| token.last_used_at));
    }

    assert_eq!(seen, [Some(at(100)), Some(at(100)), Some(at(100)), Some(at(161))]);
}

/// A list holds what was not revoked, and nobody revokes a stranger's.
pub async fn api_tokens_are_listed_and_revoked_by_their_user_alone(storage: &dyn Storage) {
    let (world, stranger) = (World::new(storage).await, World::new(storage).await);
    let (old, new) = (new_api_token(&world.owner, 0), new_api_token(&world.owner, 5));
    insert_api_token(&world, &old).await;
    insert_api_token(&world, &new).await;
    let revoke = async |user: &User, id: ApiTokenId| {
        let mut tx = world.within(Reach::Identity).await;
        let revoked = tx.api_tokens().revoke(user.id, id, at(50)).await.expect("revoke");
        tx.commit().await.expect("commit");
        revoked
    };
    let list = async || {
        let mut tx = world.within(Reach::Identity).await;
        let locked = tx.api_tokens().lock_of(world.owner.id).await.expect("lock");
        assert_eq!(tx.api_tokens().list(world.owner.id).await.expect("list"), locked);
        locked
    };

    assert_eq!(list().await, [new.clone(), old.clone()]);
    assert_eq!(revoke(&stranger.owner, new.id).await, None, "a stranger's");
    let revoked = ApiToken { revoked_at: Some(at(50)), ..new.clone() };
    assert_eq!(revoke(&world.owner, new.id).await, Some(revoked.clone()));
    assert_eq!(revoke(&world.owner, new.id).await, None, "revoked");
    assert_eq!(list().await, [old]);
    assert_eq!(by_digest(&world, &new).await.map(|(token, _)| token), Some(revoked));
}

/// All live tokens of a user are revoked, and nobody else's.
pub async fn all_api_tokens_of_a_user_are_revoked(storage: &dyn Storage) {
    let (world, stranger) = (World::new(storage).await, World::new(storage).await);
    let (mine, gone) = ([0, 5].map(|made| new_api_token(&world.owner, made)), new_api_token(&world.owner, 7));
    let theirs = new_api_token(&stranger.owner, 0);
    for token in mine.iter().chain([&gone, &theirs]) {
        insert_api_token(&world, token).await;
    }
    let mut tx = world.within(Reach::Identity).await;
    tx.api_tokens().revoke(world.owner.id, gone.id, at(8)).await.expect("revoke");

    assert_eq!(tx.api_tokens().revoke_all(world.owner.id, at(9)).await.expect("revoke"), 2);
    assert_eq!(tx.api_tokens().revoke_all(world.owner.id, at(10)).await.expect("revoke"), 0);
    tx.commit().await.expect("commit");

    let revoked_at = async |token| by_digest(&world, token).await.and_then(|(token, _)| token.revoked_at);
    assert_eq!((revoked_at(&mine[0]).await, revoked_at(&mine[1]).await), (Some(at(9)), Some(at(9))));
    assert_eq!((revoked_at(&gone).await, revoked_at(&theirs).await), (Some(at(8)), None));
}

/// Tokens are kept for a while after their end.
pub async fn api_tokens_that_are_over_are_forgotten(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let long_ago = |seconds: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_000_000 + seconds);
    let tokens: Vec<_> =
        [10, 30].map(|end| ApiToken { expires_at: long_ago(end), ..new_api_token(&world.owner, 0) }).into();
    for token in &tokens {
        insert_api_token(&world, token).await;
    }

    let mut tx = world.within(Reach::Identity).await;
    let gone = tx.api_tokens().purge(long_ago(20)).await.expect("purge");
    tx.commit().await.expect("commit");

    assert_eq!(gone, 1);
    assert_eq!(by_digest(&world, &tokens[0]).await, None);
    assert!(by_digest(&world, &tokens[1]).await.is_some());
}

/// Counters are what was written, key by key, until nobody looked for long.
pub async fn a_throttle_counts_under_its_key_alone(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let (key, other) = (random_bytes(), random_bytes());
    let counted = Throttle { failures: SignInFailures { count: 5, locked_until: Some(at(60)) }, rate: Some(at(70)) };
    let mut tx = world.within(Reach::Identity).await;
    assert_eq!(tx.throttles().lock(&key, at(1)).await.expect("lock"), Throttle::default());
    tx.throttles().put(&key, counted).await.expect("put");
    let unlocked = tx.throttles().put(&other, counted).await;
    assert!(matches!(unlocked, Err(StorageError::Stale)), "{unlocked:?}");
    tx.commit().await.expect("commit");
    let look = async |key: &[u8; 32], now: i64| {
        let mut tx = world.within(Reach::Identity).await;
        let found = tx.throttles().lock(key, at(now)).await.expect("lock");
        tx.commit().await.expect("commit");
        found
    };

    assert_eq!(look(&key, 2).await, counted);
    let read = world.within(Reach::Identity).await.throttles().get(&key).await.expect("read");
    let none = world.within(Reach::Identity).await.throttles().get(&random_bytes()).await.expect("read");
    assert_eq!((read, none), (counted, Throttle::default()));
    assert_eq!(look(&other, 2).await, Throttle::default());
    let mut tx = world.within(Reach::Identity).await;
    assert_eq!(tx.throttles().purge(at(2)).await.expect("purge"), 0, "looked at since");
    assert_eq!(tx.throttles().purge(at(3)).await.expect("purge"), 2);
    tx.commit().await.expect("commit");
    assert_eq!(look(&key, 4).await, Throttle::default());
}
