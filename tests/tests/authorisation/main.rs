//! The matrix of authorisation: every route of the table x everybody who may come, over the whole application.
//!
//! What is expected follows from the table of routes (who may use a route at all), from one line per route in `policy.rs` (what it does, to
//! whose things) and from the one table of roles and actions. A route without its line fails. Every request meets the same rows: they are
//! put back before each.

mod callers;
mod company;
mod policy;

use callers::Caller;
use company::Company;
use policy::{Verdict, expected, policy};
use shopwright_api_actix::route_table;
use shopwright_system_tests::Mocked;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_what_the_tables_say_and_nothing_else() -> anyhow::Result<()> {
    let world = Mocked::start().await?;
    let company = Company::found(&world).await?;
    let rows = world.storage.snapshot().await;
    let (mut verdicts, mut allowed, mut wrong) = (0, 0, Vec::new());
    for (method, path, access) in route_table() {
        let route = format!("{method} {path}");
        let Some(policy) = policy(&route) else {
            wrong.push(format!("{route} has no line in tests/tests/authorisation/policy.rs"));
            continue;
        };
        for caller in Caller::all() {
            world.storage.restore(&rows).await;
            let wanted = expected(policy, access, &caller);
            let got = company.ask(&route, &caller).await?;
            verdicts += 1;
            allowed += usize::from(wanted == Verdict::Allowed);
            if !wanted.is(&got) {
                wrong.push(format!("{route} by {caller:?}: {wanted:?} expected, {got:?} came"));
            }
        }
    }

    println!("{verdicts} verdicts on {} routes, {allowed} of them yes, {} wrong", route_table().count(), wrong.len());
    assert!(wrong.is_empty(), "{} wrong verdicts:\n{}", wrong.len(), wrong.join("\n"));
    assert!(verdicts > 1_000 && allowed > 200, "{verdicts} {allowed}");
    Ok(())
}
