//! From the command line to an order on real pods, and away again, for both engines. Promise P11; issue 3.
//!
//! Every step's time is printed. `ENGINE=medusa` leaves the other one out. Real WooCommerce is in no package registry: without `WOOCOMMERCE_DIR` at the image build the WooCommerce store is
//! WordPress with its administrator, says so, and is tested as that.

use std::process::{Command, Output};
use std::time::Instant;

use serde_json::{Value, json};
use shopwright_system_tests::client::{PASSWORD, id_of};
use shopwright_system_tests::real::{Real, program, workspace};
use shopwright_system_tests::{Merchant, World, shop};

struct Cli {
    server: String,
    home: tempfile::TempDir,
}

impl Cli {
    fn signed_in(base: &str, email: &str) -> anyhow::Result<Self> {
        let cli = Self { server: base.to_owned(), home: tempfile::tempdir()? };
        let output = cli.command(&["login", "--email", email]).env("SHOPWRIGHT_PASSWORD", PASSWORD).output()?;
        anyhow::ensure!(output.status.success(), "login: {}", String::from_utf8_lossy(&output.stderr));
        Ok(cli)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(["--server", &self.server]).args(arguments);
        command.env_remove("KUBECONFIG").env("HOME", self.home.path()).env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let Output { status, stdout, stderr } = self.command(arguments).output()?;
        anyhow::ensure!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
        print!("{}", String::from_utf8_lossy(&stderr));
        Ok(String::from_utf8(stdout)?.trim().to_owned())
    }
}

async fn print_steps(merchant: &Merchant, store: &Value) -> anyhow::Result<()> {
    let id = store["operation"]["id"].as_str().unwrap_or_default().to_owned();
    let operation = merchant.get(&format!("/operations/{id}")).await?.body;
    for step in operation["operation"]["steps"].as_array().into_iter().flatten() {
        println!("  {:<20} {} .. {}", step["name"].as_str().unwrap_or_default(), step["startedAt"], step["finishedAt"]);
    }
    Ok(())
}

/// Buys something as a person does, and looks at it as the owner. The browser's side is `dashboard/tests/shops`.
fn try_in_a_browser(engine: &str, bare: bool, node_ip: &str, store: &Value) -> anyhow::Result<()> {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    if !std::path::Path::new(&chromium).exists() {
        let required = std::env::var("SHOPWRIGHT_REQUIRE_TIERS").as_deref() == Ok("all");
        anyhow::ensure!(!required, "{chromium} is required: run scripts/bootstrap dashboard browser");
        eprintln!("{engine}: LEFT OUT: there is no browser at {chromium}");
        return Ok(());
    }
    let credentials = &store["adminCredentials"];
    let shop = json!({
        "url": store["urls"]["storefront"], "name": store["name"], "engine": engine, "bare": bare,
        "email": credentials["email"], "username": credentials["username"], "password": credentials["password"],
    });
    let status = Command::new(workspace().join("dashboard/test"))
        .arg("shops")
        .env("SHOPWRIGHT_E2E_SHOP", shop.to_string())
        .env("SHOPWRIGHT_E2E_INGRESS", node_ip)
        .status()?;
    anyhow::ensure!(status.success(), "{engine}: the browser's side failed: its own words are above");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchants_wish_becomes_a_shop_that_takes_an_order() -> anyhow::Result<()> {
    let Some((node_ip, values)) = shop::node()? else { return Ok(()) };
    let bare = shop::is_bare(&values)?;
    let extra = vec![("SHOPWRIGHT_ALLOW_BARE_WORDPRESS".to_owned(), bare.to_string())];
    let Some(real) = Real::on_node(&node_ip, values, extra).await? else { return Ok(()) };
    let before = real.cluster.inventory().await?;
    let world = World::Real(Box::new(real));
    let ada = world.merchant("ada").await?;
    let cli = Cli::signed_in(world.base(), &ada.email)?;

    let only = std::env::var("ENGINE").unwrap_or_default();
    for engine in ["medusa", "woocommerce"].into_iter().filter(|engine| only.is_empty() || only == *engine) {
        let name = format!("{engine}-shop");
        let start = Instant::now();
        let url = cli.run(&["stores", "create", &name, "--engine", engine, "--wait", "--timeout", "10m"])?;
        println!("{engine}: ready at {url} after {:.1?}", start.elapsed());
        let listed: Value = serde_json::from_str(&cli.run(&["-o", "json", "stores", "get", &name])?)?;
        let id = id_of(listed.get("store").unwrap_or(&listed));
        let store = ada.store(&id).await?;
        print_steps(&ada, &store).await?;
        assert_eq!(store["urls"]["storefront"], url.as_str());

        let shop = shop::Shop::new(&url, &node_ip, &store)?;
        let start = Instant::now();
        if engine == "woocommerce" && bare {
            println!("{engine}: WordPress without the plugin takes no order: give WOOCOMMERCE_DIR to images/build");
            assert!(store["engineNote"].as_str().is_some_and(|note| note.contains("cannot take orders")), "{store:#}");
        }
        shop.leave_a_trace(engine, bare).await?;
        println!("{engine}: tried as a shopper in {:.1?}", start.elapsed());
        shop.has_no_way_in(engine).await?;
        let start = Instant::now();
        try_in_a_browser(engine, bare, &node_ip, &store)?;
        println!("{engine}: tried in a browser in {:.1?}", start.elapsed());

        let start = Instant::now();
        cli.run(&["stores", "delete", &name, "--yes", "--wait", "--timeout", "5m"])?;
        println!("{engine}: deleted after {:.1?}", start.elapsed());
    }

    let World::Real(real) = &world else { unreachable!("made as a real one") };
    assert_eq!(real.cluster.inventory().await?, before, "nothing is left");
    Ok(())
}
