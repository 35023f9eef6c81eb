//! What a failed request means to the port's caller: the one table of it.

use shopwright_ports::cluster::ClusterError;

use crate::calls::{CallError, Refusal};
use crate::names::{BASE_REFUSAL, EPOCH_REFUSAL, FENCE_REFUSAL};

impl From<CallError> for ClusterError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoAnswer { detail, source } => Self::Unreachable { detail, source },
            CallError::Refused(refusal) => of_refusal(refusal),
        }
    }
}

fn of_refusal(refusal: Refusal) -> ClusterError {
    let Refusal { code, reason, message, kind, retry_after } = refusal;
    let says = |text: &str| message.contains(text);
    match code {
        401 => ClusterError::Denied("the cluster does not accept the credentials of the kubeconfig".to_owned()),
        403 if says(FENCE_REFUSAL) || says(EPOCH_REFUSAL) => ClusterError::StaleEpoch { known: None },
        403 if says("exceeded quota") => ClusterError::Quota(message),
        403 if says("because it is being terminated") => ClusterError::Terminating,
        403 if says("violates PodSecurity") => ClusterError::Policy(message),
        // Our own policy on our own account: the account is too narrow, or an older version installed the policy.
        403 if says(BASE_REFUSAL) => ClusterError::Denied(message),
        // Somebody's policy or webhook, which names itself: no right is missing, the object is not wanted (F40).
        403 if says("denied request:") || says("denied the request") => ClusterError::Policy(message),
        403 => ClusterError::Denied(message),
        404 if kind == "namespaces" => ClusterError::NamespaceGone,
        409 if says("object is being deleted") => ClusterError::Terminating,
        429 => ClusterError::Throttled { retry_after },
        _ if message.is_empty() => ClusterError::Rejected(format!("{code} {reason}")),
        _ => ClusterError::Rejected(message),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shopwright_domain::error_code::{ErrorClass, ErrorCode};
    use shopwright_domain::saga::StepError;

    use super::*;

    fn refused(code: u16, kind: &str, message: &str) -> ClusterError {
        let refusal = Refusal {
            code,
            reason: String::new(),
            message: message.to_owned(),
            kind: kind.to_owned(),
            retry_after: Some(Duration::from_secs(7)),
        };
        CallError::Refused(refusal).into()
    }

    #[test]
    fn the_reasons_of_a_403_are_told_apart() {
        let fence = "configmaps \"p\" is forbidden: ValidatingAdmissionPolicy 'shopwright-fence' with binding \
                     'shopwright-fence' denied request: shopwright fence: not the namespace's epoch";
        let quota = "pods \"web\" is forbidden: exceeded quota: store, requested: pods=1, used: pods=10";
        let going = "secrets \"s\" is forbidden: unable to create new content in namespace store-1 because it is being \
                     terminated";
        let rights =
            "secrets is forbidden: User \"system:serviceaccount:shopwright-system:shopwright\" cannot list resource";

        assert!(matches!(refused(403, "configmaps", fence), ClusterError::StaleEpoch { .. }));
        assert!(matches!(refused(403, "pods", quota), ClusterError::Quota(_)));
        assert!(matches!(refused(403, "secrets", going), ClusterError::Terminating));
        assert!(matches!(refused(403, "secrets", rights), ClusterError::Denied(_)));
    }

    /// F40: whose policy it was is in its words; it is not mistaken for a lack of rights, nor for an outage.
    #[test]
    fn f40_a_policys_no_is_told_in_its_words() {
        for denial in [
            "configmaps \"p\" is forbidden: ValidatingAdmissionPolicy 'no-maps' with binding 'no-maps' denied request: no maps",
            "admission webhook \"maps.example.test\" denied the request without explanation",
        ] {
            let error = refused(403, "configmaps", denial);
            assert!(matches!(&error, ClusterError::Policy(words) if words == denial), "{error:?}");
            let shown = StepError::from(error);
            assert_eq!((shown.code, shown.code.class()), (ErrorCode::PolicyDenied, ErrorClass::Platform));
            assert!(shown.detail.contains(denial), "{shown:?}");
        }
        let ours = "namespaces \"a\" is forbidden: ValidatingAdmissionPolicy 'shopwright-base' with binding 'shopwright-base' \
                    denied request: shopwright base: this namespace is no store's";
        assert!(matches!(refused(403, "namespaces", ours), ClusterError::Denied(_)));

        let down = "Internal error occurred: failed calling webhook \"maps.example.test\": connection refused";
        let down: ClusterError = CallError::NoAnswer { detail: format!("PATCH /x: 500 {down}"), source: None }.into();
        assert!(down.is_outage() && down.to_string().contains("maps.example.test"), "{down}");
    }

    /// F51: whoever else claims the field is named.
    #[test]
    fn f51_a_conflict_of_appliers_names_the_other_one() {
        let conflict = "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas";

        assert!(
            matches!(refused(409, "deployments", conflict), ClusterError::Rejected(words) if words.contains("kubectl-edit"))
        );
    }

    #[test]
    fn only_the_namespace_itself_missing_means_that_it_is_gone() {
        assert!(matches!(refused(404, "namespaces", "namespaces \"a\" not found"), ClusterError::NamespaceGone));
        assert!(matches!(refused(404, "secrets", "secrets \"a\" not found"), ClusterError::Rejected(_)));
    }

    #[test]
    fn a_throttle_says_when_to_come_back() {
        let throttled = refused(429, "", "too many requests");

        assert!(matches!(throttled, ClusterError::Throttled { retry_after: Some(delay) } if delay.as_secs() == 7));
    }

    #[test]
    fn an_answer_never_counts_as_an_outage() {
        for code in [400, 401, 403, 404, 409, 413, 422, 429] {
            assert!(!refused(code, "", "no").is_outage(), "{code}");
        }
        assert!(ClusterError::from(CallError::NoAnswer { detail: String::new(), source: None }).is_outage());
    }
}
