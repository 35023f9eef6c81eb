//! What people and operators keep to themselves: none of it is in the server's log, in its environment, at rest in its database or in what
//! it exports (RELIABILITY S38, S40, S41).

use reqwest::{Client, Method, StatusCode};
use serde_json::json;
use shopwright_system_tests::real::{Detached, Server};
use sqlx::{Connection as _, PgConnection, Row as _};

use crate::people::{get, insist, post, send};

const PERSON: &str = "pelican-riverbank-42";
const GUESS: &str = "pelican-guess-17";
const NEXT: &str = "pelican-harbour-43";
const STORE: &str = "pelican-storekeeper-44";
const OPERATOR: &str = "pelican-operator-45";
const SEALING: &str = "K4mQx8vTz1LbWc7RyNd3HsJf6UgPa9EoI2tXq5BkVhM=";
const PEPPER: &str = "R8nZc3XkVb6MqLw1TyHd9JfSgPa4UoE7iQ2tKx5BvWs=";

/// Everything that is in the database, as text; bytes are hexadecimal.
async fn everything(url: &str) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(url).await?;
    let tables = sqlx::query("select tablename from pg_tables where schemaname = 'public'").fetch_all(&mut connection);
    let mut text = String::new();
    for table in tables.await? {
        let table: String = table.get(0);
        let rows = format!("select coalesce(string_agg(row_to_json(t)::text, ' '), '') from \"{table}\" t");
        text.push_str(&sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(rows)).fetch_one(&mut connection).await?);
    }
    Ok(text)
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A server whose own secrets come from files.
async fn server(parts: &mut Detached, directory: &tempfile::TempDir) -> anyhow::Result<Server> {
    for (name, secret) in
        [("SHOPWRIGHT_SECRET_KEY", SEALING), ("SHOPWRIGHT_PASSWORD_PEPPER", PEPPER), ("ADMIN_PASSWORD", OPERATOR)]
    {
        let path = directory.path().join(name);
        std::fs::write(&path, secret)?;
        parts.settings.retain(|(other, _)| other != name);
        parts.settings.push((format!("{name}_FILE"), path.display().to_string()));
    }
    parts.server().await
}

#[tokio::test]
async fn s38_no_secret_is_in_the_log_the_environment_the_database_or_an_export() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let mut parts = Detached::create(&[("RUST_LOG", "debug"), ("ADMIN_EMAIL", "root@example.com")]).await?;
    let server = server(&mut parts, &directory).await?;
    let (http, base) = (Client::new(), server.base.as_str());
    let mut secrets: Vec<String> = [PERSON, GUESS, NEXT, STORE, OPERATOR, SEALING, PEPPER].map(str::to_owned).to_vec();
    let account = json!({"email": "ada@example.com", "username": "ada", "password": PERSON});
    let ada = post(&http, base, "/auth/register", None, None, &account).await?.json();
    let token = ada["token"].as_str().unwrap_or_default().to_owned();
    let guess = json!({"email": "ada@example.com", "password": GUESS});
    assert_eq!(post(&http, base, "/auth/login", None, None, &guess).await?.status, StatusCode::UNAUTHORIZED);
    let refresh = json!({"refreshToken": ada["refreshToken"]});
    let refreshed = post(&http, base, "/auth/refresh", None, None, &refresh).await?.json();
    let wanted = json!({"name": "CI", "scopes": ["stores:read"]});
    let api_token = post(&http, base, "/auth/tokens", Some(&token), None, &wanted).await?.json();
    let company = post(&http, base, "/organisations", Some(&token), None, &json!({"name": "Tea"})).await?.json();
    let invitations = format!("/organisations/{}/invitations", company["organisation"]["id"].as_str().unwrap_or("?"));
    let invited = post(&http, base, &invitations, Some(&token), Some("once"), &json!({"role": "viewer"})).await?.json();
    let store = json!({"name": "teashop", "engine": "medusa", "password": STORE});
    assert_eq!(post(&http, base, "/stores", Some(&token), Some("k"), &store).await?.status, StatusCode::ACCEPTED);
    assert_eq!(insist(&http, base, &token, None, "coffee").await?.status, StatusCode::ACCEPTED);
    let change = json!({"currentPassword": PERSON, "newPassword": NEXT});
    let url = format!("{base}/api/v1/auth/password");
    let changed = send(&http, Method::PATCH, &url, Some(&token), None, Some(&change)).await?;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let sign_in = json!({"email": "root@example.com", "password": OPERATOR});
    let root = post(&http, base, "/auth/login", None, None, &sign_in).await?.json();
    for answer in [&ada, &refreshed, &api_token, &invited, &root] {
        for field in ["token", "refreshToken"] {
            secrets.extend(answer[field].as_str().map(str::to_owned));
        }
    }
    assert_eq!(secrets.len(), 7 + 8, "{ada} {refreshed} {api_token} {invited} {root}");

    let export = get(&http, base, "/audit/export", root["token"].as_str()).await?;
    assert!(export.text.lines().count() > 8, "{}", export.text);
    let (log, rest) = (server.log(), everything(&parts.database.url).await?);
    // Only root may look, and nobody else at all.
    let environment = std::fs::read(format!("/proc/{}/environ", server.pid().as_raw_nonzero())).unwrap_or_default();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    assert!(log.contains(" debug ") && rest.contains("ada@example.com"), "there is nothing to look at");
    for secret in &secrets {
        for (place, text) in
            [("log", &log), ("environment", &environment), ("export", &export.text), ("database", &rest)]
        {
            assert!(!text.contains(secret.as_str()), "{secret} is in the {place}");
        }
        assert!(!rest.contains(&hex(secret)), "{secret} is in the database, in bytes");
    }
    println!("{} secrets were looked for in {} KiB", secrets.len(), (log.len() + rest.len()) / 1024);
    Ok(())
}
