//! Watches that are refused, throttled, closed and out of date: each goes on, and misses nothing.

use k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::*;
use crate::scripted::{Answer, Asked, Seen, client};

fn namespace(name: &str, version: u32) -> Value {
    json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name, "resourceVersion": version.to_string()}})
}

fn list(names: &[&str], version: u32) -> Answer {
    let items: Vec<_> = names.iter().map(|name| namespace(name, version)).collect();
    let metadata = json!({"resourceVersion": version.to_string()});
    Answer::json(200, &json!({"kind": "NamespaceList", "apiVersion": "v1", "metadata": metadata, "items": items}))
}

fn status(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": "X", "message": message})
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

struct Watched {
    index: Arc<Index<Namespace>>,
    changes: watch::Receiver<u64>,
    seen: Seen,
    task: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watched {
    fn start(script: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let throttle = Throttle::default();
        let (client, seen) = client(&throttle, script);
        let index = Arc::new(Index::new(|namespace: &Namespace| namespace.name_any()));
        let (changes, receiver) = watch::channel(0);
        let follower = Follower { index: Arc::clone(&index), changes, health: Health::default(), throttle };
        let task = tokio::spawn(follower.follow(Api::all(client), Config::default().any_semantic()));
        Self { index, changes: receiver, seen, task }
    }

    fn knows(&self, name: &str) -> Option<bool> {
        self.index.within(name).map(|found| !found.is_empty())
    }

    /// Waits until the index says so, in simulated time.
    async fn until(&mut self, name: &str, there: bool) {
        let waited = tokio::time::timeout(Duration::from_mins(10), async {
            while self.knows(name) != Some(there) {
                self.changes.changed().await.unwrap();
            }
        });
        assert!(waited.await.is_ok(), "{name} is never {there}: {:?}", self.seen.all());
    }
}

/// F31: "storage is (re)initializing" and an overloaded apiserver say when to come back; the watch comes back then, not before.
#[tokio::test(start_paused = true)]
async fn f31_a_throttled_watch_comes_back_when_it_was_told_to() {
    let mut turn = 0;
    let mut watched = Watched::start(move |asked| {
        turn += 1;
        match turn {
            1 => Answer::text(429, "too many requests").retry_after(20),
            2 => list(&["a"], 1),
            3 => Answer::json(429, &status(429, "storage is (re)initializing")).retry_after(45),
            _ => {
                assert!(asked.is_watch());
                Answer::events(&[event("ADDED", &namespace("b", 2))])
            }
        }
    });

    watched.until("b", true).await;

    let at: Vec<_> = watched.seen.all().iter().map(|asked| asked.at.as_secs()).collect();
    assert!(at[1] >= 20 && at[1] < 25, "{at:?}");
    assert!(at[3] >= at[2] + 45 && at[3] < at[2] + 50, "{at:?}");
}

/// F32: with no answer for ten minutes a watch asks less and less often. The driver's own pauses stay below two seconds.
#[tokio::test(start_paused = true)]
async fn f32_a_watch_of_a_cluster_that_is_away_asks_ever_less_often() {
    let watched = Watched::start(|_| Answer::text(503, "away"));

    tokio::time::sleep(Duration::from_mins(10)).await;

    let count = watched.seen.count();
    assert!((10..=45).contains(&count), "{count} requests in ten minutes");
}

/// F35: what came and went while the watch was too old is seen by the new list, told within the watch or as its answer.
#[tokio::test(start_paused = true)]
async fn f35_a_watch_that_is_too_old_lists_anew_and_misses_nothing() {
    let gone = status(410, "too old resource version");
    for told in [Answer::events(&[event("ERROR", &gone)]), Answer::json(410, &gone)] {
        let mut told = Some(told);
        let mut lists = 0;
        let mut watched = Watched::start(move |asked| {
            if !asked.is_watch() {
                lists += 1;
                return if lists == 1 { list(&["a", "goes"], 1) } else { list(&["a", "comes"], 9) };
            }
            told.take().unwrap_or_else(|| Answer::events(&[]))
        });

        watched.until("comes", true).await;

        assert_eq!(watched.knows("goes"), Some(false));
        assert_eq!(watched.knows("a"), Some(true));
        let last = watched.seen.all().pop().unwrap();
        assert!(!last.is_watch() || last.parameter("resourceVersion") == Some("9"), "{last:?}");
    }
}

/// F35: a watch that was closed goes on after the last thing that it told, bookmarks included.
#[tokio::test(start_paused = true)]
async fn f35_a_watch_that_was_closed_goes_on_where_it_was() {
    let bookmark = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"resourceVersion": "40", "creationTimestamp": null}});
    let mut turn = 0;
    let mut watched = Watched::start(move |asked| {
        if !asked.is_watch() {
            return list(&["a"], 1);
        }
        turn += 1;
        match (turn, asked.parameter("resourceVersion")) {
            (1, Some("1")) => {
                Answer::events(&[event("ADDED", &namespace("b", 5)), event("BOOKMARK", &bookmark)]).closed()
            }
            (2, Some("40")) => Answer::events(&[event("DELETED", &namespace("a", 41))]),
            other => panic!("{other:?}"),
        }
    });

    watched.until("a", false).await;
    assert_eq!(watched.knows("b"), Some(true));
}

/// A server in between that ends every watch at once is asked about once a second, not as fast as it answers.
#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_at_once_is_not_begun_as_fast_as_it_ends() {
    let watched = Watched::start(|asked| if asked.is_watch() { Answer::events(&[]).closed() } else { list(&[], 1) });

    tokio::time::sleep(Duration::from_mins(1)).await;

    let count = watched.seen.count();
    assert!((10..=70).contains(&count), "{count} requests in a minute");
}
