//! Descriptors as files: those that are shipped, one that somebody adds, and those with mistakes.

use shopwright_domain::engine::{Administrator, Personal, RotationTarget};

use super::*;

const STATIC: &str = "title = \"Static site\"\nsummary = \"Pages from an image\"\n\
    [readiness]\ndeployments = [\"web\"]\n[credentials]\nadministrator = \"none\"\n";

/// A charts directory with one engine `static-site`, whose descriptor and chart say this.
fn directory(descriptor: &str, chart: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, file, text) in [
        ("static-site", DESCRIPTOR, descriptor),
        ("static-site", "Chart.yaml", chart),
        ("library", "Chart.yaml", "name: x"),
    ] {
        fs::create_dir_all(root.path().join(name)).unwrap();
        fs::write(root.path().join(name).join(file), text).unwrap();
    }
    root
}

#[test]
fn the_shipped_engines_are_those_beside_the_charts() {
    let shipped = shipped().unwrap();
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts");

    assert_eq!(load(&charts).unwrap(), shipped);
    assert_eq!(shipped.names(), "medusa, woocommerce");
    let woocommerce = shipped.get(&"woocommerce".parse().unwrap()).unwrap();
    assert_eq!(woocommerce.admin_path(), "/wp-admin");
    assert_eq!(woocommerce.administrator(), &Administrator::Name("admin".to_owned()));
    assert_eq!(woocommerce.default_theme().unwrap().as_str(), "storefront");
    let medusa = shipped.get(&"medusa".parse().unwrap()).unwrap();
    assert_eq!((medusa.administrator(), medusa.default_theme()), (&Administrator::Email, None));
    for engine in shipped.iter() {
        assert_eq!((engine.rotates(), engine.personal()), (&RotationTarget::ALL[..], &Personal::ALL[..]));
    }
}

#[test]
fn a_directory_with_a_descriptor_and_a_chart_is_an_engine() {
    let charts = directory(STATIC, "apiVersion: v2\nname: static-site\n");

    assert!(is_there(charts.path()));
    assert_eq!(load(charts.path()).unwrap().names(), "static-site");
}

#[test]
fn mistakes_of_all_files_are_told_together() {
    let charts = directory(&STATIC.replace("[\"web\"]", "[]"), "name: other");
    for (name, text) in [("Bad Name", STATIC), ("typo", "title = \"x\"\ncolour = \"red\"\n"), ("no-chart", STATIC)] {
        fs::create_dir(charts.path().join(name)).unwrap();
        fs::write(charts.path().join(name).join(DESCRIPTOR), text).unwrap();
        if name != "no-chart" {
            fs::write(charts.path().join(name).join("Chart.yaml"), format!("name: {name}\n")).unwrap();
        }
    }

    let error = load(charts.path()).unwrap_err();

    let said = error.to_string();
    for wanted in [
        "Bad Name/engine.toml: name: an engine's name is",
        "no-chart/Chart.yaml: No such file",
        "static-site/Chart.yaml: the chart's name must be the directory's, static-site",
        "static-site/engine.toml: readiness.deployments must name one",
        "typo/engine.toml: line 2: unknown field `colour`",
    ] {
        assert!(said.contains(wanted), "{said}\ndoes not say {wanted}");
    }
    assert_eq!(error.mistakes.len(), 5, "{said}");
}

#[test]
fn no_engine_at_all_is_a_mistake() {
    let charts = tempfile::tempdir().unwrap();

    assert!(!is_there(charts.path()));
    assert!(load(charts.path()).unwrap_err().to_string().contains("there is no engine"));
    assert!(load(&charts.path().join("nowhere")).is_err());
}

#[test]
fn a_name_to_sign_in_with_belongs_to_an_administrator_with_a_name() {
    for credentials in ["administrator = \"name\"", "administrator = \"email\"\nusername = \"admin\""] {
        let text = STATIC.replace("administrator = \"none\"", credentials);

        let error = load(directory(&text, "name: static-site").path()).unwrap_err();

        assert!(error.mistakes[0].contains("credentials.username"), "{error}");
    }
}
