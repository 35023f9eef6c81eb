//! All watches of a cluster together, and what they write into the log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::*;
use crate::scripted::{Answer, client};

/// Lines of this crate that an operator sees at the usual level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Visit for Lines {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{value:?}"));
        }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("shopwright")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// F39: rights that are gone, or a token that is no longer accepted, is one thing to mend, and one line, however many watches and however long.
#[tokio::test(start_paused = true)]
async fn f39_refused_watches_are_one_line_and_go_on_when_they_may() {
    for code in [401, 403] {
        let lines = Lines::default();
        let _here = tracing::subscriber::set_default(lines.clone());
        let (allowed, throttle) = (Arc::new(AtomicBool::new(false)), Throttle::default());
        let gate = Arc::clone(&allowed);
        let (client, seen) = client(&throttle, move |asked| {
            if !gate.load(Ordering::Relaxed) {
                return Answer::json(
                    code,
                    &json!({"kind": "Status", "code": code, "reason": "X", "message": "not you"}),
                );
            }
            if asked.is_watch() { Answer::events(&[]) } else { Answer::empty_list(asked) }
        });
        let watches = Watches::start(&client, &throttle);
        let store_id = StoreId::from_random(1);

        tokio::time::sleep(Duration::from_mins(30)).await;

        assert!(matches!(&lines.all()[..], [line] if line.contains("clusters prepare")), "{:?}", lines.all());
        assert_eq!(watches.has_namespace(&store_id), None, "what is not known is not guessed");
        let asked = seen.count();
        assert!(asked <= 7 * 130, "{asked} requests of seven watches in half an hour");

        allowed.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_mins(2)).await;

        assert_eq!(watches.has_namespace(&store_id), Some(false));
        assert_eq!(watches.has_remains(&store_id), Some(false));
        assert!(matches!(&lines.all()[..], [_, line] if line.contains("again")), "{:?}", lines.all());
    }
}
