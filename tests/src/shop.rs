//! A shopper: cart, shipping, payment, order, by the shop's own HTTP API through the ingress. And the owner, who looks it up.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};

/// The address of a node that runs pods, and the values of images that are on it. `None`, said loudly, where there is none.
pub fn node() -> anyhow::Result<Option<(String, tempfile::TempDir)>> {
    if let (Ok(node_ip), Ok(values)) = (std::env::var("NODE_IP"), image_values()) {
        return Ok(Some((node_ip, values)));
    }
    anyhow::ensure!(
        std::env::var("SHOPWRIGHT_REQUIRE_TIERS").as_deref() != Ok("all"),
        "NODE_IP and images are required: run `make e2e`"
    );
    eprintln!("LEFT OUT: no node here; `make e2e` brings one up");
    Ok(None)
}

/// The values that name the images which `images/build` made, in a directory of their own.
fn image_values() -> anyhow::Result<tempfile::TempDir> {
    let cache = std::env::var("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|_| std::env::var("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    let out = cache.join("shopwright/images/out");
    let directory = tempfile::tempdir()?;
    for engine in ["medusa", "woocommerce"] {
        let from = out.join(format!("values-{engine}.yaml"));
        std::fs::copy(&from, directory.path().join(format!("{engine}.yaml")))
            .with_context(|| from.display().to_string())?;
    }
    Ok(directory)
}

/// Whether the WooCommerce image holds no plugin.
pub fn is_bare(values: &tempfile::TempDir) -> anyhow::Result<bool> {
    Ok(std::fs::read_to_string(values.path().join("woocommerce.yaml"))?.contains("bare: true"))
}

/// Something that somebody has left in a shop: an order, or where none can be placed a post. It is there as long as it reads as it did.
#[derive(Debug)]
pub struct Trace {
    /// Where it is shown.
    path: String,
    /// Whether the administrator alone sees it.
    is_private: bool,
    /// What is shown there.
    facts: Value,
}

/// Where WordPress is installed, changed and driven from outside; with what proxies and browsers leave as it is.
const WAYS_IN: [&str; 8] = [
    "/wp-admin/install.php",
    "/wp-admin/install.php?step=2",
    "/wp-admin//setup-config.php",
    "/wp-admin/upgrade.php",
    "/wp-config.php",
    "/xmlrpc.php",
    "/wp-cron.php",
    "/.shopwright-source.json",
];

/// One shop, as its shoppers reach it.
#[derive(Debug)]
pub struct Shop {
    http: Client,
    url: Url,
    email: String,
    username: String,
    password: String,
}

impl Shop {
    /// Everything goes to the node's ingress with the shop's own host (its name need not resolve).
    pub fn new(url: &str, node_ip: &str, store: &Value) -> anyhow::Result<Self> {
        let url: Url = url.parse()?;
        let host = url.host_str().context("a URL without a host")?.to_owned();
        let address = SocketAddr::new(node_ip.parse()?, 80);
        let http =
            Client::builder().no_proxy().resolve(&host, address).redirect(reqwest::redirect::Policy::none()).build()?;
        let credential = |key: &str| store["adminCredentials"][key].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            http,
            url,
            email: credential("email"),
            username: credential("username"),
            password: credential("password"),
        })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> anyhow::Result<(Value, reqwest::header::HeaderMap)> {
        let mut request = self.http.request(method, self.url.join(path)?);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok((serde_json::from_str(&text).with_context(|| format!("{path}: {text}"))?, headers))
    }

    /// An order, or where the image holds no plugin a post of the owner's.
    pub async fn leave_a_trace(&self, engine: &str, bare: bool) -> anyhow::Result<Trace> {
        match (engine, bare) {
            ("medusa", _) => self.order_from_medusa().await,
            (_, false) => self.order_from_woocommerce().await,
            (_, true) => self.post_to_wordpress().await,
        }
    }

    /// Looks up what was left, and expects it unchanged.
    pub async fn still_has(&self, trace: &Trace) -> anyhow::Result<()> {
        let now = self.look_up(&trace.path, trace.is_private).await?;
        anyhow::ensure!(now == trace.facts, "{} was {:#} and is {now:#}", trace.path, trace.facts);
        Ok(())
    }

    /// Whether a shopper gets the shop's front page.
    pub async fn serves(&self) -> anyhow::Result<()> {
        let response = self.http.get(self.url.join("/")?).send().await?;
        let status = response.status();
        anyhow::ensure!(status == StatusCode::OK, "the front page: {status}: {}", response.text().await?);
        Ok(())
    }

    /// Nobody but the shop's owner gets to what sets a shop up or changes its code (RELIABILITY S35): the answer is a refusal, and none of
    /// the engine's.
    pub async fn has_no_way_in(&self, engine: &str) -> anyhow::Result<()> {
        if engine == "medusa" {
            let response = self.http.post(self.url.join("/admin/users")?).json(&json!({})).send().await?;
            anyhow::ensure!(response.status() == StatusCode::UNAUTHORIZED, "/admin/users: {}", response.status());
            return Ok(());
        }
        for path in WAYS_IN {
            let response = self.http.get(self.url.join(path)?).send().await?;
            anyhow::ensure!(response.status() == StatusCode::FORBIDDEN, "{path}: {}", response.status());
        }
        Ok(())
    }

    /// What is on the way to this host before its shop is set up serves nobody: there is no answer of the engine's, an installer least of all.
    pub async fn serves_nobody(&self) -> anyhow::Result<()> {
        for path in ["/", "/wp-admin/install.php", "/app", "/admin/users"] {
            let response = self.http.get(self.url.join(path)?).send().await?;
            let status = response.status();
            let refused =
                matches!(status, StatusCode::NOT_FOUND | StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY);
            let text = response.text().await?;
            let of_the_ingress = text.len() < 100 && !text.contains('<');
            anyhow::ensure!(refused && of_the_ingress, "{path} is answered before the set-up: {status}: {text}");
        }
        Ok(())
    }

    /// Whether these credentials are the administrator's.
    pub async fn lets_the_administrator_in(&self, engine: &str) -> anyhow::Result<bool> {
        Ok(match engine {
            "medusa" => self.medusa_token().await?.is_some(),
            _ => self.wordpress_cookies().await?.is_some(),
        })
    }

    async fn look_up(&self, path: &str, is_private: bool) -> anyhow::Result<Value> {
        if !is_private {
            return Ok(self.call(Method::GET, path, &[], None).await?.0);
        }
        let bearer = self.bearer().await?;
        Ok(self.call(Method::GET, path, &[("authorization", &bearer)], None).await?.0)
    }

    async fn trace(&self, path: String, is_private: bool) -> anyhow::Result<Trace> {
        let facts = self.look_up(&path, is_private).await?;
        Ok(Trace { path, is_private, facts })
    }

    async fn medusa_token(&self) -> anyhow::Result<Option<String>> {
        let credentials = json!({"email": self.email, "password": self.password});
        let response = self.http.post(self.url.join("/auth/user/emailpass")?).json(&credentials).send().await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Ok(None);
        }
        let answer: Value = response.error_for_status()?.json().await?;
        Ok(answer["token"].as_str().map(str::to_owned))
    }

    async fn bearer(&self) -> anyhow::Result<String> {
        Ok(format!("Bearer {}", self.medusa_token().await?.context("the administrator is not let in")?))
    }

    /// An order in a Medusa shop, seen by its administrator.
    pub async fn order_from_medusa(&self) -> anyhow::Result<Trace> {
        let (config, _) = self.call(Method::GET, "/shop/config", &[], None).await?;
        let key = config
            .as_object()
            .and_then(|all| all.values().find_map(|value| value.as_str().filter(|text| text.starts_with("pk_"))));
        let key = key.context("no publishable key")?;
        let shopper = [("x-publishable-api-key", key)];
        let get = async |path: &str| anyhow::Ok(self.call(Method::GET, path, &shopper, None).await?.0);
        let post =
            async |path: &str, body: Value| anyhow::Ok(self.call(Method::POST, path, &shopper, Some(body)).await?.0);

        let region = &get("/store/regions").await?["regions"][0];
        let country = region["countries"][0]["iso_2"].as_str().context("a region without a country")?.to_owned();
        let region = region["id"].as_str().context("no region")?.to_owned();
        let products = get(&format!("/store/products?region_id={region}&fields=*variants.calculated_price")).await?;
        anyhow::ensure!(
            products["products"].as_array().is_some_and(|list| list.len() >= 8),
            "the seeded products: {products:#}"
        );
        let variant = products["products"][0]["variants"][0]["id"].as_str().context("no variant")?.to_owned();
        let cart = post("/store/carts", json!({"region_id": region, "email": "ada@example.com"})).await?["cart"]["id"]
            .as_str()
            .context("no cart")?
            .to_owned();
        post(&format!("/store/carts/{cart}/line-items"), json!({"variant_id": variant, "quantity": 2})).await?;
        let address = json!({"first_name": "Ada", "last_name": "L", "address_1": "1 Street", "city": "Town", "postal_code": "10115", "country_code": country});
        post(&format!("/store/carts/{cart}"), json!({"shipping_address": address, "billing_address": address})).await?;
        let options = get(&format!("/store/shipping-options?cart_id={cart}")).await?;
        let option = options["shipping_options"][0]["id"].as_str().context("no shipping option")?.to_owned();
        post(&format!("/store/carts/{cart}/shipping-methods"), json!({"option_id": option})).await?;
        let payment = post("/store/payment-collections", json!({"cart_id": cart})).await?["payment_collection"]["id"]
            .as_str()
            .context("no payment")?
            .to_owned();
        post(
            &format!("/store/payment-collections/{payment}/payment-sessions"),
            json!({"provider_id": "pp_system_default"}),
        )
        .await?;
        let done = post(&format!("/store/carts/{cart}/complete"), json!({})).await?;
        let order = done["order"]["id"].as_str().with_context(|| format!("no order: {done:#}"))?.to_owned();

        let (orders, _) =
            self.call(Method::GET, "/admin/orders", &[("authorization", &self.bearer().await?)], None).await?;
        let seen = orders["orders"].as_array().into_iter().flatten().any(|seen| seen["id"] == order.as_str());
        anyhow::ensure!(seen, "the administrator does not see {order}: {orders:#}");
        println!("medusa: order {order}, total {}", done["order"]["total"]);
        let fields = "id,display_id,status,email,total,created_at,*items";
        self.trace(format!("/admin/orders/{order}?fields={fields}"), true).await
    }

    /// An order with cash on delivery in a WooCommerce shop.
    pub async fn order_from_woocommerce(&self) -> anyhow::Result<Trace> {
        let api = "/wp-json/wc/store/v1";
        let (_, headers) = self.call(Method::GET, &format!("{api}/cart"), &[], None).await?;
        let token = headers.get("cart-token").context("no cart token")?.to_str()?.to_owned();
        let shopper = [("cart-token", token.as_str())];
        let (products, _) = self.call(Method::GET, &format!("{api}/products?sku=TSHIRT-001"), &[], None).await?;
        let product = &products[0]["id"];
        self.call(Method::POST, &format!("{api}/cart/add-item"), &shopper, Some(json!({"id": product, "quantity": 2})))
            .await?;
        let address = json!({"first_name": "Ada", "last_name": "L", "address_1": "1 Street", "city": "Beverly Hills", "state": "CA", "postcode": "90210",
            "country": "US", "email": "ada@example.com", "phone": "+12025550123"});
        let both = json!({"billing_address": address, "shipping_address": address});
        self.call(Method::POST, &format!("{api}/cart/update-customer"), &shopper, Some(both)).await?;
        let checkout = json!({"billing_address": address, "shipping_address": address, "payment_method": "cod", "payment_data": []});
        let (order, _) = self.call(Method::POST, &format!("{api}/checkout"), &shopper, Some(checkout)).await?;
        anyhow::ensure!(order["payment_result"]["payment_status"] == "success", "{order:#}");
        println!("woocommerce: order {}, {}", order["order_id"], order["status"]);
        self.sign_in_to_wordpress().await?;
        let key = order["order_key"].as_str().context("an order without a key")?;
        self.trace(format!("{api}/order/{}?key={key}&billing_email=ada@example.com", order["order_id"]), false).await
    }

    /// The administrator signs in with the credentials that the control plane shows.
    pub async fn sign_in_to_wordpress(&self) -> anyhow::Result<String> {
        let cookies = self.wordpress_cookies().await?.context("wp-login.php lets the administrator not in")?;
        println!("wordpress: signed in as {}", self.username);
        Ok(cookies)
    }

    /// The cookies of whoever is signed in.
    async fn wordpress_cookies(&self) -> anyhow::Result<Option<String>> {
        // Both are letters and digits: nothing to encode.
        let body = format!("log={}&pwd={}&testcookie=1", self.username, self.password);
        let request = self
            .http
            .post(self.url.join("/wp-login.php")?)
            .header("cookie", "wordpress_test_cookie=WP%20Cookie%20check");
        let response = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await?;
        anyhow::ensure!(!response.status().is_server_error(), "wp-login.php: {}", response.status());
        let set = response.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let cookies: Vec<_> = set.filter_map(|cookie| cookie.split(';').next()).collect();
        let signed_in = cookies.iter().any(|cookie| cookie.starts_with("wordpress_logged_in_"));
        Ok(signed_in.then(|| cookies.join("; ")))
    }

    /// What an owner of WordPress without a shop can leave: a post that everybody sees.
    async fn post_to_wordpress(&self) -> anyhow::Result<Trace> {
        let cookies = self.sign_in_to_wordpress().await?;
        let nonce = self.http.get(self.url.join("/wp-admin/admin-ajax.php?action=rest-nonce")?);
        let nonce = nonce.header("cookie", &cookies).send().await?.error_for_status()?.text().await?;
        let headers = [("cookie", cookies.as_str()), ("x-wp-nonce", nonce.trim())];
        let body = json!({"title": "Opening soon", "content": "We have 2 of everything.", "status": "publish"});
        let (post, _) = self.call(Method::POST, "/wp-json/wp/v2/posts", &headers, Some(body)).await?;
        println!("wordpress: post {}", post["id"]);
        self.trace(format!("/wp-json/wp/v2/posts/{}", post["id"]), false).await
    }
}
