//! Every edge of what stands before a cluster: breaker, rest, fence. RELIABILITY F31, F32, S51.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like one")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{FutureExt, join_all};
use jiff::SignedDuration;
use shopwright_app::saga::{ClusterGuard, FenceState};
use shopwright_domain::ErrorCode;
use shopwright_domain::breaker::{BreakerPolicy, BreakerState};
use shopwright_domain::saga::StepError;
use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::testing::{FakeCluster, Fault, ManualClock};

struct Bench {
    clock: Arc<ManualClock>,
    cluster: Arc<FakeCluster>,
    guard: ClusterGuard,
    made: AtomicUsize,
}

fn silent() -> ClusterError {
    ClusterError::Unreachable { detail: "refused".to_owned(), source: None }
}

fn unfenced() -> ClusterError {
    ClusterError::Unfenced("the binding is gone".to_owned())
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let cluster = Arc::new(FakeCluster::new());
        let guard = ClusterGuard::new(cluster.clone(), clock.clone(), BreakerPolicy::default());
        Self { clock, cluster, guard, made: AtomicUsize::new(0) }
    }

    async fn call(&self, answer: Result<(), ClusterError>) -> Result<(), StepError> {
        let call = async {
            self.made.fetch_add(1, Ordering::Relaxed);
            answer
        };
        self.guard.call(call).await
    }

    async fn run_helm(&self, answer: Result<(), ReleaseError>) -> Result<(), StepError> {
        self.guard.call(async { answer }).await
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn open() -> Self {
        let bench = Self::new();
        for _ in 0..5 {
            bench.call(Err(silent())).await.unwrap_err();
        }
        assert_eq!(bench.guard.state(), BreakerState::Open);
        bench
    }

    fn hang(&self, method: &'static str, times: usize) {
        for _ in 0..times {
            self.cluster.faults.push(method, Fault::Hang);
        }
    }
}

#[tokio::test]
async fn an_open_breaker_lets_no_call_be_made_and_says_when_to_come_back() {
    let bench = Bench::open().await;

    let refusal = bench.call(Ok(())).await.unwrap_err();

    assert_eq!((refusal.code, refusal.retry_after), (ErrorCode::BreakerOpen, Some(SignedDuration::from_secs(30))));
    assert_eq!(bench.made(), 5);
    assert_eq!(bench.guard.check().await.unwrap_err().code, ErrorCode::BreakerOpen, "a health check is a request too");
}

#[tokio::test]
async fn half_open_lets_exactly_one_probe_through_over_all_tasks() {
    let bench = Bench::open().await;
    bench.pass(30);
    bench.hang("check", 20);

    let calls = join_all((0..20).map(|_| bench.call(Ok(())))).now_or_never();

    assert!(calls.is_none(), "the probe hangs");
    assert_eq!(bench.cluster.faults.remaining(), 19, "one asked");
    assert_eq!(bench.made(), 5, "nobody else got through");
}

#[tokio::test]
async fn a_probe_whose_caller_goes_away_is_handed_back() {
    let bench = Bench::open().await;
    bench.pass(30);
    bench.hang("check", 1);
    let mut first = Box::pin(bench.call(Ok(())));
    assert!(futures::poll!(&mut first).is_pending());
    assert_eq!(bench.call(Ok(())).await.unwrap_err().code, ErrorCode::BreakerOpen);

    drop(first);

    bench.call(Ok(())).await.unwrap();
    assert_eq!(bench.guard.state(), BreakerState::Closed);
}

#[tokio::test]
async fn a_probe_that_is_not_answered_opens_it_again_and_one_that_is_refused_closes_it() {
    let bench = Bench::open().await;
    bench.pass(30);
    bench.cluster.faults.push("check", Fault::Before(silent()));
    assert_eq!(bench.call(Ok(())).await.unwrap_err().code, ErrorCode::ClusterUnreachable);
    assert_eq!((bench.guard.state(), bench.made()), (BreakerState::Open, 5));

    bench.pass(30);
    bench.cluster.faults.push("check", Fault::Before(ClusterError::Denied("no".to_owned())));
    assert_eq!(bench.call(Ok(())).await.unwrap_err().code, ErrorCode::PermissionDenied);
    assert_eq!(bench.guard.state(), BreakerState::Closed, "a refusal is an answer");
    bench.call(Ok(())).await.unwrap();
}

#[tokio::test]
async fn a_call_that_was_dropped_says_nothing() {
    let bench = Bench::new();
    for _ in 0..4 {
        bench.call(Err(silent())).await.unwrap_err();
    }
    assert!(bench.guard.call(std::future::pending::<Result<(), ClusterError>>()).now_or_never().is_none());
    assert_eq!(bench.guard.state(), BreakerState::Closed);

    bench.call(Err(silent())).await.unwrap_err();

    assert_eq!(bench.guard.state(), BreakerState::Open);
}

#[tokio::test]
async fn a_throttle_is_honoured_for_everybody_and_not_counted() {
    // RELIABILITY F31.
    let bench = Bench::new();
    for _ in 0..10 {
        bench.call(Err(ClusterError::Throttled { retry_after: None })).await.unwrap_err();
    }
    assert_eq!(bench.guard.state(), BreakerState::Closed);
    let asked = ClusterError::Throttled { retry_after: Some(Duration::from_secs(7)) };
    bench.call(Err(asked)).await.unwrap_err();

    bench.pass(3);
    let refusal = bench.call(Ok(())).await.unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after), (ErrorCode::Throttled, Some(SignedDuration::from_secs(4))));
    assert_eq!(bench.made(), 11);
    bench.pass(4);
    bench.call(Ok(())).await.unwrap();
}

/// RELIABILITY F31, P6: "again in a second" that is said all the time.
#[tokio::test]
async fn a_cluster_that_goes_on_asking_is_left_alone_longer_and_by_all_but_one() {
    let bench = Bench::new();
    let asked = || ClusterError::Throttled { retry_after: Some(Duration::from_secs(1)) };
    let mut calls = Vec::new();
    for second in 0..60 {
        // Three operations that would all like to go on.
        for _ in 0..3 {
            let before = bench.made();
            bench.call(Err(asked())).await.unwrap_err();
            calls.extend((bench.made() > before).then_some(second));
        }
        bench.pass(1);
    }
    assert_eq!(calls, [0, 1, 3, 7, 15, 25, 35, 45, 55]);

    bench.pass(10);
    bench.call(Ok(())).await.unwrap();
    bench.call(Err(asked())).await.unwrap_err();
    bench.pass(1);
    bench.call(Ok(())).await.unwrap();
}

#[tokio::test]
async fn a_throttle_that_asks_for_days_is_asked_again_after_half_a_minute() {
    let bench = Bench::new();
    let asked = ClusterError::Throttled { retry_after: Some(Duration::from_hours(48)) };
    bench.call(Err(asked)).await.unwrap_err();

    bench.pass(30);

    bench.call(Ok(())).await.unwrap();
}

#[tokio::test]
async fn refusals_are_signs_of_life_and_helms_own_failures_are_no_sign_at_all() {
    // DECISIONS 33.
    let bench = Bench::new();
    for answer in [silent(), silent(), silent(), silent(), ClusterError::Rejected("409".to_owned()), silent()] {
        bench.call(Err(answer)).await.unwrap_err();
    }
    assert_eq!(bench.guard.state(), BreakerState::Closed);

    let helms_own = [
        ReleaseError::Chart("values".to_owned()),
        ReleaseError::Failed("no".to_owned()),
        ReleaseError::Deadline(Duration::from_secs(1)),
        ReleaseError::Unavailable("no helm".to_owned()),
    ];
    for own in helms_own {
        bench.run_helm(Err(own)).await.unwrap_err();
        assert_eq!(bench.guard.state(), BreakerState::Closed);
    }
    for _ in 0..4 {
        bench.run_helm(Err(ReleaseError::Cluster(silent()))).await.unwrap_err();
    }
    assert_eq!(bench.guard.state(), BreakerState::Open, "five in a row were not answered, whatever helm said between");
}

#[tokio::test]
async fn no_call_is_made_before_the_fence_was_seen_to_hold() {
    // DECISIONS 5, RELIABILITY S51.
    let bench = Bench::new();
    bench.cluster.open_fence(Some("the binding is gone"));
    assert_eq!(bench.guard.fence(), FenceState::Unknown);

    for _ in 0..3 {
        assert_eq!(bench.call(Ok(())).await.unwrap_err().code, ErrorCode::ClusterUnfenced);
        assert_eq!(bench.run_helm(Ok(())).await.unwrap_err().code, ErrorCode::ClusterUnfenced);
    }

    assert_eq!((bench.made(), bench.guard.state()), (0, BreakerState::Closed));
    assert!(matches!(bench.guard.fence(), FenceState::Open(reason) if reason.contains("the binding is gone")));
    bench.cluster.open_fence(None);
    bench.pass(10);
    bench.call(Ok(())).await.unwrap();
    assert_eq!(bench.guard.fence(), FenceState::Holds);
}

#[tokio::test]
async fn an_open_fence_is_looked_at_once_in_ten_seconds_however_many_ask() {
    let bench = Bench::new();
    for _ in 0..5 {
        bench.cluster.faults.push("verify_fence", Fault::Before(unfenced()));
    }

    for _ in 0..9 {
        bench.call(Ok(())).await.unwrap_err();
        bench.pass(1);
    }
    assert_eq!(bench.cluster.faults.remaining(), 4);
    bench.pass(1);
    bench.call(Ok(())).await.unwrap_err();

    assert_eq!(bench.cluster.faults.remaining(), 3);
}

#[tokio::test]
async fn a_fence_that_holds_is_looked_at_again_after_a_minute() {
    let bench = Bench::new();
    bench.call(Ok(())).await.unwrap();
    bench.cluster.open_fence(Some("the binding is gone"));

    bench.pass(59);
    bench.call(Ok(())).await.unwrap();
    bench.pass(1);

    assert_eq!(bench.call(Ok(())).await.unwrap_err().code, ErrorCode::ClusterUnfenced);
}

#[tokio::test]
async fn a_call_that_finds_the_fence_open_makes_the_next_one_look() {
    let bench = Bench::new();
    bench.call(Err(unfenced())).await.unwrap_err();
    assert_eq!(bench.guard.fence(), FenceState::Unknown);
    bench.cluster.faults.push("verify_fence", Fault::Before(unfenced()));

    bench.call(Ok(())).await.unwrap_err();

    assert_eq!((bench.cluster.faults.remaining(), bench.made()), (0, 1));
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_looks_and_a_look_that_fails_is_everybodys_answer() {
    let bench = Bench::new();
    bench.hang("verify_fence", 10);
    assert!(join_all((0..10).map(|_| bench.call(Ok(())))).now_or_never().is_none());
    assert_eq!(bench.cluster.faults.remaining(), 9, "the others wait for their turn");

    // Whoever looked went away; the next one looks, and is not answered.
    let bench = Bench::new();
    bench.cluster.faults.push("verify_fence", Fault::Before(silent()));
    assert_eq!(bench.call(Ok(())).await.unwrap_err().code, ErrorCode::ClusterUnreachable);
    assert_eq!((bench.made(), bench.guard.fence()), (0, FenceState::Unknown));
    bench.call(Ok(())).await.unwrap();
}
