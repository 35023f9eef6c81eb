//! Every edge of the breaker. RELIABILITY F32.

use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

/// One call that passes at `seconds` and comes to `outcome` at once.
fn call(breaker: &mut Breaker, outcome: Outcome, seconds: i64) {
    let ticket = breaker.pass(at(seconds)).unwrap();
    breaker.report(ticket, outcome, at(seconds));
}

fn open_at(seconds: i64) -> Breaker {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    for _ in 0..5 {
        call(&mut breaker, Outcome::Silent, seconds);
    }
    breaker
}

#[test]
fn five_failures_in_a_row_open_it_and_an_answer_between_does_not() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    for outcome in [Outcome::Silent; 4].into_iter().chain([Outcome::Answered]).chain([Outcome::Silent; 4]) {
        call(&mut breaker, outcome, 0);
    }

    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&mut breaker, Outcome::Silent, 0);
    assert_eq!(breaker.pass(at(29)), Err(Refused { until: at(30) }));
}

#[test]
fn what_says_nothing_neither_counts_nor_forgets() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    for outcome in [Outcome::Silent, Outcome::Unknown].into_iter().cycle().take(8) {
        call(&mut breaker, outcome, 0);
    }

    assert_eq!(breaker.state(), BreakerState::Closed, "four did not answer");
    call(&mut breaker, Outcome::Silent, 0);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn the_last_silence_is_told_and_nothing_else_is_one() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    call(&mut breaker, Outcome::Answered, 1);
    call(&mut breaker, Outcome::Unknown, 2);
    assert_eq!(breaker.snapshot().failed_at, None);

    call(&mut breaker, Outcome::Silent, 3);
    call(&mut breaker, Outcome::Answered, 4);
    assert_eq!(breaker.snapshot().failed_at, Some(at(3)));
}

#[test]
fn after_the_pause_exactly_one_probe_passes_and_its_answer_closes() {
    let mut breaker = open_at(0);

    let probe = breaker.pass(at(30)).unwrap();
    assert!(probe.is_probe());
    assert!(breaker.pass(at(30)).is_err());
    breaker.report(probe, Outcome::Answered, at(31));

    assert!(!breaker.pass(at(31)).unwrap().is_probe());
}

#[test]
fn a_failed_probe_opens_it_again() {
    let mut breaker = open_at(0);

    let probe = breaker.pass(at(30)).unwrap();
    breaker.report(probe, Outcome::Silent, at(31));

    assert_eq!(breaker.pass(at(60)), Err(Refused { until: at(61) }));
}

#[test]
fn a_probe_that_was_dropped_or_says_nothing_is_handed_back_at_once() {
    let mut breaker = open_at(0);

    let probe = breaker.pass(at(30)).unwrap();
    breaker.report(probe, Outcome::Unknown, at(31));

    assert_eq!(breaker.state(), BreakerState::Open, "nothing is known yet");
    assert!(breaker.pass(at(31)).unwrap().is_probe());
    assert!(breaker.pass(at(31)).is_err());
}

#[test]
fn a_probe_that_never_reports_back_does_not_wedge_it_and_its_late_word_does_not_count() {
    let mut breaker = open_at(0);

    let lost = breaker.pass(at(30)).unwrap();
    assert!(breaker.pass(at(89)).is_err());
    let second = breaker.pass(at(90)).unwrap();
    assert!(second.is_probe());

    breaker.report(lost, Outcome::Answered, at(91));
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.report(second, Outcome::Answered, at(92));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn what_was_begun_before_it_opened_neither_closes_it_nor_keeps_it_open() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    let stragglers = [(); 4].map(|()| breaker.pass(at(0)).unwrap());
    for _ in 0..5 {
        call(&mut breaker, Outcome::Silent, 0);
    }

    breaker.report(stragglers[0], Outcome::Answered, at(10));
    breaker.report(stragglers[1], Outcome::Silent, at(29));
    assert_eq!(breaker.pass(at(29)), Err(Refused { until: at(30) }));

    let probe = breaker.pass(at(30)).unwrap();
    breaker.report(stragglers[2], Outcome::Answered, at(31));
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.report(probe, Outcome::Answered, at(31));
    breaker.report(stragglers[3], Outcome::Silent, at(32));
    for _ in 0..4 {
        call(&mut breaker, Outcome::Silent, 32);
    }
    assert_eq!(breaker.state(), BreakerState::Closed, "the straggler's failure was not counted");
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Pass,
    Report(usize, Outcome),
    Wait(i64),
}

fn any_move() -> impl Strategy<Value = Move> {
    let outcome = prop_oneof![Just(Outcome::Answered), Just(Outcome::Silent), Just(Outcome::Unknown)];
    prop_oneof![
        Just(Move::Pass),
        (0usize..8, outcome).prop_map(|(at, with)| Move::Report(at, with)),
        (0i64..40).prop_map(Move::Wait)
    ]
}

proptest! {
    /// However calls overlap: it never has two probes out, never lets anything else pass while it is not closed, and is never wedged.
    #[test]
    fn one_probe_at_a_time_and_never_wedged(moves in prop::collection::vec(any_move(), 1..200)) {
        let policy = BreakerPolicy::default();
        let mut breaker = open_at(0);
        let (mut now, mut out): (i64, Vec<(Ticket, i64)>) = (0, Vec::new());

        for step in moves {
            match step {
                Move::Wait(seconds) => now += seconds,
                Move::Report(index, outcome) if index < out.len() => {
                    let (ticket, _) = out.swap_remove(index);
                    breaker.report(ticket, outcome, at(now));
                }
                Move::Report(..) => {}
                Move::Pass => {
                    let before = breaker.state();
                    if let Ok(ticket) = breaker.pass(at(now)) {
                        prop_assert_eq!(ticket.is_probe(), before != BreakerState::Closed);
                        if ticket.is_probe() {
                            let young = |(other, since): &&(Ticket, i64)| other.is_probe() && other.spell + 1 == ticket.spell && now - since < 60;
                            prop_assert!(!out.iter().any(|known| young(&known)), "two probes are out");
                        }
                        out.push((ticket, now));
                    }
                }
            }
        }
        prop_assert!(breaker.pass(at(now) + policy.pause.max(policy.probe_timeout)).is_ok());
    }
}
