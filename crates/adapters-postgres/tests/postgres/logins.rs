//! Who may become which of the roles that transactions run as (DECISIONS 22).

use secrecy::SecretString;
use shopwright_adapters_postgres::{PgSettings, PgStorage};
use shopwright_domain::TenantId;
use shopwright_ports::storage::{Reach, Storage as _};

use crate::own_server::{ROLE, Server};
use crate::shop::Shop;

const ROLES: [&str; 4] = ["shopwright_identity", "shopwright_api", "shopwright_platform", "shopwright_worker"];

async fn connect(server: &Server, login: &str) -> PgStorage {
    PgStorage::open(server.options(login), PgSettings::default()).await.expect("connect")
}

#[tokio::test]
async fn a_login_that_may_make_no_roles_says_what_to_run() {
    let server = Server::start("").await;
    server.execute(&format!("alter role {ROLE} nocreaterole")).await;
    let storage = connect(&server, ROLE).await;

    let words = storage.migrate().await.expect_err("it may make none").to_string();
    assert!(words.contains("run `create role shopwright_identity nologin"), "{words}");
    for role in ROLES {
        server.execute(&format!("create role {role} nologin")).await;
    }
    let words = storage.migrate().await.expect_err("it may grant none").to_string();
    assert!(words.contains(&format!("run `grant shopwright_api to {ROLE}`")), "{words}");
    for role in ROLES {
        server.execute(&format!("grant {role} to {ROLE}")).await;
    }

    storage.migrate().await.expect("an administrator made them");
    server.execute("alter role shopwright_worker bypassrls").await;
    let words = storage.migrate().await.expect_err("a role too powerful").to_string();
    assert!(words.starts_with("the role shopwright_worker has rights that pass row-level security"), "{words}");
    storage.close().await;
}

#[tokio::test]
async fn each_login_becomes_what_it_is_for_and_nothing_else() {
    let server = Server::start("").await;
    for login in ["web", "hand"] {
        server.execute(&format!("create role {login} login noinherit")).await;
    }
    let owner = connect(&server, ROLE).await;
    let (web, hand) = (server.url("web"), server.url("hand"));

    // Two at once, as when two replicas start.
    let (one, other) = futures::join!(owner.migrate_for(&web, &hand), owner.migrate_for(&web, &hand));
    one.and(other).expect("migrated");
    let shop = Shop::open(&owner, 1).await;
    let (web, hand) = (connect(&server, "web").await, connect(&server, "hand").await);

    for reach in [Reach::Identity, Reach::Tenant(shop.tenant), Reach::Platform] {
        drop(web.begin(reach).await.expect("the API's"));
        let words = hand.begin(reach).await.map(|_| ()).expect_err("not the worker's").to_string();
        assert!(words.contains("run `shopwright migrate`"), "{words}");
    }
    drop(hand.begin(Reach::Worker).await.expect("the worker's"));
    assert!(web.begin(Reach::Worker).await.is_err(), "not the API's");
    web.check().await.expect("the schema is up to date");
    hand.check().await.expect("the schema is up to date");

    // Outside its roles a login sees nothing.
    let mut session = sqlx::ConnectOptions::connect(&server.options("web")).await.expect("connect");
    let bare = sqlx::query("select from stores").execute(&mut session).await;
    assert!(bare.is_err_and(|error| error.to_string().contains("permission denied")));
    for storage in [owner, web, hand] {
        storage.close().await;
    }
}

#[tokio::test]
async fn a_login_without_its_roles_is_told_so() {
    let server = Server::start("").await;
    server.execute("create role stranger login").await;
    let owner = connect(&server, ROLE).await;
    owner.migrate().await.expect("migrate");
    let stranger = connect(&server, "stranger").await;

    let words = stranger.begin(Reach::Tenant(TenantId::from_random(1))).await.map(|_| ()).expect_err("no member");

    let expected =
        "this login cannot become the role shopwright_api: run `shopwright migrate`, which makes and grants it";
    assert_eq!(words.to_string(), expected);
    stranger.close().await;
    owner.close().await;
}

impl Server {
    fn url(&self, login: &str) -> SecretString {
        format!("postgres://{login}@127.0.0.1:{}/shop?sslmode=disable", self.port()).into()
    }
}
