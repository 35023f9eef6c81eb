//! Whatever is done to a chain shows, and shows first where it was done.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::audit::AuditEventType;

type Entry = (u64, AuditEvent, ChainDigest);

fn event(message: &str) -> AuditEvent {
    AuditEvent::new(TenantId::from_random(1), AuditEventType::Info, message, Timestamp::UNIX_EPOCH)
}

/// A chain with these messages, and its head.
fn chain(messages: &[&str]) -> (Vec<Entry>, ChainHead) {
    let mut head = ChainHead { tenant_id: TenantId::from_random(1), sequence: 0, digest: ChainDigest::default() };
    let mut entries = Vec::new();
    for message in messages {
        let event = event(message);
        head.sequence += 1;
        head.digest = digest(head.digest, head.sequence, &event);
        entries.push((head.sequence, event, head.digest));
    }
    (entries, head)
}

fn verify(entries: &[Entry], head: ChainHead) -> Result<(), Broken> {
    let mut verifier = Verifier::new(head);
    for (sequence, event, digest) in entries {
        verifier.next(*sequence, event, *digest)?;
    }
    verifier.end()
}

const MESSAGES: [&str; 5] = ["one", "two", "three", "four", "five"];

#[test]
fn a_chain_that_nobody_touched_is_whole() {
    let (entries, head) = chain(&MESSAGES);

    assert_eq!(verify(&entries, head), Ok(()));
    assert_eq!(verify(&[], chain(&[]).1), Ok(()));
    // What was added while we looked is the next look's matter.
    let (_, earlier) = chain(&MESSAGES[..3]);
    assert_eq!(verify(&entries, earlier), Ok(()));
}

#[test]
fn every_kind_of_tampering_is_named_with_its_first_entry() {
    let (whole, head) = chain(&MESSAGES);
    let tampered = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = whole.clone();
        change(&mut entries);
        verify(&entries, head)
    };
    let renumber = |entries: &mut Vec<Entry>| {
        for (at, entry) in entries.iter_mut().enumerate() {
            entry.0 = at as u64 + 1;
        }
    };

    let edited = tampered(&|entries| entries[2].1.message = "3".into());
    let deleted = tampered(&|entries| drop(entries.remove(1)));
    let closed_up = tampered(&|entries| {
        entries.remove(1);
        renumber(entries);
    });
    let inserted = tampered(&|entries| {
        let mut between = entries[1].clone();
        between.1 = event("between");
        entries.insert(2, between);
        renumber(entries);
    });
    let swapped = tampered(&|entries| {
        let (one, other) = (entries[1].1.clone(), entries[3].1.clone());
        (entries[1].1, entries[3].1) = (other, one);
    });
    let cut = tampered(&|entries| entries.truncate(3));
    let recomputed = tampered(&|entries| {
        entries[3].1.message = "vier".into();
        for at in 3..5 {
            entries[at].2 = digest(entries[at - 1].2, entries[at].0, &entries[at].1);
        }
    });
    let emptied = tampered(&Vec::clear);

    assert_eq!(edited, Err(Broken::Altered { sequence: 3 }));
    assert_eq!(deleted, Err(Broken::Missing { sequence: 2 }));
    assert_eq!(closed_up, Err(Broken::Altered { sequence: 2 }));
    assert_eq!(inserted, Err(Broken::Altered { sequence: 3 }));
    assert_eq!(swapped, Err(Broken::Altered { sequence: 2 }));
    assert_eq!(cut, Err(Broken::CutOff { sequence: 4, head: 5 }));
    assert_eq!(recomputed, Err(Broken::Replaced { sequence: 5 }));
    assert_eq!(emptied, Err(Broken::CutOff { sequence: 1, head: 5 }));
}

fn any_value() -> impl Strategy<Value = MetadataValue> {
    prop_oneof![
        "\\PC{0,6}".prop_map(MetadataValue::from),
        any::<i64>().prop_map(MetadataValue::from),
        any::<bool>().prop_map(MetadataValue::from),
    ]
}

fn any_map() -> impl Strategy<Value = BTreeMap<String, MetadataValue>> {
    prop::collection::btree_map("\\PC{0,4}", any_value(), 0..3)
}

fn any_event() -> impl Strategy<Value = AuditEvent> {
    ("\\PC{0,12}", any_map(), any_map(), prop::option::of("[0-9.:-]{0,5}"), prop::option::of("[0-9.:-]{0,5}")).prop_map(
        |(message, metadata, before, actor_email, ip_address)| AuditEvent {
            metadata,
            before,
            actor_email,
            ip_address,
            ..event(&message)
        },
    )
}

proptest! {
    /// No field can lend its bytes to its neighbour.
    #[test]
    fn two_entries_have_one_digest_only_when_they_are_the_same(one in any_event(), other in any_event()) {
        let digests = [&one, &other].map(|event| digest(ChainDigest::default(), 1, event));
        prop_assert_eq!(one == other, digests[0] == digests[1]);
    }
}

/// The bytes are a promise: entries of years ago must be verified by the program of today.
#[test]
fn the_digest_of_a_known_entry_stays() {
    let digest =
        digest(ChainDigest::default(), 1, &event("one").with("steps", 4).with("again", false).with("step", "publish"));

    assert_eq!(digest.to_string(), "57ab950a7b6b817c894b9d365a472c1ae3bbc5a793a8972d7e8716a940db4464");
}
