//! What an administrator does once per cluster: accounts, rights and the policies of the fence. Doing it again brings them up to date.
//!
//! Nothing of it is done by the service itself, which could not: it has no right to (DECISIONS 8).

mod manifests;

use std::time::Duration;

use http::Request;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use secrecy::SecretString;
use shopwright_ports::cluster::ClusterError;
use tokio::time::Instant;

use crate::calls::{Calls, Identity};
use crate::names::{SERVICE_ACCOUNT, SYSTEM_NAMESPACE};
use crate::settings::{ConnectError, KubeSettings};
use crate::verify::FenceError;

/// How long a policy may take to be in force after it was written.
const IN_FORCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(200);

/// Why a cluster could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// There is no way to reach it.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// An object could not be written.
    #[error("{object} could not be written")]
    Apply {
        /// Kind and name.
        object: String,
        /// Why; usually the kubeconfig is not an administrator's.
        #[source]
        source: ClusterError,
    },
    /// Everything was written, and the fence does not hold all the same.
    #[error("the policies were written and are not in force")]
    NotInForce(#[source] FenceError),
    /// The service account's token was not given.
    #[error("no token for the service account was given")]
    Token(#[source] ClusterError),
    /// A manifest that this crate brings along cannot be used.
    #[error("the manifest {0} is damaged")]
    Manifest(String),
}

/// Makes accounts, rights and policies as they should be, with an administrator's rights, and waits until they are in force.
/// Returns what was written, as kind and name.
pub async fn prepare(admin: &KubeSettings) -> Result<Vec<String>, PrepareError> {
    let calls = admin.connect().await?.calls;
    let mut written = Vec::new();
    for manifest in manifests::all()? {
        let object = manifest.to_string();
        let request = manifest.apply()?;
        calls
            .send_unread(Identity::Base, request)
            .await
            .map_err(|error| PrepareError::Apply { object: object.clone(), source: error.into() })?;
        written.push(object);
    }
    await_force(&calls).await?;
    Ok(written)
}

async fn await_force(calls: &Calls) -> Result<(), PrepareError> {
    let deadline = Instant::now() + IN_FORCE;
    loop {
        match calls.verify_fence().await {
            Ok(()) => return Ok(()),
            Err(error) if error.may_pass() && Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(PrepareError::NotInForce(error)),
        }
    }
}

/// A kubeconfig of the service account, with the one context `shopwright`; its token is good for `lifetime` (the cluster may shorten it).
/// It holds a credential: write it with mode 0600.
pub async fn service_account_kubeconfig(
    admin: &KubeSettings,
    lifetime: Duration,
) -> Result<SecretString, PrepareError> {
    let connection = admin.connect().await?;
    let wanted = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let damaged = || PrepareError::Manifest("TokenRequest".to_owned());
    let path = format!("/api/v1/namespaces/{SYSTEM_NAMESPACE}/serviceaccounts/{SERVICE_ACCOUNT}/token");
    let body = serde_json::to_vec(&wanted).map_err(|_| damaged())?;
    let request = Request::post(path).header("content-type", "application/json").body(body).map_err(|_| damaged())?;
    let given: TokenRequest =
        connection.calls.send(Identity::Base, request).await.map_err(|error| PrepareError::Token(error.into()))?;
    let token = given.status.and_then(|status| status.token).ok_or_else(|| {
        PrepareError::Token(ClusterError::Rejected("the answer to the token request holds none".to_owned()))
    })?;
    Ok(connection.access.with_token(token.into()).write("shopwright"))
}
