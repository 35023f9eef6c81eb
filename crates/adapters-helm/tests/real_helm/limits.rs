//! A machine without memory or disk, a record without end, a secret in the wrong place.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::ExposeSecret;
use shopwright_adapters_helm::{ClusterValues, Profile};
use shopwright_domain::error_code::Handling;
use shopwright_domain::saga::StepError;
use shopwright_domain::store::EngineName;
use shopwright_ports::cluster::Cluster;
use shopwright_ports::releases::{ReleaseAccess, ReleaseError, ReleaseSpec, Releases};
use shopwright_ports::secrets::StoreCredentials;
use shopwright_ports::testing::engines;
use shopwright_ports::testing::releases_contract::{World as _, example_spec};

use crate::hold::{DEPLOYMENTS, Hold};
use crate::world::{World, at};

/// So large may a record become; helm's limit is four times that.
const RECORD_GATE: usize = 256 * 1024;

fn real_charts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts").canonicalize().unwrap()
}

fn real_spec(world: &World, store_id: &shopwright_domain::StoreId, engine: EngineName) -> (ReleaseSpec, PathBuf) {
    // What images/build writes.
    let tags = world.root.path().join("tags.yaml");
    fs::write(&tags, "images: {web: {tag: fake}, db: {tag: fake}}").unwrap();
    (ReleaseSpec { engine, ..example_spec(store_id) }, tags)
}

/// RELIABILITY E11: a record that is larger than a Secret may be is the chart's fault, and found before any object is made.
#[tokio::test]
async fn e11_a_chart_that_is_too_large_is_refused_before_anything_is_made() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let noise = (0..60_000_u128).fold(String::new(), |mut text, n| {
        // It does not compress well. Writing to a String does not fail.
        let _ = write!(text, "{:032x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        text
    });
    fs::write(world.chart("noise.txt"), noise).unwrap();

    let error = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap_err();

    assert!(matches!(&error, ReleaseError::Chart(_)), "{error:?}");
    assert_eq!(StepError::from(error).code.handling(), Handling::Fail, "another attempt cannot help");
    assert!(world.versions(&store_id).await.is_empty(), "something was made");
}

/// RELIABILITY F50: both charts with both profiles, installed, stay far below the limit of a record.
#[tokio::test]
async fn f50_records_of_the_real_charts_are_small() {
    let Some(world) = World::start().await else { return };
    for engine in [engines::medusa(), engines::woocommerce()] {
        for profile in [Profile::Local, Profile::Production] {
            let store_id = world.new_store().await;
            let (mut spec, tags) = real_spec(&world, &store_id, engine.clone());
            if profile == Profile::Production {
                spec.public_url = format!("https://{}", spec.host.as_str());
                let (namespace, group) = (store_id.namespace(), "shopwright-workers");
                // This profile makes roles, which a worker may not; here the size matters.
                let lift = ["-n", namespace, "create", "rolebinding", "lifted", "--clusterrole=cluster-admin"];
                world.kubectl.ok(&[&lift[..], &["--group", group]].concat()).await;
                let may = ["auth", "can-i", "create", "roles", "-n", namespace, "--as=shopwright-worker"];
                let may = [&may[..], &["--as-group", group]].concat();
                world.kubectl.until("the worker may make roles", &may, Result::is_ok).await;
            }
            let releases = world.another(|settings| {
                settings.charts_dir = real_charts();
                settings.profile = profile;
                settings.extra_values = vec![tags];
                settings.cluster = ClusterValues {
                    ingress_class: Some("traefik".to_owned()),
                    ingress_namespace: Some("ingress".to_owned()),
                    storage_class: Some("standard".to_owned()),
                };
            });

            releases.install(&at(&store_id, 1), &spec).await.unwrap();

            let records = world.cluster.records(&at(&store_id, 1)).await.unwrap();
            let size = records[0].payload.len();
            println!("{engine}, {profile:?}: {} KiB", size.div_ceil(1024));
            assert!(size <= RECORD_GATE, "{engine}, {profile:?}: {size} bytes");
        }
    }
}

/// RELIABILITY E9, S37 to S39: no credential of the store or of the cluster is in helm's arguments, its environment or its record.
#[tokio::test]
async fn e09_secrets_are_not_in_argv_environment_or_record() {
    const CANARY: &str = "CANARY-e09-7f4a7c15";
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let fence = at(&store_id, 1);
    let credentials = StoreCredentials {
        admin_email: "owner@example.test".to_owned(),
        admin_username: "owner".to_owned(),
        admin_password: CANARY.into(),
        database_password: CANARY.into(),
        database_root_password: CANARY.into(),
        app_secret: CANARY.into(),
        session_secret: CANARY.into(),
        database_password_before: None,
    };
    world.cluster.put_credentials(&fence, &credentials).await.unwrap();
    let kubeconfig = world.cluster.kubeconfig(&fence).await.unwrap();
    let token = kubeconfig.expose_secret().split(['"', ' ', '\n']).find(|word| word.starts_with("eyJ")).unwrap();
    let (spec, tags) = real_spec(&world, &store_id, engines::medusa());
    let releases = world.another(|settings| {
        settings.charts_dir = real_charts();
        settings.extra_values = vec![tags];
    });
    let hold = Hold::start(&world.kubectl, &store_id, DEPLOYMENTS).await;
    let run = hold.holds(async move { releases.install(&fence, &spec).await }).await;

    let helm = crate::taken_over::helm_of(&store_id).as_raw_nonzero();
    for file in ["cmdline", "environ"] {
        let text = String::from_utf8(fs::read(format!("/proc/{helm}/{file}")).unwrap()).unwrap();
        assert!(text.contains("store-") || file == "environ", "{text}");
        assert!(!text.contains(CANARY) && !text.contains(token), "{file} of helm");
    }
    hold.release().await;
    run.await.unwrap().unwrap();

    let record = world.releases_of(&store_id).await.pop().unwrap().to_string();
    assert!(record.contains("store-credentials"), "the charts go by the name of the Secret");
    assert!(!record.contains(CANARY) && !record.contains(token));
    assert!(!record.contains("kind: Secret"), "a chart that makes a Secret keeps it in clear in the record");
}

/// RELIABILITY F12: a helm that finds no memory is no failure of the store, waits for better times, and keeps no permit.
#[tokio::test]
async fn f12_a_helm_without_memory_dies_and_the_next_one_runs() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let (limit, script) = (world.root.path().join("limit"), world.root.path().join("limited-helm"));
    // It says its version without a limit, and is limited as long as there is a number in the file.
    let helm = world.settings.helm_bin.display();
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = version ] || [ ! -e {0} ] || exec prlimit --as=$(cat {0}) {helm} \"$@\"\nexec {helm} \"$@\"\n",
        limit.display()
    );
    executable(&script, &text);
    let releases = world.another(|settings| {
        settings.helm_bin = script;
        settings.permits = 1;
    });

    // The first is too little to load the program, the others for the start of its runtime.
    for bytes in [60_000_000, 400_000_000, 800_000_000] {
        fs::write(&limit, bytes.to_string()).unwrap();
        let error = releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap_err();
        assert!(matches!(error, ReleaseError::Died(_)), "{bytes}: {error:?}");
        assert_eq!(StepError::from(error).code.handling(), Handling::Wait);
    }
    fs::remove_file(&limit).unwrap();
    releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
}

/// Written by another process, so that this one never has an executable open for writing while another thread forks.
fn executable(path: &Path, text: &str) {
    let plain = path.with_extension("txt");
    fs::write(&plain, text).unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Command::new("cp").arg(&plain).arg(path).status().unwrap().success());
}

/// A file system of a few pages.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: PathBuf, size: &str) -> Self {
        fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", size, "none"]).arg(&at).status().unwrap();
        assert!(mounted.success(), "needs root");
        Self(at)
    }

    /// Every file in it, except the ballast.
    fn contents(&self) -> Vec<Vec<u8>> {
        let find = Command::new("find").arg(&self.0).args(["-type", "f", "-not", "-name", "ballast"]).output().unwrap();
        let paths = String::from_utf8(find.stdout).unwrap();
        paths.lines().map(|path| fs::read(path).unwrap_or_default()).collect()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// RELIABILITY F14: wherever the disk is full on the way, the error is the machine's and passes, and no part of a secret stays.
#[tokio::test]
async fn f14_a_full_disk_is_the_machines_fault_and_keeps_no_secret() {
    const PAGE: usize = 4096;
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let tmpfs = Tmpfs::mount(world.root.path().join("tmpfs"), "size=4m");
    let kubeconfig = world.cluster.kubeconfig(&at(&store_id, 1)).await.unwrap();
    let secret = kubeconfig.expose_secret().split(['"', ' ', '\n']).find(|word| word.starts_with("eyJ")).unwrap();
    let releases = world.another(|settings| settings.scratch_dir = tmpfs.0.join("scratch"));
    // While there is room it looks at its helm.
    releases.helm().await.unwrap();
    let ballast = tmpfs.0.join("ballast");

    let (mut failures, mut pages) = (0, 0);
    loop {
        let _ = fs::remove_file(&ballast);
        // As much as goes in, less what is to be free.
        let filled = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "head -c 8m /dev/zero >{0} 2>/dev/null; truncate -s -{1} {0}",
                ballast.display(),
                pages * PAGE
            ))
            .status();
        assert!(filled.unwrap().success());

        let result = releases.install(&at(&store_id, 1), &example_spec(&store_id)).await;

        let files = tmpfs.contents();
        let secrets =
            files.iter().filter(|bytes| bytes.windows(16).any(|part| part == &secret.as_bytes()[..16])).count();
        assert_eq!(secrets, 0, "{pages} pages free: a file with a part of a secret stays");
        match result {
            Ok(_) => break,
            Err(error) => {
                assert!(matches!(error, ReleaseError::Io { .. }), "{pages} pages free: {error:?}");
                assert_eq!(StepError::from(error).code.handling(), Handling::Wait);
            }
        }
        failures += 1;
        pages += 1;
        assert!(pages < 200, "it never fits");
    }
    // Directories take no pages; chart, values and kubeconfig take some each.
    assert!(failures > 3, "the disk was full in {failures} places");
}
