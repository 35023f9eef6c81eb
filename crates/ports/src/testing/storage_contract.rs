//! What every [`Storage`] does: one function per fact, on the fake and on PostgreSQL alike.
//!
//! A fact makes its own tenants, stores and cluster under random ids and leaves nothing behind that could be claimed, so facts can
//! follow each other in one database ([`all`]). They cannot run side by side in one, because a claim takes whatever is due: a test per
//! fact ([`crate::for_each_storage_fact`]) needs a database per test. No fact waits: a lease of no length has run out at once, and a
//! wake time lies far in the past or far in the future.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a broken fact is a failed test: it panics")]

mod claiming;
mod epochs;
mod events;
mod leases;
mod members;
mod queue;
mod reach;
mod records;
mod releases;
mod rows;
mod sessions;
mod stores;
mod transactions;
mod versions;
mod world;

pub use claiming::*;
pub use epochs::*;
pub use events::*;
pub use leases::*;
pub use members::*;
pub use queue::*;
pub use reach::*;
pub use records::*;
pub use releases::*;
pub use rows::*;
pub use sessions::*;
pub use stores::*;
pub use transactions::*;
pub use versions::*;
pub use world::{World, example_tenant};

use crate::storage::Storage;

/// Calls `$check!(fact)` for the name of every fact.
#[macro_export]
macro_rules! for_each_storage_fact {
    ($check:ident) => {
        $check!(dropping_a_transaction_rolls_it_back);
        $check!(everything_in_a_transaction_becomes_true_at_once);
        $check!(a_refused_write_ends_its_transaction);
        $check!(a_row_cannot_point_at_what_is_not_there);
        $check!(a_tenant_sees_its_own_rows_alone);
        $check!(a_tenant_changes_its_own_rows_alone);
        $check!(a_tenant_adds_rows_of_its_own_alone);
        $check!(platform_and_worker_reach_all_tenants);
        $check!(identity_reaches_no_store);
        $check!(nobody_but_identity_reaches_accounts);
        $check!(only_a_worker_claims);
        $check!(a_host_that_another_tenant_holds_is_not_free);
        $check!(only_the_platform_registers_clusters);
        $check!(a_tenant_reads_back);
        $check!(a_personal_organisation_is_its_persons);
        $check!(a_member_has_a_role_in_an_organisation);
        $check!(memberships_are_changed_and_ended);
        $check!(an_organisation_sees_its_own_members_alone);
        $check!(an_invitation_reads_back);
        $check!(an_invitation_is_accepted_once);
        $check!(invitations_that_are_over_are_forgotten);
        $check!(an_organisation_is_renamed_and_dissolved);
        $check!(a_tenant_changes_its_plan);
        $check!(a_user_reads_back);
        $check!(a_users_password_changes);
        $check!(users_are_unique_by_address_and_by_name);
        $check!(an_administrator_is_seen);
        $check!(accounts_are_listed_newest_first_in_pages);
        $check!(accounts_are_found_by_address_name_and_id);
        $check!(an_account_tells_what_is_live_of_it);
        $check!(an_account_is_closed_and_opened);
        $check!(an_account_is_locked_as_it_is_now);
        $check!(an_account_is_locked_with_all_administrators);
        $check!(a_cluster_is_brought_up_to_date);
        $check!(a_census_of_clusters_counts_each_by_itself);
        $check!(a_store_reads_back);
        $check!(a_save_writes_everything_but_the_epoch);
        $check!(a_stale_save_is_refused);
        $check!(raising_the_epoch_is_no_save);
        $check!(a_name_is_unique_among_the_live_stores_of_a_tenant);
        $check!(a_host_is_unique_among_all_live_stores);
        $check!(a_released_host_stays_in_quarantine);
        $check!(an_id_is_never_used_again);
        $check!(live_stores_are_counted_per_tenant);
        $check!(stores_are_listed_newest_first_in_pages);
        $check!(lists_of_stores_are_filtered);
        $check!(a_list_of_stores_is_gone_through_in_every_order);
        $check!(a_page_of_stores_begins_only_at_a_place_of_its_order);
        $check!(credentials_are_overwritten_and_forgotten);
        $check!(audit_numbers_have_no_gaps);
        $check!(an_audit_event_reads_back);
        $check!(audit_entries_are_listed_newest_first);
        $check!(audit_entries_are_filtered);
        $check!(a_chain_of_audit_entries_can_be_verified);
        $check!(the_heads_of_chains_are_listed);
        $check!(the_audit_trail_is_gone_through_from_end_to_end);
        $check!(every_change_of_an_operation_is_told);
        $check!(every_change_of_a_store_is_told);
        $check!(an_audit_entry_about_a_store_is_told);
        $check!(a_transaction_tells_an_operation_once);
        $check!(what_is_rolled_back_is_not_told);
        $check!(events_of_many_tenants_are_read_at_once);
        $check!(events_between_two_moments_are_those_of_all_tenants);
        $check!(events_are_forgotten_by_age);
        $check!(an_idempotency_key_gives_back_what_was_recorded);
        $check!(an_idempotency_key_is_written_over);
        $check!(the_first_answer_under_a_key_stands);
        $check!(an_answer_stands_beside_what_was_made);
        $check!(idempotency_keys_of_long_ago_are_forgotten);
        $check!(signing_keys_come_newest_first);
        $check!(a_session_reads_back_with_its_user);
        $check!(a_refresh_token_is_replaced_once);
        $check!(expired_refresh_tokens_are_forgotten_when_their_session_is_refreshed);
        $check!(sessions_are_listed_and_ended_by_their_user_alone);
        $check!(all_sessions_but_one_are_ended);
        $check!(no_session_outlives_the_closing_of_its_account);
        $check!(sessions_that_are_over_are_forgotten);
        $check!(an_api_token_reads_back_with_its_user);
        $check!(a_use_of_an_api_token_is_noted_once_in_a_while);
        $check!(api_tokens_are_listed_and_revoked_by_their_user_alone);
        $check!(all_api_tokens_of_a_user_are_revoked);
        $check!(api_tokens_that_are_over_are_forgotten);
        $check!(a_throttle_counts_under_its_key_alone);
        $check!(an_operation_reads_back);
        $check!(a_store_has_one_unfinished_operation);
        $check!(the_newest_operation_is_the_one_added_last);
        $check!(operations_are_listed_newest_first_and_filtered);
        $check!(a_retry_brings_the_steps_that_are_done);
        $check!(a_waiting_operation_stays_until_its_wake_time);
        $check!(a_waiting_operation_is_claimed_after_its_wake_time);
        $check!(the_next_due_time_is_the_earliest);
        $check!(a_wake_time_on_a_full_cluster_is_not_due);
        $check!(a_census_counts_what_is_there);
        $check!(a_superseded_operation_is_not_claimed);
        $check!(an_empty_queue_has_no_claim);
        $check!(a_claim_raises_the_epoch_of_the_store);
        $check!(a_claim_that_is_not_committed_is_none);
        $check!(a_running_operation_is_not_claimed_again);
        $check!(an_expired_lease_is_taken_over);
        $check!(the_oldest_operation_goes_first);
        $check!(the_tenant_with_the_fewest_running_goes_first);
        $check!(permits_bound_what_runs_on_a_cluster);
        $check!(an_expired_lease_holds_no_permit);
        $check!(claims_at_once_share_nothing);
        $check!(a_lease_that_was_taken_over_cannot_write);
        $check!(another_worker_cannot_use_a_lease);
        $check!(raising_the_epoch_ends_the_lease);
        $check!(a_superseded_operation_loses_its_lease);
        $check!(a_parked_operation_has_no_lease);
        $check!(an_expired_lease_is_the_workers_until_it_is_taken);
        $check!(renewing_tells_which_leases_are_lost);
        $check!(progress_is_there_for_readers);
        $check!(a_finished_operation_makes_room_for_the_next);
        $check!(an_operation_ends_only_as_it_can);
        $check!(what_is_waited_for_is_there_for_readers);
        $check!(what_an_installation_is_made_of_is_kept);
        $check!(an_origin_is_kept_once);
        $check!(origins_that_nobody_uses_are_forgotten);
        $check!(an_origin_that_somebody_needs_is_not_forgotten);
        $check!(only_a_worker_forgets_origins);
        $check!(what_a_set_up_has_done_is_there_for_readers);
        $check!(crashes_are_counted_with_their_step);
        $check!(a_lifted_epoch_is_above_what_the_cluster_has_seen);
        $check!(a_lifted_lease_is_the_workers_and_the_old_one_is_nobodys);
        $check!(an_epoch_above_the_known_one_stays);
        $check!(a_lift_that_is_not_committed_is_none);
        $check!(an_operation_of_a_later_version_is_left_alone);
        $check!(a_later_version_makes_nothing_due);
        $check!(a_later_versions_running_operation_holds_its_permit);
        $check!(every_kind_of_operation_is_claimed_with_its_steps);
        $check!(an_unwind_that_runs_gives_way);
    };
}

/// Every fact, one after the other.
pub async fn all(storage: &dyn Storage) {
    macro_rules! run {
        ($fact:ident) => {
            $fact(storage).await;
        };
    }
    for_each_storage_fact!(run);
}
