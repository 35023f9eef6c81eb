//! What a merchant's program does: plain HTTP with a token.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// One answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, or null when there is none.
    pub body: Value,
    /// `Location`, where there is one.
    pub location: Option<String>,
}

impl Answer {
    /// The machine-readable code of an error.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// What it says to people.
    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}

/// Somebody who is signed in, or not.
#[derive(Debug, Clone)]
pub struct Merchant {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    /// Their address.
    pub email: String,
}

/// The password of every merchant in tests.
pub const PASSWORD: &str = "correct horse battery";

impl Merchant {
    /// Nobody in particular.
    pub fn anonymous(base: &str) -> Self {
        Self { http: reqwest::Client::new(), base: base.to_owned(), token: None, email: String::new() }
    }

    /// Registers an account of this name and signs it in.
    ///
    /// # Errors
    /// The transport's error, or the answer when it is not 201.
    pub async fn register(base: &str, name: &str) -> anyhow::Result<Self> {
        let mut merchant = Self::anonymous(base);
        merchant.email = format!("{name}@example.com");
        let body = json!({"email": merchant.email, "username": name, "password": PASSWORD});
        let answer = merchant.post("/auth/register", &body).await?;
        anyhow::ensure!(answer.status == StatusCode::CREATED, "registration: {answer:?}");
        merchant.token = answer.body["token"].as_str().map(str::to_owned);
        Ok(merchant)
    }

    /// Signs in.
    ///
    /// # Errors
    /// The transport's error, or the answer when it is not 200.
    pub async fn login(base: &str, email: &str, password: &str) -> anyhow::Result<Self> {
        let mut merchant = Self::anonymous(base);
        email.clone_into(&mut merchant.email);
        let answer = merchant.post("/auth/login", &json!({"email": email, "password": password})).await?;
        anyhow::ensure!(answer.status == StatusCode::OK, "sign-in: {answer:?}");
        merchant.token = answer.body["token"].as_str().map(str::to_owned);
        Ok(merchant)
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The same person at another server of the same installation.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let location = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = response.text().await?;
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
        Ok(Answer { status, body, location })
    }

    /// `GET`.
    ///
    /// # Errors
    /// The transport's error, or a body that is no JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, None).await
    }

    /// `POST` with a body.
    ///
    /// # Errors
    /// As [`Merchant::get`].
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// As [`Merchant::get`].
    pub async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::DELETE, path, None).await
    }

    /// Asks for a store and returns it as accepted.
    ///
    /// # Errors
    /// The transport's error, or the answer when it is not 202.
    pub async fn create(&self, name: &str, engine: &str) -> anyhow::Result<Value> {
        let answer = self.post("/stores", &json!({"name": name, "engine": engine})).await?;
        anyhow::ensure!(answer.status == StatusCode::ACCEPTED, "create: {answer:?}");
        Ok(answer.body["store"].clone())
    }

    /// One store.
    ///
    /// # Errors
    /// The transport's error, or the answer when it is not 200.
    pub async fn store(&self, id: &str) -> anyhow::Result<Value> {
        let answer = self.get(&format!("/stores/{id}")).await?;
        anyhow::ensure!(answer.status == StatusCode::OK, "store: {answer:?}");
        Ok(answer.body["store"].clone())
    }
}

/// The id of a store as the API shows it.
pub fn id_of(store: &Value) -> String {
    store["id"].as_str().unwrap_or_default().to_owned()
}
