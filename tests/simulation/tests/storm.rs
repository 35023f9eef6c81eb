//! Everything that had to wait is due at once: RELIABILITY F30. `sim storm` does the same with 2,000 operations.

#[test]
fn f30_operations_that_are_told_to_come_back_at_the_same_time_do_not() {
    shopwright_simulation::storm::storm(120).holds();
}
