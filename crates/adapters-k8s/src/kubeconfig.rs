//! The kubeconfig that helm gets: the same address and credentials as ours, acting as the worker of one claim.
//!
//! Files that the original refers to are embedded, so that what helm uses is what was read here; a token *file* stays a file, because
//! its content changes while we run. In memory it is a secret like any other.

use std::collections::HashMap;

use kube::Config;
use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use secrecy::SecretString;
use shopwright_ports::cluster::Fence;

use crate::embed::{base64, embed_file, pem};
use crate::names::{EPOCH_EXTRA, STORE_EXTRA, WORKER_GROUP, WORKER_USER};

/// Address and credentials, ready to be written into a kubeconfig.
#[derive(Clone)]
pub(crate) struct Access {
    cluster: Cluster,
    user: AuthInfo,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("server", &self.cluster.server).finish_non_exhaustive()
    }
}

impl Access {
    pub(crate) fn in_cluster(config: &Config) -> Self {
        let cluster = Cluster {
            server: Some(config.cluster_url.to_string()),
            certificate_authority_data: config
                .root_cert
                .as_ref()
                .map(|certificates| base64(pem(certificates).as_bytes())),
            ..Cluster::default()
        };
        Self { cluster, user: config.auth_info.clone() }
    }

    /// Follows a context of a kubeconfig whose relative paths are already resolved. The problem is said in words.
    pub(crate) fn of_file(file: &Kubeconfig, context: &str) -> Result<Self, String> {
        let named = |name: &str, what: &str| format!("it names the {what} `{name}`, which is not in the file");
        let context = file
            .contexts
            .iter()
            .find(|known| known.name == context)
            .and_then(|known| known.context.clone())
            .ok_or("it is empty")?;
        let mut cluster = file
            .clusters
            .iter()
            .find(|known| known.name == context.cluster)
            .and_then(|known| known.cluster.clone())
            .ok_or_else(|| named(&context.cluster, "cluster"))?;
        let user = context.user.unwrap_or_default();
        let mut user = file
            .auth_infos
            .iter()
            .find(|known| known.name == user)
            .and_then(|known| known.auth_info.clone())
            .ok_or_else(|| named(&user, "user"))?;
        if user.impersonate.is_some() {
            return Err("it impersonates somebody; use an account that has the rights itself".to_owned());
        }
        embed_file(&mut cluster.certificate_authority, &mut cluster.certificate_authority_data)?;
        embed_file(&mut user.client_certificate, &mut user.client_certificate_data)?;
        let mut key = None;
        embed_file(&mut user.client_key, &mut key)?;
        user.client_key_data = user.client_key_data.or(key.map(SecretString::from));
        Ok(Self { cluster, user })
    }

    /// As the worker of this claim.
    pub(crate) fn of_worker(&self, fence: &Fence) -> SecretString {
        let mut user = self.user.clone();
        user.impersonate = Some(WORKER_USER.to_owned());
        user.impersonate_groups = Some(vec![WORKER_GROUP.to_owned()]);
        let extra = [(STORE_EXTRA, fence.store_id.namespace().to_owned()), (EPOCH_EXTRA, fence.epoch.to_string())];
        user.impersonate_user_extra = Some(HashMap::from(extra.map(|(key, value)| (key.to_owned(), vec![value]))));
        Self { cluster: self.cluster.clone(), user }.write("shopwright")
    }

    /// The same cluster with a token of somebody else.
    pub(crate) fn with_token(&self, token: SecretString) -> Self {
        Self { cluster: self.cluster.clone(), user: AuthInfo { token: Some(token), ..AuthInfo::default() } }
    }

    /// A kubeconfig with this one context. It is JSON, which every reader of YAML takes.
    pub(crate) fn write(&self, name: &str) -> SecretString {
        let name = name.to_owned();
        let context = Context { cluster: name.clone(), user: Some(name.clone()), ..Context::default() };
        let file = Kubeconfig {
            api_version: Some("v1".to_owned()),
            kind: Some("Config".to_owned()),
            current_context: Some(name.clone()),
            clusters: vec![NamedCluster {
                name: name.clone(),
                cluster: Some(self.cluster.clone()),
                ..NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: name.clone(),
                auth_info: Some(self.user.clone()),
                ..NamedAuthInfo::default()
            }],
            contexts: vec![NamedContext { name, context: Some(context), ..NamedContext::default() }],
            ..Kubeconfig::default()
        };
        serde_json::to_string(&file).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use shopwright_domain::{Epoch, StoreId};

    use super::*;

    const FILE: &str = "{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: 'https://a:1'}}], \
                        users: [{name: u, user: {token: sesame}}, {name: i, user: {token: t, as: root}}], \
                        contexts: [{name: x, context: {cluster: c, user: u}}, {name: y, context: {cluster: gone, user: u}}, \
                        {name: z, context: {cluster: c, user: i}}]}";

    #[test]
    fn helm_acts_as_the_worker_of_one_claim() {
        let access = Access::of_file(&Kubeconfig::from_yaml(FILE).unwrap(), "x").unwrap();

        let text = access.of_worker(&Fence { store_id: StoreId::from_random(1), epoch: Epoch(7) });

        let written = Kubeconfig::from_yaml(text.expose_secret()).unwrap();
        let user = written.auth_infos[0].auth_info.clone().unwrap();
        assert_eq!(written.current_context.as_deref(), Some("shopwright"));
        assert_eq!(user.impersonate.as_deref(), Some("shopwright-worker"));
        assert_eq!(user.impersonate_groups, Some(vec!["shopwright-workers".to_owned()]));
        let extra = user.impersonate_user_extra.unwrap();
        assert_eq!(
            (&*extra["shopwright-store"], &*extra["shopwright-epoch"]),
            (&["store-00000001".to_owned()][..], &["7".to_owned()][..])
        );
        assert_eq!(user.token.unwrap().expose_secret(), "sesame");
    }

    #[test]
    fn a_context_that_leads_nowhere_is_told_in_words() {
        let file = Kubeconfig::from_yaml(FILE).unwrap();

        assert_eq!(Access::of_file(&file, "y").unwrap_err(), "it names the cluster `gone`, which is not in the file");
        assert!(Access::of_file(&file, "z").unwrap_err().starts_with("it impersonates somebody"));
    }

    #[test]
    fn what_is_printed_of_it_holds_no_secret() {
        let access = Access::of_file(&Kubeconfig::from_yaml(FILE).unwrap(), "x").unwrap();

        assert!(!format!("{access:?}").contains("sesame"));
    }
}
