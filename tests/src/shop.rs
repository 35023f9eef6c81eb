//! A shopper: cart, shipping, payment, order, by the shop's own HTTP API through the ingress.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

/// The values that name the images which `images/build` made, in a directory of their own.
pub(crate) fn image_values() -> anyhow::Result<tempfile::TempDir> {
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
pub(crate) fn is_bare(values: &tempfile::TempDir) -> anyhow::Result<bool> {
    Ok(std::fs::read_to_string(values.path().join("woocommerce.yaml"))?.contains("bare: true"))
}

/// One shop, as its shoppers reach it.
pub(crate) struct Shop {
    http: Client,
    url: Url,
    email: String,
    username: String,
    password: String,
}

impl Shop {
    /// Everything goes to the node's ingress with the shop's own host (its name need not resolve).
    pub(crate) fn new(url: &str, node_ip: &str, store: &Value) -> anyhow::Result<Self> {
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

    /// An order in a Medusa shop, seen by its administrator.
    pub(crate) async fn order_from_medusa(&self) -> anyhow::Result<()> {
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

        let credentials = json!({"email": self.email, "password": self.password});
        let token = self.call(Method::POST, "/auth/user/emailpass", &[], Some(credentials)).await?.0;
        let bearer = format!("Bearer {}", token["token"].as_str().context("no admin token")?);
        let (orders, _) = self.call(Method::GET, "/admin/orders", &[("authorization", &bearer)], None).await?;
        anyhow::ensure!(orders["orders"][0]["id"] == order.as_str(), "the administrator sees it: {orders:#}");
        println!("medusa: order {order}, total {}", done["order"]["total"]);
        Ok(())
    }

    /// An order with cash on delivery in a WooCommerce shop.
    pub(crate) async fn order_from_woocommerce(&self) -> anyhow::Result<()> {
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
        self.sign_in_to_wordpress().await
    }

    /// The administrator signs in with the credentials that the control plane shows.
    pub(crate) async fn sign_in_to_wordpress(&self) -> anyhow::Result<()> {
        // Both are letters and digits: nothing to encode.
        let body = format!("log={}&pwd={}&testcookie=1", self.username, self.password);
        let request = self
            .http
            .post(self.url.join("/wp-login.php")?)
            .header("cookie", "wordpress_test_cookie=WP%20Cookie%20check");
        let response = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await?;
        let signed_in = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .any(|cookie| cookie.to_str().is_ok_and(|text| text.starts_with("wordpress_logged_in_")));
        anyhow::ensure!(signed_in, "wp-login.php: {}", response.status());
        println!("wordpress: signed in as {}", self.username);
        Ok(())
    }
}
