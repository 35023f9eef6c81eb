//! What an installation would consist of: `helm template`, which asks no cluster.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;
use shopwright_ports::releases::{Manifest, ObjectRef, ReleaseError, ReleaseSpec};

use crate::command::{self, RunError, Setup};
use crate::failure;
use crate::redact::filtered;
use crate::releases::{HelmReleases, io_error};

pub(crate) async fn render(releases: &HelmReleases, spec: &ReleaseSpec) -> Result<Manifest, ReleaseError> {
    let helm = releases.helm().await?;
    let bundle = releases.bundle(spec).await?;
    let _permit = releases.permit().await?;
    let run_dir = releases.scratch.run_dir().map_err(|error| io_error("make a directory", error))?;
    let written = bundle.write(&run_dir).map_err(|error| io_error("copy the chart", error))?;
    // Into files: of what helm prints only the end is kept.
    let out = run_dir.path().join("rendered");
    let id = &spec.store_id;
    let mut args: Vec<OsString> = ["template", id.release()].map(OsString::from).into();
    args.push(written.chart.into());
    args.extend(["-n", id.namespace()].map(OsString::from));
    for file in written.values {
        args.extend([OsString::from("-f"), file.into()]);
    }
    args.extend(["-f", "-", "--no-hooks", "--skip-crds", "--output-dir"].map(OsString::from));
    args.push(out.clone().into());
    let settings = &releases.settings;
    let setup = Setup {
        helm: &helm.path,
        exec: &settings.exec,
        run_dir: &run_dir,
        kubeconfig: None,
        deadline: settings.deadline,
        grace: settings.grace,
    };
    match command::run(&setup, &args, bundle.document()).await {
        Ok(ended) if ended.status.success() => {
            let mut manifest = Manifest::new();
            collect(&out, &mut manifest)?;
            Ok(manifest)
        }
        Ok(ended) => Err(match failure::death(ended.status, &ended.stderr) {
            Some(reason) => ReleaseError::Died(reason),
            // Without a cluster there is nobody but the chart to blame.
            None => ReleaseError::Chart(filtered(&ended.stderr, "")),
        }),
        Err(RunError::Deadline) => Err(ReleaseError::Deadline(settings.deadline)),
        Err(RunError::Io(error)) => Err(io_error(&helm.path.display().to_string(), error)),
    }
}

fn collect(dir: &Path, manifest: &mut Manifest) -> Result<(), ReleaseError> {
    let unreadable = |error: io::Error| io_error("read what helm rendered", error);
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            collect(&path, manifest)?;
            continue;
        }
        let text = fs::read_to_string(&path).map_err(unreadable)?;
        // The error must not quote what may be nobody's business.
        let documents: Vec<Option<Value>> = serde_saphyr::from_multiple(&text)
            .map_err(|_| ReleaseError::Chart(format!("{} renders no YAML", path.display())))?;
        manifest.extend(documents.iter().flatten().filter_map(object));
    }
    Ok(())
}

fn object(document: &Value) -> Option<(ObjectRef, BTreeMap<String, String>)> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let object = ObjectRef {
        api_version: text(document.get("apiVersion"))?,
        kind: text(document.get("kind"))?,
        name: text(document.get("metadata").and_then(|metadata| metadata.get("name")))?,
    };
    let mut fields = BTreeMap::new();
    flatten(document, String::new(), &mut fields);
    for identity in ["apiVersion", "kind", "metadata.name"] {
        fields.remove(identity);
    }
    Some((object, fields))
}

/// Paths as people write them. An entry of a list that has a name is called by it, so that one more in front changes nothing.
fn flatten(value: &Value, path: String, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten(value, if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, fields);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                let name = value.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                flatten(value, format!("{path}[{name}]"), fields);
            }
        }
        Value::String(text) => drop(fields.insert(path, text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => drop(fields.insert(path, value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_told_by_the_paths_of_its_fields() {
        let document = serde_json::json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 1, "containers": [{"name": "web", "image": "x:1"}], "args": ["a"]},
        });

        let (object, fields) = object(&document).unwrap();

        assert_eq!((object.to_string(), object.api_version.as_str()), ("Deployment web".to_owned(), "apps/v1"));
        let fields: Vec<_> = fields.iter().map(|(path, value)| format!("{path}={value}")).collect();
        let wanted =
            ["spec.args[0]=a", "spec.containers[web].image=x:1", "spec.containers[web].name=web", "spec.replicas=1"];
        assert_eq!(fields, wanted);
    }
}
