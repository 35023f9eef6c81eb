//! Lists, page by page: no answer grows with the cluster, and all pages show the same moment. Nothing comes from an apiserver's cache: a
//! list that lags would tell of what is gone and hide what is there (RELIABILITY F36).

use http::Request;
use k8s_openapi::List;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::params::ListParams;
use kube::core::{ObjectList, PartialObjectMeta, request};
use serde::de::DeserializeOwned;

use super::request::{built, of};
use super::{CallError, Calls, Identity};

/// Objects in one answer.
const PAGE: u32 = 500;
/// More than any cluster holds; an apiserver that always has another page is ill.
const MOST_PAGES: usize = 400;
/// How often a listing begins anew because the cluster has forgotten the moment that its pages show. After that it asks for all at once.
const RESTARTS: usize = 2;

/// One answer to a list.
trait Page: DeserializeOwned {
    type Item;
    /// What it holds, and the token of the next one.
    fn open(self) -> (Vec<Self::Item>, Option<String>);
}

impl<K: k8s_openapi::ListableResource + DeserializeOwned> Page for List<K> {
    type Item = K;

    fn open(self) -> (Vec<K>, Option<String>) {
        (self.items, self.metadata.continue_)
    }
}

impl<K: Clone> Page for ObjectList<PartialObjectMeta<K>> {
    type Item = ObjectMeta;

    fn open(self) -> (Vec<ObjectMeta>, Option<String>) {
        (self.items.into_iter().map(|item| item.metadata).collect(), self.metadata.continue_)
    }
}

impl Calls {
    /// All objects of a kind.
    pub(crate) async fn list<K>(
        &self,
        identity: Identity<'_>,
        namespace: Option<&str>,
        params: &ListParams,
    ) -> Result<Vec<K>, CallError>
    where
        K: Resource<DynamicType = ()> + k8s_openapi::ListableResource + DeserializeOwned,
    {
        self.pages::<List<K>>(identity, params, |page| of::<K>(namespace).list(page)).await
    }

    /// What all objects of a kind are called and labelled, without the objects.
    pub(crate) async fn list_metadata<K>(
        &self,
        namespace: Option<&str>,
        params: &ListParams,
    ) -> Result<Vec<ObjectMeta>, CallError>
    where
        K: Resource<DynamicType = ()> + Clone,
    {
        let request = |page: &ListParams| of::<K>(namespace).list_metadata(page);
        self.pages::<ObjectList<PartialObjectMeta<K>>>(Identity::Base, params, request).await
    }

    async fn pages<P: Page>(
        &self,
        identity: Identity<'_>,
        params: &ListParams,
        request: impl Fn(&ListParams) -> Result<Request<Vec<u8>>, request::Error>,
    ) -> Result<Vec<P::Item>, CallError> {
        let (mut items, mut next, mut restarts) = (Vec::new(), None, 0);
        for _ in 0..MOST_PAGES {
            let limit = (restarts < RESTARTS).then_some(PAGE);
            let page = ListParams { limit, continue_token: next.take(), ..params.clone() };
            match self.send::<P>(identity, built(request(&page))?).await {
                Ok(page) => {
                    let (found, token) = page.open();
                    items.extend(found);
                    next = token.filter(|token| !token.is_empty());
                    if next.is_none() {
                        return Ok(items);
                    }
                }
                // The pages so far are of a moment that cannot be continued (F35).
                Err(error) if error.has_code(410) && restarts < RESTARTS => {
                    restarts += 1;
                    items.clear();
                }
                Err(error) => return Err(error),
            }
        }
        Err(CallError::NoAnswer { detail: format!("a list has no end after {MOST_PAGES} pages"), source: None })
    }
}

#[cfg(test)]
mod tests;
