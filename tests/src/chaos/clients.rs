//! The clients: merchants that create, look at, retry, cancel and delete stores, several at once on the same ones.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Stage;
use super::caller::{Caller, Heard, send};
use super::dice::Dice;
use super::record::{Call, Outcome, Record};
use super::shop::Known;

/// Clients of one merchant: they meet on its stores.
const PER_MERCHANT: usize = 2;
/// How often a client asks again for what it must know.
const TRIES: usize = 40;

/// Clients at work.
#[derive(Debug)]
pub(super) struct Load {
    closing: CancellationToken,
    clients: JoinSet<()>,
}

impl Load {
    /// All merchants begin. `shift` makes names that no other load of the run uses.
    pub(super) fn begin(stage: &Arc<Stage>, shift: &'static str) -> Self {
        let closing = CancellationToken::new();
        let mut clients = JoinSet::new();
        for number in 0..stage.callers.len() * PER_MERCHANT {
            let merchant = number / PER_MERCHANT;
            let client = Client {
                stage: Arc::clone(stage),
                closing: closing.clone(),
                shift,
                number,
                merchant,
                caller: stage.callers[merchant].clone(),
                dice: Dice::of(stage.plan.seed, &format!("client {shift} {number}")),
                made: 0,
            };
            clients.spawn(client.live());
        }
        Self { closing, clients }
    }

    /// They finish what they are at and go.
    pub(super) async fn end(mut self, stage: &Stage) {
        self.closing.cancel();
        while let Some(ended) = self.clients.join_next().await {
            if let Err(error) = ended {
                stage.violations.add(format!("a client of the harness ended badly: {error}"));
            }
        }
    }
}

struct Client {
    stage: Arc<Stage>,
    closing: CancellationToken,
    shift: &'static str,
    number: usize,
    merchant: usize,
    caller: Caller,
    dice: Dice,
    made: usize,
}

impl Client {
    async fn live(mut self) {
        while !self.closing.is_cancelled() {
            match self.dice.within(0..100) {
                0..35 => self.create().await,
                35..65 => self.read().await,
                65..77 => self.retry().await,
                77..82 => self.cancel().await,
                _ => self.delete().await,
            }
            let pause = self.dice.millis(100..900);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.closing.cancelled() => {}
            }
        }
    }

    /// Some clients hang up in the middle of a request.
    fn hangs_up(&mut self) -> Option<Duration> {
        self.dice.percent(8).then(|| self.dice.millis(1..250))
    }

    fn any_base(&mut self) -> Option<String> {
        self.dice.one_of(&self.stage.fleet.bases()).cloned()
    }

    /// The merchant wants this store, so it asks until it is told: with the same key, it is the same store (RELIABILITY F64).
    async fn create(&mut self) {
        if !self.stage.shop.take_place() {
            return self.read().await;
        }
        self.made += 1;
        let name = format!("{}-{}-{}", self.shift, self.number, self.made);
        let key = format!("{:016x}", self.dice.within(0..u64::MAX));
        let engine = if self.dice.percent(50) { "medusa" } else { "woocommerce" };
        let call = Call::Create { name, key };
        let (mut answered, mut made) = (false, false);
        for attempt in 0..TRIES {
            // Now and then the same request goes to two replicas at once.
            let twins = attempt == 0 && self.dice.percent(15);
            let (first, second) = (self.any_base(), self.any_base().filter(|_| twins));
            let hangs_up = self.hangs_up();
            let (caller, began) = (self.caller.clone(), self.stage.recorder.now());
            let ask = async |base: Option<String>| match (base, &call) {
                (Some(base), Call::Create { name, key }) => {
                    let heard = send(caller.create(&base, name, engine, key), hangs_up).await;
                    (heard, self.stage.recorder.now())
                }
                _ => (Heard::Nobody, began),
            };
            let (first, second) = tokio::join!(ask(first), ask(second));
            let mut ids = Vec::new();
            for (heard, ended) in [first, second] {
                let Heard::Outcome(outcome, store) = heard else { continue };
                if let (Outcome::Done { state, operation }, Some(id)) = (&outcome, &store) {
                    self.stage.shop.saw(self.merchant, id, state, operation.clone());
                }
                answered |= outcome != Outcome::Unknown;
                made |= matches!(outcome, Outcome::Done { .. });
                ids.extend(store.clone());
                self.record(store, call.clone(), began, ended, outcome);
            }
            if let [one, other] = ids.as_slice()
                && one != other
            {
                self.stage.violations.add(format!("one key made two stores: {one} and {other}"));
            }
            if answered {
                break;
            }
            let pause = self.dice.millis(100..500);
            tokio::time::sleep(pause).await;
        }
        if !made {
            self.stage.shop.give_place_back();
        }
    }

    async fn read(&mut self) {
        let picked = self.stage.shop.pick(self.merchant, &mut self.dice, |_| true);
        let Some(known) = picked else { return };
        let caller = self.caller.clone();
        self.ask(known.clone(), Call::Read, move |base| caller.read(base, &known.id)).await;
    }

    async fn delete(&mut self) {
        // Deleting twice is one deletion, so some are asked for again; and some go before they are there.
        let (again, impatient) = (self.dice.percent(10), self.dice.percent(20));
        let settled = |known: &Known| matches!(known.state.as_str(), "ready" | "failed");
        let wanted = |known: &Known| (again || !known.leaving) && (impatient || settled(known));
        let picked = self.stage.shop.pick(self.merchant, &mut self.dice, wanted);
        let Some(known) = picked else { return };
        self.stage.shop.leaves(self.merchant, &known.id);
        let caller = self.caller.clone();
        self.ask(known.clone(), Call::Delete, move |base| caller.delete(base, &known.id)).await;
    }

    async fn retry(&mut self) {
        let picked = self.stage.shop.pick(self.merchant, &mut self.dice, |known| known.state == "failed");
        let Some(known) = picked else { return self.read().await };
        if self.dice.percent(80) {
            self.stage.pardon(&known.id).await;
        }
        let caller = self.caller.clone();
        self.ask(known.clone(), Call::Retry, move |base| caller.retry(base, &known.id)).await;
    }

    async fn cancel(&mut self) {
        let young = |known: &Known| matches!(known.state.as_str(), "requested" | "provisioning");
        let Some(known) = self.stage.shop.pick(self.merchant, &mut self.dice, young) else { return self.read().await };
        let Some(operation) = known.operation.clone().filter(|told| told.kind == "provision") else { return };
        let caller = self.caller.clone();
        let id = operation.id.clone();
        self.ask(known, Call::Cancel { operation: operation.id }, move |base| caller.cancel(base, &id)).await;
    }

    /// Asks once; only an answer that says that nothing was done is followed by another try.
    async fn ask(&mut self, known: Known, call: Call, request: impl Fn(&str) -> reqwest::RequestBuilder) {
        let began = self.stage.recorder.now();
        let mut outcome = None;
        for _ in 0..TRIES {
            let Some(base) = self.any_base() else {
                tokio::time::sleep(Duration::from_millis(300)).await;
                continue;
            };
            match send(request(&base), self.hangs_up()).await {
                Heard::Nobody | Heard::NotNow => tokio::time::sleep(self.dice.millis(100..500)).await,
                Heard::Outcome(heard, _) => {
                    outcome = Some(heard);
                    break;
                }
            }
        }
        // Nobody ever took the request.
        let Some(outcome) = outcome else { return };
        if let Outcome::Done { state, operation } = &outcome {
            self.stage.shop.saw(self.merchant, &known.id, state, operation.clone());
        }
        let ended = self.stage.recorder.now();
        self.record(Some(known.id), call, began, ended, outcome);
    }

    fn record(&self, store: Option<String>, call: Call, began: Duration, ended: Duration, outcome: Outcome) {
        let ended = (outcome != Outcome::Unknown).then_some(ended);
        self.stage.recorder.add(Record { client: self.number, store, call, began, ended, outcome });
    }
}
