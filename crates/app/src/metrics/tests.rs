//! What the numbers say, and that both texts can be read.

use std::collections::BTreeSet;
use std::time::Duration;

use shopwright_domain::ErrorCode;
use shopwright_domain::breaker::BreakerState;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{ProvisionStep, Step};
use shopwright_ports::metrics_api::ExpositionFormat::{OpenMetrics, Text};
use shopwright_ports::telemetry::{Observation, Observer, SECURITY_EVENTS};
use shopwright_ports::testing::engines;

use super::*;

/// The value of a sample, by its whole name.
fn sample(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

/// API.md section 5: v1 left out what had no sample.
#[test]
fn every_name_of_v1_is_there_from_the_start() {
    let text = Recorder::new(&engines::catalogue()).text(Text);

    for name in [
        r#"http_requests_total{method="GET",route="/api/v1/stores/{id}",status_code="200"}"#,
        r#"http_request_duration_ms_count{method="POST",route="/api/v1/stores"}"#,
        r#"stores_total{status="ready"}"#,
        r#"store_provisioning_duration_ms_count{engine="medusa"}"#,
        r#"store_provisioning_step_duration_ms_count{engine="woocommerce",step="helm_install"}"#,
        r#"store_provisioning_failures_total{engine="medusa",step="pod_readiness"}"#,
        "active_provisioning_operations",
        "provisioning_queue_depth",
        "provisioning_concurrent_operations",
        "process_uptime_seconds",
        "provisioning_queue_wait_ms_count",
        r#"provisioning_rejections_total{reason="queue_full"}"#,
        r#"security_events_total{event_type="login_failed"}"#,
    ] {
        assert!(sample(&text, name).abs() < f64::EPSILON, "{name}");
    }
}

#[test]
fn a_request_is_counted_under_its_pattern_and_what_no_route_has_under_one_word() {
    let recorder = Recorder::new(&engines::catalogue());

    for route in ["/api/v1/stores/{id}", ""] {
        recorder.observe(Observation::Request {
            method: "GET",
            route,
            status: 404,
            duration: Duration::from_millis(7),
        });
    }

    let text = recorder.text(Text);
    for route in ["/api/v1/stores/{id}", "unmatched"] {
        let name = format!(r#"http_requests_total{{method="GET",route="{route}",status_code="404"}}"#);
        assert!((sample(&text, &name) - 1.0).abs() < f64::EPSILON);
        let millis = format!(r#"http_request_duration_ms_sum{{method="GET",route="{route}"}}"#);
        assert!((sample(&text, &millis) - 7.0).abs() < 0.001);
    }
}

/// One breaker guards a cluster against both of what v1 had one each for.
#[test]
fn a_breaker_is_shown_with_its_cluster_under_both_of_v1s_names() {
    let recorder = Recorder::new(&engines::catalogue());

    for (state, shown) in [(BreakerState::Closed, 0.0), (BreakerState::HalfOpen, 1.0), (BreakerState::Open, 2.0)] {
        recorder.state.cluster("default", state, true, 0);

        let text = recorder.text(Text);
        for breaker in ["helm", "kubernetes"] {
            let name = format!(r#"circuit_breaker_state{{cluster="default",breaker="{breaker}"}}"#);
            assert!((sample(&text, &name) - shown).abs() < f64::EPSILON, "{state:?}");
        }
    }
}

#[test]
fn every_security_event_has_its_number_from_the_start() {
    let recorder = Recorder::new(&engines::catalogue());
    let shown =
        |event: &str| sample(&recorder.text(Text), &format!(r#"security_events_total{{event_type="{event}"}}"#));
    let before: f64 = SECURITY_EVENTS.iter().map(|event| shown(event)).sum();

    for event in SECURITY_EVENTS {
        recorder.observe(Observation::Security { event });
    }

    assert!(before.abs() < f64::EPSILON);
    assert!(SECURITY_EVENTS.iter().all(|event| (shown(event) - 1.0).abs() < f64::EPSILON));
}

#[test]
fn a_failed_provision_is_counted_by_step_and_by_code() {
    let recorder = Recorder::new(&engines::catalogue());
    let step = Step::Provision(ProvisionStep::AwaitWorkloads);

    recorder.observe(Observation::Step {
        engine: engines::medusa(),
        step,
        duration: Duration::from_secs(2),
        error: Some(ErrorCode::ImagePull),
    });
    recorder.observe(Observation::Operation {
        kind: OperationKind::Provision,
        engine: engines::medusa(),
        status: OperationStatus::Failed,
        duration: Duration::from_secs(90),
        failure: Some((step, ErrorCode::ImagePull)),
    });

    let text = recorder.text(Text);
    let class = ErrorCode::ImagePull.class().as_str();
    let code = ErrorCode::ImagePull.as_str();
    for name in [
        r#"store_provisioning_failures_total{engine="medusa",step="pod_readiness"}"#.to_owned(),
        format!(r#"shopwright_step_failures_total{{code="{code}",class="{class}"}}"#),
        format!(r#"shopwright_operation_failures_total{{code="{code}",class="{class}"}}"#),
        r#"shopwright_operation_duration_seconds_count{kind="provision",engine="medusa",status="failed"}"#.to_owned(),
    ] {
        assert!((sample(&text, &name) - 1.0).abs() < f64::EPSILON, "{name}");
    }
}

#[test]
fn the_classic_text_announces_each_family_once_under_the_name_of_its_samples() {
    let text = Recorder::new(&engines::catalogue()).text(Text);

    let mut announced = BTreeSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ") {
            let name = name.split(' ').next().unwrap();
            assert!(announced.insert(name), "{name} twice");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
            let known = announced.contains(name) || family.is_some_and(|family| announced.contains(family));
            assert!(known, "{line}");
        }
    }
    assert!(announced.len() > 30 && !text.contains("# EOF"), "{}", announced.len());
    assert!(Recorder::new(&engines::catalogue()).text(OpenMetrics).ends_with("# EOF\n"));
}
