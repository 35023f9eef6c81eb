//! The contract that the fake keeps, kept by helm.

use shopwright_ports::testing::releases_contract::releases_contract;

use crate::world::World;

#[tokio::test]
async fn helm_keeps_the_contract() {
    let Some(world) = World::start().await else { return };

    releases_contract(&world).await;
}
