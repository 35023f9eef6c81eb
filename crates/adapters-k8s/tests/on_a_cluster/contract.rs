//! The contract that the fake keeps, too.

use shopwright_ports::testing::cluster_contract;

use crate::support::{bed, fresh};

#[tokio::test]
async fn the_adapter_keeps_the_contract() {
    let Some(bed) = bed().await else { return };

    cluster_contract::all(&bed.cluster, &mut fresh).await;
}
