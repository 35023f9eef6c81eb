//! An organisation with members of every role, a store, an invitation; and everybody's tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use shopwright_domain::Scope;
use shopwright_domain::identity::PlatformRole;
use shopwright_domain::organisation::Role;
use shopwright_system_tests::Mocked;

use crate::callers::{Caller, ordinary};

const PASSWORD: &str = "correct horse battery";
const NOBODYS: &str = "00000000-0000-4000-8000-0000000000ff";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) code: String,
}

/// The company, and what everybody comes with.
pub(crate) struct Company {
    http: Client,
    base: String,
    id: String,
    store: String,
    operation: String,
    /// Somebody to manage.
    member: String,
    invitation: (String, String),
    /// Access tokens by name.
    sessions: BTreeMap<&'static str, String>,
    /// API tokens by who made them and what they are good for.
    tokens: BTreeMap<(&'static str, Vec<Scope>), String>,
    owners_own: String,
}

const fn name_of(role: Role) -> &'static str {
    match role {
        Role::Owner => "olga",
        Role::Admin => "adam",
        Role::Developer => "dora",
        Role::Viewer => "vera",
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().with_context(|| format!("no text: {value}"))?.to_owned())
}

impl Company {
    pub(crate) async fn found(world: &Mocked) -> anyhow::Result<Self> {
        let mut company = Self {
            http: Client::new(),
            base: world.base.clone(),
            id: String::new(),
            store: String::new(),
            operation: String::new(),
            member: String::new(),
            invitation: (String::new(), String::new()),
            sessions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            owners_own: String::new(),
        };
        for name in ["olga", "adam", "dora", "vera", "tom", "sam", "fred", "root", "late", "gone"] {
            let account = json!({"email": format!("{name}@example.com"), "username": name, "password": PASSWORD});
            let answer = company.call(Method::POST, "/auth/register", None, None, Some(account)).await?;
            company.sessions.insert(name, text(&answer["token"])?);
        }
        company.make_administrator(world).await?;
        let made = company.by("olga", Method::POST, "/organisations", Some(json!({"name": "Tea & Co"}))).await?;
        company.id = text(&made["organisation"]["id"])?;
        let own = company.by("olga", Method::GET, "/organisations", None).await?;
        company.owners_own = text(&own["organisations"][0]["id"])?;
        let joins =
            [("adam", "admin"), ("dora", "developer"), ("vera", "viewer"), ("tom", "viewer"), ("fred", "admin")];
        for (name, role) in joins {
            let (_, token) = company.invite(role).await?;
            company.by(name, Method::POST, "/invitations/accept", Some(json!({"token": token}))).await?;
        }
        company.member = company.user("tom").await?;
        let former = format!("/organisations/{}/members/{}", company.id, company.user("fred").await?);
        company.by("olga", Method::DELETE, &former, None).await?;
        company.invitation = company.invite("viewer").await?;
        company.open_shop(world).await?;
        company.make_tokens().await?;
        company.end_what_is_over(world).await?;
        Ok(company)
    }

    async fn user(&self, name: &str) -> anyhow::Result<String> {
        let members = self.by("olga", Method::GET, &format!("/organisations/{}/members", self.id), None).await?;
        let members = members["members"].as_array().cloned().unwrap_or_default();
        let member = members.iter().find(|member| member["username"] == name);
        text(&member.context("a member")?["userId"])
    }

    async fn make_administrator(&self, world: &Mocked) -> anyhow::Result<()> {
        let mut rows = world.storage.snapshot().await;
        let root = rows.users.iter_mut().find(|user| user.username.as_str() == "root");
        root.context("the account")?.role = PlatformRole::Admin;
        world.storage.restore(&rows).await;
        Ok(())
    }

    async fn invite(&self, role: &str) -> anyhow::Result<(String, String)> {
        let path = format!("/organisations/{}/invitations", self.id);
        let made = self.by("olga", Method::POST, &path, Some(json!({"role": role}))).await?;
        Ok((text(&made["invitation"]["id"])?, text(&made["token"])?))
    }

    /// A store that is ready: nothing happens to it by itself any more.
    async fn open_shop(&mut self, world: &Mocked) -> anyhow::Result<()> {
        let olga = Some(self.sessions["olga"].as_str());
        let wish = json!({"name": "teashop", "engine": "medusa"});
        let made = self.call(Method::POST, "/stores", olga, Some(&self.id), Some(wish)).await?;
        self.store = text(&made["store"]["id"])?;
        let path = format!("/stores/{}", self.store);
        for _ in 0..2_000 {
            let seen = self.call(Method::GET, &path, olga, Some(&self.id), None).await?;
            if seen["store"]["status"] == "ready" {
                self.operation = text(&seen["store"]["operation"]["id"])?;
                return Ok(());
            }
            world.let_time_pass().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        anyhow::bail!("the store never became ready")
    }

    async fn make_tokens(&mut self) -> anyhow::Result<()> {
        let mut wanted = Vec::new();
        for caller in Caller::all() {
            match caller {
                Caller::Token(role, scopes) => wanted.push((name_of(role), scopes)),
                Caller::AdministratorToken(scopes) => wanted.push(("root", scopes)),
                _ => {}
            }
        }
        wanted.extend([("late", ordinary(|_| true)), ("gone", ordinary(|_| true))]);
        for (name, scopes) in wanted {
            let inside = matches!(name, "olga" | "vera").then_some(self.id.as_str());
            let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            let body = json!({"name": "CI", "scopes": words});
            let session = Some(self.sessions[name].as_str());
            let made = self.call(Method::POST, "/auth/tokens", session, inside, Some(body)).await?;
            if name == "gone" {
                let path = format!("/auth/tokens/{}", text(&made["apiToken"]["id"])?);
                self.call(Method::DELETE, &path, session, None, None).await?;
            }
            self.tokens.insert((name, scopes), text(&made["token"])?);
        }
        self.by("gone", Method::DELETE, "/auth/sessions", None).await?;
        Ok(())
    }

    /// What belongs to `late` is over.
    async fn end_what_is_over(&self, world: &Mocked) -> anyhow::Result<()> {
        let mut rows = world.storage.snapshot().await;
        let late = rows.users.iter().find(|user| user.username.as_str() == "late").context("the account")?.id;
        for session in rows.sessions.iter_mut().filter(|session| session.user_id == late) {
            session.expires_at = session.created_at;
        }
        for token in rows.api_tokens.iter_mut().filter(|token| token.user_id == late) {
            token.expires_at = token.created_at;
        }
        world.storage.restore(&rows).await;
        Ok(())
    }

    async fn by(&self, name: &str, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        self.call(method, path, Some(self.sessions[name].as_str()), None, body).await
    }

    /// A request that must succeed.
    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        organisation: Option<&str>,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self.http.request(method.clone(), format!("{}/api/v1{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(organisation) = organisation {
            request = request.header("x-organisation", organisation);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let (status, body) = (response.status(), response.json::<Value>().await?);
        anyhow::ensure!(status.is_success(), "{method} {path}: {status} {body}");
        Ok(body)
    }

    /// The route's path with the company's things in it.
    fn path(&self, pattern: &str) -> String {
        let id = match pattern.trim_start_matches("/api/v1/").split('/').next() {
            Some("stores") => &self.store,
            Some("operations") => &self.operation,
            Some("organisations") => &self.id,
            _ => NOBODYS,
        };
        let path = pattern.replace("{id}", id).replace("{userId}", &self.member);
        path.replace("{invitationId}", &self.invitation.0).replace("{file}", "swagger-ui.css")
    }

    /// A body that is as it should be.
    fn body(&self, route: &str) -> Option<Value> {
        let body = match route {
            "POST /api/v1/auth/register" => {
                json!({"email": "nina@example.com", "username": "nina", "password": PASSWORD})
            }
            "POST /api/v1/auth/login" => json!({"email": "olga@example.com", "password": PASSWORD}),
            "POST /api/v1/auth/refresh" => json!({"refreshToken": "swr_unknown"}),
            "PATCH /api/v1/auth/password" => json!({"currentPassword": PASSWORD, "newPassword": "another password"}),
            "POST /api/v1/auth/tokens" => json!({"name": "CI", "scopes": ["stores:read"]}),
            "POST /api/v1/organisations" | "PATCH /api/v1/organisations/{id}" => json!({"name": "Coffee & Co"}),
            "PATCH /api/v1/organisations/{id}/members/{userId}" => json!({"role": "developer"}),
            "POST /api/v1/organisations/{id}/invitations" => json!({"role": "viewer"}),
            "POST /api/v1/invitations/inspect" | "POST /api/v1/invitations/accept" => {
                json!({"token": self.invitation.1})
            }
            "PATCH /api/v1/platform/users/{id}" => json!({"active": false}),
            "POST /api/v1/stores/{id}/credentials/rotate" => json!({"targets": ["administrator"]}),
            "POST /api/v1/stores" => json!({"name": "coffeeshop", "engine": "medusa"}),
            _ => return None,
        };
        Some(body)
    }

    /// The header `Authorization`, and the organisation that is named.
    fn credentials(&self, caller: &Caller) -> (Option<String>, Option<&str>) {
        let company = Some(self.id.as_str());
        let session = |name: &str| Some(format!("Bearer {}", self.sessions[name]));
        let token = |name, scopes: &[Scope]| Some(format!("Bearer {}", self.tokens[&(name, scopes.to_vec())]));
        match caller {
            Caller::Nobody => (None, None),
            Caller::Malformed(header) => (Some((*header).to_owned()), None),
            Caller::Forged => (Some(format!("Bearer swt_1a2b3c4d_{}", "x".repeat(40))), None),
            Caller::ExpiredSession => (session("late"), None),
            Caller::RevokedSession => (session("gone"), None),
            Caller::ExpiredToken => (token("late", &ordinary(|_| true)), None),
            Caller::RevokedToken => (token("gone", &ordinary(|_| true)), None),
            Caller::Member(role) => (session(name_of(*role)), company),
            Caller::OwnerElsewhere => (session("olga"), None),
            Caller::Stranger => (session("sam"), None),
            Caller::Intruder => (session("sam"), company),
            Caller::Former => (session("fred"), company),
            Caller::Administrator => (session("root"), None),
            Caller::AdministratorInside => (session("root"), company),
            Caller::Token(role, scopes) => (token(name_of(*role), scopes), None),
            Caller::TokenElsewhere => (token("olga", &ordinary(|_| true)), Some(self.owners_own.as_str())),
            Caller::AdministratorToken(scopes) => (token("root", scopes), None),
        }
    }

    /// Asks for a route in somebody's name.
    pub(crate) async fn ask(&self, route: &str, caller: &Caller) -> anyhow::Result<Answer> {
        let (method, pattern) = route.split_once(' ').context("a route")?;
        let url = format!("{}{}", self.base, self.path(pattern));
        let mut request = self.http.request(method.parse()?, url);
        let (authorization, organisation) = self.credentials(caller);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(organisation) = organisation {
            request = request.header("x-organisation", organisation);
        }
        if let Some(body) = self.body(route) {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        // A stream has no end: what was allowed is not read.
        let body = if status < 400 { Value::Null } else { response.json().await.unwrap_or_default() };
        Ok(Answer { status, code: body["error"]["code"].as_str().unwrap_or_default().to_owned() })
    }
}
