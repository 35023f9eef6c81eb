//! A descriptor's file: its keys, and nothing about what they mean.

use jiff::SignedDuration;
use serde::Deserialize;
use shopwright_domain::engine::{Administrator, Draft};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    summary: String,
    #[serde(default)]
    themes: Vec<String>,
    #[serde(default)]
    urls: Urls,
    readiness: Readiness,
    setup: Option<Setup>,
    credentials: Credentials,
    #[serde(default)]
    caveats: Vec<Caveat>,
    simulation: Option<Simulation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Urls {
    storefront: String,
    admin: Option<String>,
}

impl Default for Urls {
    fn default() -> Self {
        Self { storefront: "/".to_owned(), admin: None }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Readiness {
    deployments: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    steps: Vec<String>,
    #[serde(default)]
    personalises: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SignsIn {
    Email,
    Name,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    administrator: SignsIn,
    username: Option<String>,
    #[serde(default)]
    rotates: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caveat {
    name: String,
    value: String,
    note: String,
    refusal: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Simulation {
    seconds: u32,
}

/// What the file says of the engine with this name.
///
/// # Errors
/// Where it is not TOML, or has a key that is none, with the line.
pub(super) fn draft(name: &str, text: &str) -> Result<Draft, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        format!("line {line}: {}", error.message())
    })?;
    let administrator = match (file.credentials.administrator, file.credentials.username) {
        (SignsIn::Name, Some(username)) => Administrator::Name(username),
        (SignsIn::Name, None) => return Err("credentials.username: an administrator with a name needs one".to_owned()),
        (SignsIn::Email | SignsIn::None, Some(_)) => {
            return Err("credentials.username: only an administrator with a name has one".to_owned());
        }
        (SignsIn::Email, None) => Administrator::Email,
        (SignsIn::None, None) => Administrator::None,
    };
    let least = Draft::new(name);
    let (setup, setup_steps, personal) = match file.setup {
        Some(setup) => (true, setup.steps, setup.personalises),
        None => (false, Vec::new(), Vec::new()),
    };
    Ok(Draft {
        title: file.title,
        summary: file.summary,
        storefront_path: file.urls.storefront,
        admin_path: file.urls.admin,
        deployments: file.readiness.deployments,
        setup,
        setup_steps,
        administrator,
        rotates: file.credentials.rotates,
        themes: file.themes,
        personal,
        caveats: file.caveats.into_iter().map(|it| (it.name, it.value, it.note, it.refusal)).collect(),
        usual_start: file.simulation.map_or(least.usual_start, |it| SignedDuration::from_secs(i64::from(it.seconds))),
        ..least
    })
}
