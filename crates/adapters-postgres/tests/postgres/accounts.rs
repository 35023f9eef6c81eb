//! Accounts as those who run the platform see them: many of them, two administrators who end each other's at the same moment, and people
//! who come in just then.

use futures::future::join;
use shopwright_adapters_postgres::{MIGRATOR, PgStorage};
use shopwright_domain::UserId;
use shopwright_ports::storage::{Account, Reach, RefreshToken, Storage as _, StorageError, Transaction, UserFilter};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, Row as _};

use crate::shop::{Shop, now, storage, until};

const ROUNDS: u32 = 20;

/// Whether `own` is still active behind the lock, and so ends `other`'s account.
async fn ends(storage: &PgStorage, own: UserId, other: UserId) -> Result<bool, StorageError> {
    let mut tx = storage.begin(Reach::Identity).await?;
    let locked = tx.users().lock_with_administrators(other).await?;
    if !locked.iter().any(|user| user.id == own && user.active) {
        return Ok(false);
    }
    tx.users().set_active(other, false).await?;
    tx.commit().await?;
    Ok(true)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn of_two_who_end_each_others_account_one_stays(_: PgPoolOptions, options: PgConnectOptions) {
    let replicas = [storage(options.clone(), 2).await, storage(options.clone(), 2).await];
    Shop::open(&replicas[0], 1).await;
    let mut owner = options.connect().await.expect("connect");
    let pair = "insert into users (id, tenant_id, email, username, password_hash, role, active, created_at)
        select ('00000000-0000-4000-8000-00000000000' || n)::uuid, (select min(id::text)::uuid from tenants),
               'admin-' || n || '@example.com', 'admin-' || n, '', 'admin', true, now()
        from generate_series(8, 9) n";
    owner.execute(pair).await.expect("two administrators");
    let [one, other] = [8, 9].map(UserId::from_random);

    for round in 0..ROUNDS {
        owner.execute("update users set active = true").await.expect("both");
        let (first, second) = join(ends(&replicas[0], one, other), ends(&replicas[1], other, one)).await;
        let (first, second) = (first.expect("no circle"), second.expect("no circle"));

        assert!(first != second, "round {round}: {first} {second}");
    }
    for storage in replicas {
        storage.close().await;
    }
}

/// Closes an account and ends its sessions, all but the commit: the transaction, and how many ended.
async fn closing(storage: &PgStorage, id: UserId) -> (Box<dyn Transaction>, u32) {
    let mut tx = storage.begin(Reach::Identity).await.expect("begin");
    tx.users().lock_with_administrators(id).await.expect("lock");
    tx.users().set_active(id, false).await.expect("close");
    let ended = tx.sessions().revoke_all(id, None, now()).await.expect("end");
    (tx, ended)
}

/// What comes of `second`, which waits until `first` is committed.
async fn behind<T>(observer: &mut PgConnection, first: Box<dyn Transaction>, second: impl Future<Output = T>) -> T {
    let commit = async {
        until("the second waits for the first", async || {
            let waiting = "select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock'";
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *observer).await.expect("look") > 0
        })
        .await;
        first.commit().await.expect("commit");
    };
    join(commit, second).await.1
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_that_begins_while_its_account_is_closed_ends_with_it(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 4).await;
    let shop = Shop::open(&storage, 1).await;
    let id = UserId::from_uuid(shop.tenant.as_uuid());
    let mut observer = options.connect().await.expect("connect");
    let (session, token) = shop.session(1);
    let mut signing_in = storage.begin(Reach::Identity).await.expect("begin");
    assert!(signing_in.users().lock(id).await.expect("lock").is_some_and(|user| user.active));
    signing_in.sessions().insert(&session, &token).await.expect("insert");

    let (closing, ended) = behind(&mut observer, signing_in, closing(&storage, id)).await;
    assert_eq!(ended, 1, "the closing waited for it");

    let late = async {
        let mut tx = storage.begin(Reach::Identity).await.expect("begin");
        tx.users().lock(id).await.expect("lock").expect("the account")
    };
    assert!(!behind(&mut observer, closing, late).await.active, "whoever comes later waited for the closing");
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_that_is_refreshed_while_its_account_is_closed_is_over(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 4).await;
    let shop = Shop::open(&storage, 1).await;
    let id = UserId::from_uuid(shop.tenant.as_uuid());
    let mut observer = options.connect().await.expect("connect");
    let (session, token) = shop.session(1);
    let mut tx = storage.begin(Reach::Identity).await.expect("begin");
    tx.sessions().insert(&session, &token).await.expect("insert");
    tx.commit().await.expect("commit");
    let mut refreshing = storage.begin(Reach::Identity).await.expect("begin");
    refreshing.sessions().lock_by_token(&token.digest).await.expect("lock").expect("the token");
    let successor = RefreshToken { digest: [2; 32], ..token.clone() };
    refreshing.sessions().rotate(&token.digest, &[0; 16], &successor, None).await.expect("rotate");

    let (closing, ended) = behind(&mut observer, refreshing, closing(&storage, id)).await;
    assert_eq!(ended, 1, "with its new token");

    let late = async {
        let mut tx = storage.begin(Reach::Identity).await.expect("begin");
        tx.sessions().lock_by_token(&successor.digest).await.expect("lock").expect("the token").0
    };
    assert!(!behind(&mut observer, closing, late).await.is_live(now()), "whoever comes later sees its end");
    storage.close().await;
}

/// How many rows of these tables were read one after another so far, and how many by an index.
async fn reads(observer: &mut PgConnection) -> (i64, i64) {
    observer.execute("select pg_stat_force_next_flush()").await.expect("flush");
    let row = sqlx::query(
        "select coalesce(sum(seq_tup_read), 0)::bigint, coalesce(sum(idx_tup_fetch), 0)::bigint
         from pg_stat_user_tables where relname in ('users', 'sessions', 'api_tokens')",
    )
    .fetch_one(observer)
    .await
    .expect("look");
    (row.get(0), row.get(1))
}

/// 20,000 accounts with two sessions each.
const MANY: &str = "
    insert into users (id, tenant_id, email, username, password_hash, role, active, created_at)
    select gen_random_uuid(), (select min(id::text)::uuid from tenants), 'many-' || n || '@example.com', 'many-' || n, '',
           'tenant', true, now() - n * interval '1 second'
    from generate_series(1, 20000) n;
    insert into sessions (id, user_id, tenant_id, created_at, last_used_at, expires_at)
    select gen_random_uuid(), u.id, u.tenant_id, now(), now(), now() + interval '1 day' from users u, generate_series(1, 2);
    analyze users; analyze sessions; analyze api_tokens";

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_page_of_accounts_is_read_along_its_index(_: PgPoolOptions, options: PgConnectOptions) {
    const PAGES: i64 = 40;
    let storage = storage(options.clone(), 1).await;
    Shop::open(&storage, 1).await;
    let mut observer = options.connect().await.expect("connect");
    observer.execute(MANY).await.expect("many rows");
    let before = reads(&mut observer).await;

    let mut filter = UserFilter::default();
    for _ in 0..PAGES {
        let mut tx = storage.begin(Reach::Identity).await.expect("begin");
        let page = tx.users().accounts(&filter, 50, now()).await.expect("a page");
        assert_eq!(page.len(), 50);
        filter.after = page.last().map(Account::place);
    }
    storage.close().await;

    // The statistics are told when their session ends.
    let mut seen = (0, 0);
    until("the session has told what it read", async || {
        seen = reads(&mut observer).await;
        seen.1 - before.1 >= PAGES * 50
    })
    .await;
    let read = seen.1 - before.1;
    println!("{PAGES} pages of 50 of 20,000 accounts: {read} rows were read by indexes");
    assert_eq!(seen.0 - before.0, 0, "rows that were read one after another");
    // A page's accounts with their sessions, and the one behind which it begins.
    assert!(read < PAGES * 50 * 4, "{read} rows");
}
