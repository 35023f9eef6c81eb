//! Making a namespace that nobody knew to be there, against a scripted apiserver.

use http::Method;
use shopwright_ports::testing::engines;

use super::*;
use crate::scripted::{Answer, calls};

fn namespace(owner: &StoreId) -> Value {
    json!({"metadata": {
        "name": "store-00000001",
        "labels": {STORE_ID: owner.as_str()},
        "annotations": {EPOCH: "1"},
    }})
}

/// F33: after a request whose answer was lost the name is taken. That is not enough, it must be ours.
#[tokio::test]
async fn f33_a_name_that_is_taken_is_read_before_anything_is_done_in_it() {
    let ours = StoreId::from_random(1);
    for owner in [ours.clone(), StoreId::from_random(2)] {
        let (named, mut arrived) = (namespace(&owner), false);
        let (calls, seen) = calls(move |asked| match (&asked.method, asked.path.as_str()) {
            (&Method::GET, _) if !arrived => Answer::json(404, &json!({"code": 404, "reason": "NotFound"})),
            (&Method::GET, _) => Answer::json(200, &named),
            (&Method::POST, "/api/v1/namespaces") => {
                arrived = true;
                Answer::json(409, &json!({"code": 409, "reason": "AlreadyExists"}))
            }
            _ => Answer::json(200, &json!({})),
        });
        let fence = Fence { store_id: ours.clone(), epoch: Epoch(1) };

        let made = KubeCluster::mocked(calls).make_namespace(&fence, &engines::medusa()).await;

        let written = seen.all().iter().filter(|asked| asked.method == Method::PATCH).count();
        if owner == ours {
            assert!(made.is_ok() && written > 0, "ours is adopted: {made:?}");
        } else {
            assert!(matches!(made, Err(ClusterError::Foreign(_))) && written == 0, "{written} writes: {made:?}");
        }
    }
}
