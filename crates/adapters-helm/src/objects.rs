//! The objects that a manifest names.

use serde::Deserialize;
use shopwright_ports::releases::ObjectRef;

/// So many are named in an error.
const NAMED: usize = 8;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    metadata: Option<Metadata>,
    /// Of a `List`.
    #[serde(default)]
    items: Vec<Head>,
}

#[derive(Deserialize)]
struct Metadata {
    name: Option<String>,
}

/// Why a manifest cannot be read. It quotes nothing: a manifest may hold what is nobody's business.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoManifest {
    #[error("it is not YAML")]
    Yaml,
    #[error("an object in it has no kind or no name")]
    Nameless,
}

/// All objects of a manifest, each once, in order.
pub(crate) fn of_manifest(manifest: &str) -> Result<Vec<ObjectRef>, NoManifest> {
    // Documents without content are null.
    let heads: Vec<Option<Head>> = serde_saphyr::from_multiple(manifest).map_err(|_| NoManifest::Yaml)?;
    let mut objects = Vec::new();
    for head in heads.into_iter().flatten() {
        collect(head, &mut objects)?;
    }
    objects.sort();
    objects.dedup();
    Ok(objects)
}

fn collect(head: Head, objects: &mut Vec<ObjectRef>) -> Result<(), NoManifest> {
    if head.kind.ends_with("List") && head.metadata.as_ref().is_none_or(|metadata| metadata.name.is_none()) {
        return head.items.into_iter().try_for_each(|item| collect(item, objects));
    }
    let name = head.metadata.and_then(|metadata| metadata.name).unwrap_or_default();
    if head.api_version.is_empty() || head.kind.is_empty() || name.is_empty() {
        return Err(NoManifest::Nameless);
    }
    objects.push(ObjectRef { api_version: head.api_version, kind: head.kind, name });
    Ok(())
}

/// The first few by name.
pub(crate) fn in_words(objects: &[ObjectRef]) -> String {
    let mut words = objects.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if objects.len() > NAMED {
        words.push_str(", ...");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(manifest: &str) -> Vec<String> {
        of_manifest(manifest).unwrap().iter().map(|it| format!("{} {it}", it.api_version)).collect()
    }

    #[test]
    fn every_object_of_a_manifest_is_named_once() {
        let manifest = "---\n# Source: a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, labels: {a: b}}\n\
                        data: {x: \"---\\nkind: Secret\"}\n---\n# nothing\n---\napiVersion: apps/v1\nkind: Deployment\n\
                        metadata:\n  name: web\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";

        assert_eq!(names(manifest), ["apps/v1 Deployment web", "v1 ConfigMap web"]);
        assert!(names("").is_empty());
        assert!(names("\n---\n").is_empty());
    }

    #[test]
    fn a_list_stands_for_its_items() {
        let manifest = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n";

        assert_eq!(names(manifest), ["v1 Secret s"]);
    }

    #[test]
    fn what_is_no_manifest_is_an_error_that_quotes_nothing() {
        for manifest in ["kind: [CANARY", "kind: CANARY", "apiVersion: v1\nkind: Secret\nmetadata: {}\n"] {
            let error = of_manifest(manifest).unwrap_err();
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn of_many_objects_the_first_are_named() {
        let object = ObjectRef { api_version: "v1".to_owned(), kind: "Secret".to_owned(), name: "s".to_owned() };

        assert_eq!(in_words(std::slice::from_ref(&object)), "Secret s");
        assert!(in_words(&vec![object; NAMED + 1]).ends_with("Secret s, ..."));
    }
}
