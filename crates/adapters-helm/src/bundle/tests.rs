use std::os::unix::fs::symlink;

use super::*;
use crate::charts::Chart;
use crate::origin::LARGEST;
use crate::scratch::Scratch;

fn chart(root: &Path) -> Chart {
    let dir = root.join("charts/medusa");
    fs::create_dir_all(dir.join("templates")).unwrap();
    fs::create_dir_all(root.join("charts/common")).unwrap();
    fs::write(dir.join("Chart.yaml"), "name: medusa").unwrap();
    fs::write(dir.join("templates/store.yaml"), "kind: Job").unwrap();
    fs::write(root.join("charts/common/a.tpl"), "a").unwrap();
    fs::write(root.join("own.yaml"), "a: 1").unwrap();
    symlink("../common", dir.join("common")).unwrap();
    Chart { dir, values: vec![root.join("own.yaml")] }
}

fn digests(chart: &Chart, document: &str) -> ReleaseDigests {
    Bundle { origin: Origin::read(chart).unwrap(), document: document.into(), size: None }
        .digests(&HelmVersion::for_tests("ab12"))
}

/// RELIABILITY F54.
#[test]
fn each_digest_changes_with_its_part_and_with_nothing_else() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (chart, elsewhere) = (chart(here.path()), chart(there.path()));
    let first = digests(&chart, "{}");

    assert_eq!(first.helm, "sha256:ab12");
    assert_eq!(digests(&elsewhere, "{}"), first);
    let other = digests(&chart, "{ }");
    assert!(other.values != first.values && other.chart == first.chart);
    let changes = [
        ("charts/medusa/templates/store.yaml", true),
        ("charts/common/a.tpl", true),
        ("charts/medusa/Chart.yaml", true),
        ("own.yaml", false),
    ];
    for (file, of_chart) in changes {
        let path = here.path().join(file);
        let before = fs::read(&path).unwrap();
        fs::write(&path, "changed").unwrap();
        let after = digests(&chart, "{}");
        assert_eq!((after.chart != first.chart, after.values != first.values), (of_chart, !of_chart), "{file}");
        fs::write(&path, before).unwrap();
    }
    assert_eq!(digests(&chart, "{}"), first);
}

/// RELIABILITY F54: helm gets what was read, whatever happens to the chart meanwhile.
#[test]
fn a_chart_that_is_replaced_after_it_was_read_is_not_what_helm_gets() {
    let root = tempfile::tempdir().unwrap();
    let chart = chart(root.path());
    let bundle = Bundle { origin: Origin::read(&chart).unwrap(), document: "{}".into(), size: None };
    for file in ["charts/medusa/templates/store.yaml", "own.yaml"] {
        fs::write(root.path().join(file), "replaced").unwrap();
    }
    fs::remove_dir_all(root.path().join("charts/common")).unwrap();
    let scratch = Scratch::open(&root.path().join("scratch")).unwrap();
    let run_dir = scratch.run_dir().unwrap();

    let written = bundle.write(&run_dir).unwrap();

    assert!(written.chart.starts_with(run_dir.path()) && written.chart.ends_with("medusa"));
    let text = |path: PathBuf| fs::read_to_string(path).unwrap();
    assert_eq!(text(written.chart.join("templates/store.yaml")), "kind: Job");
    assert_eq!(text(written.chart.join("common/a.tpl")), "a");
    assert_eq!(written.values.into_iter().map(text).collect::<Vec<_>>(), ["a: 1"]);
}

#[test]
fn a_link_that_leads_back_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let chart = chart(root.path());
    symlink(".", chart.dir.join("again")).unwrap();

    assert!(Origin::read(&chart).is_err());
}

#[test]
fn a_chart_without_end_is_not_read_to_its_end() {
    let root = tempfile::tempdir().unwrap();
    let chart = chart(root.path());
    let large = fs::File::create(chart.dir.join("large")).unwrap();
    large.set_len(LARGEST as u64).unwrap();

    let error = Origin::read(&chart).unwrap_err();

    assert!(error.to_string().contains("larger"), "{error}");
}
