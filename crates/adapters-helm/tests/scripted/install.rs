//! Installing: arguments, values, environment, and what counts as success.

use std::fs;
use std::sync::atomic::Ordering;

use insta::assert_snapshot;
use shopwright_adapters_helm::{ClusterValues, Profile};
use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::{Installed, ReleaseError, ReleaseSpec, Releases};
use shopwright_ports::testing::engines;
use shopwright_ports::testing::releases_contract::example_spec;

use crate::world::{CANARY, FENCE_DENIAL, World, fence};

async fn install(world: &World) -> Result<Installed, ReleaseError> {
    let fence = fence();
    world.releases().install(&fence, &example_spec(&fence.store_id)).await
}

#[tokio::test]
async fn helm_is_called_with_the_profile_the_overlays_and_then_the_stores_own_values() {
    let mut world = World::new("cat >\"$here/stdin\"; record 1 deployed");
    fs::create_dir(world.path("images")).unwrap();
    fs::write(world.path("images/values-woocommerce.yaml"), "{}").unwrap();
    fs::write(world.path("own.yaml"), "{}").unwrap();
    world.settings.extra_values = vec![world.path("images"), world.path("own.yaml")];
    world.settings.profile = Profile::Production;
    world.settings.cluster = ClusterValues {
        ingress_class: Some("traefik".to_owned()),
        ingress_namespace: Some("ingress".to_owned()),
        storage_class: None,
    };
    let medusa = example_spec(&fence().store_id);
    let spec =
        ReleaseSpec { engine: engines::woocommerce(), theme: Some(engines::astra()), setup_revision: 2, ..medusa };

    let installed = world.releases().install(&fence(), &spec).await.unwrap();

    assert_eq!(installed.revision, 1);
    let argv = world.seen("argv").replace('\n', " ");
    let argv =
        argv.replace(&installed.digests.chart[7..19], "CHART").replace(&installed.digests.values[7..19], "VALUES");
    assert_snapshot!(argv, @"upgrade --install store-000000ab RUN/chart/woocommerce -n store-000000ab -f RUN/values/0-values-production.yaml -f RUN/values/1-values-woocommerce.yaml -f RUN/values/2-own.yaml -f - --wait=hookOnly --no-hooks --skip-crds --history-max 3 -o json --description epoch 3, chart CHART, values VALUES");
    assert_snapshot!(world.seen("stdin"), @r#"{"store":{"id":"store-000000ab","name":"teashop","host":"teashop.localhost","publicUrl":"http://teashop.localhost:8080","theme":"astra"},"cluster":{"ingressClassName":"traefik","ingressNamespace":"ingress"},"credentialsSecret":"store-credentials","setup":{"revision":2}}"#);
}

#[tokio::test]
async fn helm_inherits_nothing_and_keeps_to_a_private_directory() {
    let world = World::new("record 1 deployed");

    install(&world).await.unwrap();

    assert_snapshot!(world.seen("env"), @"
    HELM_CACHE_HOME=RUN/cache
    HELM_CONFIG_HOME=RUN/config
    HELM_DATA_HOME=RUN/data
    HOME=RUN
    KUBECONFIG=RUN/kubeconfig
    PATH=/usr/local/bin:/usr/bin:/bin
    TMPDIR=RUN
    ");
    assert_snapshot!(world.seen("modes"), @"
    600
    700
    ");
    assert_eq!(world.run_dirs(), 0, "the kubeconfig outlives the run");
}

#[tokio::test]
async fn what_the_cluster_is_not_told_stays_as_the_profile_has_it() {
    let world = World::new("cat >\"$here/stdin\"; record 1 deployed");

    install(&world).await.unwrap();

    assert!(!world.seen("stdin").contains("cluster"));
    assert!(!world.seen("stdin").contains("theme"));
}

#[tokio::test]
async fn exit_code_0_with_a_pending_record_is_a_lie() {
    let world = World::new("record 1 pending-install; echo '{\"info\":{\"status\":\"deployed\"}}'");

    let error = install(&world).await.unwrap_err();

    assert_snapshot!(error, @"helm reported success, but its record of revision 1 says pending-install");
}

#[tokio::test]
async fn exit_code_0_without_a_new_record_is_a_lie() {
    let world = World::new("true");
    assert_snapshot!(install(&world).await.unwrap_err(), @"helm reported success, but there is no record of the release");

    world.add_record(4, "deployed");
    assert_snapshot!(install(&world).await.unwrap_err(), @"helm reported success, but its newest record is still revision 4");
}

/// RELIABILITY E4, F46: the record that is read back is this run's, not one that a later owner wrote meanwhile.
#[tokio::test]
async fn exit_code_0_with_somebody_elses_record_is_a_lie() {
    let world = World::new("description='epoch 4, chart 0, values 0'; record 1 deployed");

    let error = install(&world).await.unwrap_err();

    assert_snapshot!(error, @"helm reported success, but its record of revision 1 is of another run");
}

/// RELIABILITY E4, F46: helm exits 0 though the fence refused its last write.
#[tokio::test]
async fn exit_code_0_with_a_refusal_of_the_fence_is_a_stale_epoch() {
    let world =
        World::new(&format!("record 1 deployed; echo 'level=WARN msg=x error=\"{FENCE_DENIAL} 2 is not 3\"' >&2"));

    assert!(matches!(install(&world).await, Err(ReleaseError::Cluster(ClusterError::StaleEpoch { .. }))));
}

/// As JSON has it.
const OBJECTS: &str = r"apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web2}\n";

/// RELIABILITY section 3, "Record lies": what the deployed record names is looked for, and what is missing is named.
#[tokio::test]
async fn exit_code_0_and_a_deployed_record_without_its_objects_is_a_lie() {
    let world = World::new(&format!("record 1 deployed '{OBJECTS}'"));
    world.access.lost.lock().unwrap().push("web2".to_owned());
    let error = install(&world).await.unwrap_err();
    assert_snapshot!(error, @"helm reported success, but 1 of 2 objects are missing: Deployment web2");

    fs::remove_file(world.path("records/1")).unwrap();
    world.access.lost.lock().unwrap().clear();
    install(&world).await.unwrap();
}

#[tokio::test]
async fn a_record_whose_manifest_cannot_be_read_is_a_lie() {
    let world = World::new("record 1 deployed 'kind: Secret'");

    let error = install(&world).await.unwrap_err();

    assert_snapshot!(error, @"helm reported success, but the manifest of its record cannot be read: an object in it has no kind or no name");
}

/// RELIABILITY F12: a helm that the kernel kills for want of memory is no failure of the store; the next one runs.
#[tokio::test]
async fn f12_a_helm_that_was_killed_has_died_and_gives_its_permit_back() {
    let mut world = World::new("[ -e \"$here/died\" ] || { touch \"$here/died\"; kill -9 $$; }; record 1 deployed");
    world.settings.permits = 1;
    let releases = world.releases();
    let spec = example_spec(&fence().store_id);

    let error = releases.install(&fence(), &spec).await.unwrap_err();
    assert_snapshot!(error, @"helm died: signal 9 ended it; the machine may be short of memory");

    releases.install(&fence(), &spec).await.unwrap();
}

/// RELIABILITY F45.
#[tokio::test]
async fn a_record_that_helm_does_not_see_is_removed_before_helm_runs() {
    let world = World::new("ls \"$here/records\" >\"$here/found\"; record 2 deployed");
    world.add_record(1, "superseded");
    world.add_record(2, "deployed");
    world.access.hidden.lock().unwrap().push(2);

    let installed = install(&world).await.unwrap();

    assert_eq!(world.seen("found"), "1");
    assert_eq!(installed.healed, ["revision 2: without its labels"]);
}

#[tokio::test]
async fn records_of_dead_runs_are_removed_before_helm_runs() {
    let world = World::new("ls \"$here/records\" >\"$here/found\"; record 2 deployed");
    world.add_record(1, "deployed");
    world.add_record(2, "uninstalling");
    world.add_payload(3, "H4sIAAAAAAAA");
    world.add_record(4, "pending-upgrade");

    let installed = install(&world).await.unwrap();

    assert_eq!(world.seen("found"), "1");
    assert_eq!(installed.revision, 2);
    assert_snapshot!(installed.healed.join("\n"), @"
    revision 4: pending-upgrade
    revision 3: unreadable: it is not gzip
    revision 2: uninstalling
    ");
}

#[tokio::test]
async fn a_pending_record_below_a_settled_one_is_history() {
    let world = World::new("record 3 deployed");
    world.add_record(1, "pending-install");
    world.add_record(2, "failed");

    let installed = install(&world).await.unwrap();

    assert!(installed.healed.is_empty());
    assert_eq!(world.revisions(), [1, 2, 3]);
}

#[tokio::test]
async fn records_that_come_back_are_somebody_elses_and_helm_does_not_run() {
    let world = World::new("record 2 deployed");
    world.add_record(1, "pending-install");
    world.access.records_come_back.store(true, Ordering::Relaxed);

    assert!(matches!(install(&world).await, Err(ReleaseError::Failed(_))));
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_refusal_of_the_fence_is_a_stale_epoch() {
    let world =
        World::new(&format!("echo 'Error: secrets is forbidden: denied: {FENCE_DENIAL} 2 is not 3' >&2; exit 1"));

    assert!(matches!(install(&world).await, Err(ReleaseError::Cluster(ClusterError::StaleEpoch { .. }))));
}

#[tokio::test]
async fn a_failure_while_the_cluster_does_not_answer_is_the_clusters() {
    let world = World::new("touch \"$here/failed\"; echo 'Error: UPGRADE FAILED: query: EOF' >&2; exit 1");
    assert_snapshot!(install(&world).await.unwrap_err(), @"helm failed: UPGRADE FAILED: query: EOF (exit status: 1)");

    world.access.unreachable.store(true, Ordering::Relaxed);
    assert!(matches!(install(&world).await, Err(ReleaseError::Cluster(ClusterError::Unreachable { .. }))));
}

/// A worker has its rights by an object in the namespace, and loses them when that goes.
#[tokio::test]
async fn helm_is_denied_while_the_namespace_went_away() {
    let denied = r#"echo 'Error: secrets is forbidden: User "w" cannot list resource "secrets"' >&2; exit 1"#;
    let world = World::new(denied);
    assert!(matches!(install(&world).await, Err(ReleaseError::Cluster(ClusterError::Denied(_)))));

    let world = World::new(&format!("rm -r \"$here/records\"; {denied}"));
    assert!(matches!(install(&world).await, Err(ReleaseError::Cluster(ClusterError::NamespaceGone))));
}

#[tokio::test]
async fn no_secret_is_in_an_error() {
    let world = World::new("cat \"$KUBECONFIG\" >&2; echo \"Error: bad token $(cat \"$KUBECONFIG\")\" >&2; exit 1");

    let error = install(&world).await.unwrap_err();

    assert!(matches!(error, ReleaseError::Failed(_)));
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    assert!(!world.seen("argv").contains(CANARY) && !world.seen("env").contains(CANARY));
}

/// RELIABILITY F54: whatever helm was when it ended, it may not be what the digests name.
#[tokio::test]
async fn f54_a_helm_that_is_replaced_while_it_runs_has_installed_nothing_known() {
    let world = World::new("record 1 deployed; cp -L \"$here/helm\" \"$here/new\"; mv \"$here/new\" \"$here/helm\"");

    let error = install(&world).await.unwrap_err();

    assert!(matches!(error, ReleaseError::Unavailable(_)), "{error}");
}

/// RELIABILITY F54: a chart that is replaced while helm runs is not what this run installs, and the next run's digest tells.
#[tokio::test]
async fn f54_a_chart_that_is_replaced_while_helm_runs_is_the_next_runs() {
    let world =
        World::new("echo new >\"$here/charts/medusa/values.yaml\"; ls \"$4\" >\"$here/chart\"; record 1 deployed");
    let spec = example_spec(&fence().store_id);
    let releases = world.releases();
    let before = releases.digests(&spec).await.unwrap();

    let installed = releases.install(&fence(), &spec).await.unwrap();

    assert_eq!(installed.digests, before);
    assert!(!world.seen("chart").contains("values.yaml"), "{}", world.seen("chart"));
    assert_ne!(releases.digests(&spec).await.unwrap().chart, before.chart);
}

/// RELIABILITY F49: `rollback` has no check for pending records, and force takes fields over from others; nothing here may use them.
#[test]
fn f49_f51_neither_rollback_nor_force_is_ever_used() {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<_> = fs::read_dir(src).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    assert!(files.len() > 15, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for word in ["\"rollback", "--rollback", "--atomic", "--force", "--take-ownership"] {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
    }
}

#[tokio::test]
async fn the_fence_and_the_release_are_of_one_store() {
    let world = World::new("record 1 deployed");

    let other = example_spec(&shopwright_domain::StoreId::from_random(0xcd));
    let result = world.releases().install(&fence(), &other).await;

    assert!(matches!(result, Err(ReleaseError::Cluster(ClusterError::Foreign(_)))));
    assert_eq!(world.calls(), 0);
}
