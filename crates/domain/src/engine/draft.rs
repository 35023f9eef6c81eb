//! A descriptor as somebody wrote it, before anything about it is known to be true.

use jiff::SignedDuration;

use super::{Administrator, Caveat, EngineDescriptor, Personal, Readiness, RotationTarget};
use crate::store::{EngineName, ThemeName};

/// A descriptor's texts. All of it is data of whoever runs the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// See [`EngineDescriptor::name`].
    pub name: String,
    /// See [`EngineDescriptor::title`].
    pub title: String,
    /// See [`EngineDescriptor::summary`].
    pub summary: String,
    /// See [`EngineDescriptor::storefront_path`].
    pub storefront_path: String,
    /// See [`EngineDescriptor::admin_path`].
    pub admin_path: Option<String>,
    /// See [`Readiness::deployments`].
    pub deployments: Vec<String>,
    /// Whether stores are set up by a Job.
    pub setup: bool,
    /// See [`EngineDescriptor::setup_steps`].
    pub setup_steps: Vec<String>,
    /// See [`EngineDescriptor::administrator`].
    pub administrator: Administrator,
    /// See [`EngineDescriptor::rotates`].
    pub rotates: Vec<String>,
    /// See [`EngineDescriptor::themes`].
    pub themes: Vec<String>,
    /// See [`EngineDescriptor::personal`].
    pub personal: Vec<String>,
    /// Name, path of the value with dots, note and refusal of each; see [`Caveat`].
    pub caveats: Vec<(String, String, String, String)>,
    /// See [`EngineDescriptor::usual_start`].
    pub usual_start: SignedDuration,
}

impl Draft {
    /// The least that is a descriptor: a deployment `web` that answers on `/`, and nothing else.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            title: name.clone(),
            summary: format!("stores on {name}"),
            name,
            storefront_path: "/".to_owned(),
            admin_path: None,
            deployments: vec!["web".to_owned()],
            setup: false,
            setup_steps: Vec::new(),
            administrator: Administrator::None,
            rotates: Vec::new(),
            themes: Vec::new(),
            personal: Vec::new(),
            caveats: Vec::new(),
            usual_start: SignedDuration::from_secs(5),
        }
    }
}

/// The longest text that is shown to people.
const LONGEST: usize = 200;

/// Takes mistakes in the order of the fields.
#[derive(Default)]
struct Mistakes(Vec<String>);

impl Mistakes {
    fn require(&mut self, holds: bool, mistake: impl FnOnce() -> String) {
        if !holds {
            self.0.push(mistake());
        }
    }

    fn line(&mut self, field: &str, text: &str) {
        let holds = !text.trim().is_empty() && text.chars().count() <= LONGEST && !text.contains(char::is_control);
        self.require(holds, || format!("{field} must be one line of 1 to {LONGEST} characters"));
    }

    fn path(&mut self, field: &str, path: &str) {
        let holds = path.starts_with('/') && path.len() <= LONGEST && path.bytes().all(|b| b.is_ascii_graphic());
        self.require(holds, || format!("{field} must be a path that begins with /: {path:?}"));
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error| self.0.push(format!("{field}: {error}: {text:?}"))).ok()
    }

    fn distinct(&mut self, field: &str, texts: &[String]) {
        let mut seen = texts.to_vec();
        seen.sort();
        seen.dedup();
        self.require(seen.len() == texts.len(), || format!("{field} names something twice"));
    }
}

/// What the platform's words for objects and steps look like.
fn is_object_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl EngineDescriptor {
    /// The descriptor that `draft` writes down.
    ///
    /// # Errors
    /// Every mistake in it, in words that name the field.
    pub fn check(draft: &Draft) -> Result<Self, Vec<String>> {
        let mut mistakes = Mistakes::default();
        let name = mistakes.parsed::<EngineName>("name", &draft.name);
        mistakes.line("title", &draft.title);
        mistakes.line("summary", &draft.summary);
        mistakes.path("urls.storefront", &draft.storefront_path);
        if let Some(path) = &draft.admin_path {
            mistakes.path("urls.admin", path);
        }
        mistakes.require(!draft.deployments.is_empty(), || {
            "readiness.deployments must name one at least: without any nothing tells that a store is installed"
                .to_owned()
        });
        for (field, names) in [("readiness.deployments", &draft.deployments), ("setup.steps", &draft.setup_steps)] {
            for name in names.iter().filter(|name| !is_object_name(name)) {
                mistakes.require(false, || format!("{field}: {name:?} is not a name"));
            }
            mistakes.distinct(field, names);
        }
        mistakes.require(draft.setup || draft.setup_steps.is_empty(), || {
            "setup.steps are steps of a set-up, and there is none".to_owned()
        });
        if let Administrator::Name(name) = &draft.administrator {
            let holds = (1..=60).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b));
            mistakes.require(holds, || format!("credentials.username is no name to sign in with: {name:?}"));
        }
        let rotates: Vec<RotationTarget> =
            draft.rotates.iter().filter_map(|text| mistakes.parsed("credentials.rotates", text)).collect();
        mistakes.distinct("credentials.rotates", &draft.rotates);
        mistakes.require(draft.setup || rotates.is_empty(), || {
            "credentials.rotates: it is the set-up that applies a new password, and there is none".to_owned()
        });
        let pointless = rotates.contains(&RotationTarget::Administrator) && draft.administrator == Administrator::None;
        mistakes.require(!pointless, || "credentials.rotates: there is no administrator".to_owned());
        let themes: Vec<ThemeName> = draft.themes.iter().filter_map(|text| mistakes.parsed("themes", text)).collect();
        mistakes.distinct("themes", &draft.themes);
        let personal = draft.personal.iter().filter_map(|text| {
            let known = Personal::ALL.into_iter().find(|known| known.as_str() == text);
            mistakes.require(known.is_some(), || {
                format!("personalisation: {text:?} is none of host, title, administrator")
            });
            known
        });
        let personal: Vec<Personal> = personal.collect();
        mistakes.distinct("personalisation", &draft.personal);
        mistakes.require(draft.setup || personal.is_empty(), || {
            "personalisation: it is the set-up that applies it, and there is none".to_owned()
        });
        let caveats = draft.caveats.iter().map(|(name, value, note, refusal)| {
            mistakes.require(is_object_name(name), || format!("caveats: {name:?} is not a name"));
            let path: Vec<String> = value.split('.').map(str::to_owned).collect();
            mistakes.require(path.iter().all(|part| !part.is_empty()), || {
                format!("caveats: {value:?} is not the path of a value")
            });
            mistakes.line("caveats: note", note);
            mistakes.require(!refusal.trim().is_empty(), || "caveats: a refusal says what to do".to_owned());
            Caveat { name: name.clone(), value: path, note: note.clone(), refusal: refusal.clone() }
        });
        let caveats: Vec<Caveat> = caveats.collect();
        mistakes.require(draft.usual_start.is_positive(), || "simulation.seconds must be positive".to_owned());
        match name {
            Some(name) if mistakes.0.is_empty() => Ok(Self {
                name,
                title: draft.title.clone(),
                summary: draft.summary.clone(),
                storefront_path: draft.storefront_path.clone(),
                admin_path: draft.admin_path.clone(),
                readiness: Readiness { deployments: draft.deployments.clone(), setup: draft.setup },
                setup_steps: draft.setup_steps.clone(),
                administrator: draft.administrator.clone(),
                rotates,
                themes,
                personal,
                caveats,
                usual_start: draft.usual_start,
            }),
            Some(_) | None => Err(mistakes.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_descriptor_is_one() {
        let engine = EngineDescriptor::check(&Draft::new("static")).unwrap();

        assert_eq!((engine.name().as_str(), engine.storefront_path(), engine.admin_path()), ("static", "/", ""));
        assert_eq!(engine.default_theme(), None);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let draft = Draft {
            title: " ".to_owned(),
            storefront_path: "shop".to_owned(),
            admin_path: Some("/with space".to_owned()),
            deployments: vec!["web".to_owned(), "web".to_owned(), "Web".to_owned()],
            setup_steps: vec!["begin".to_owned()],
            administrator: Administrator::Name("two words".to_owned()),
            rotates: vec!["root".to_owned()],
            themes: vec!["Dark".to_owned()],
            personal: vec!["colour".to_owned()],
            caveats: vec![("bare".to_owned(), "a..b".to_owned(), String::new(), String::new())],
            usual_start: SignedDuration::ZERO,
            ..Draft::new("Static Site")
        };

        let mistakes = EngineDescriptor::check(&draft).unwrap_err();

        let wanted = [
            "name: ",
            "title ",
            "urls.storefront ",
            "urls.admin ",
            "readiness.deployments: \"Web\"",
            "readiness.deployments names",
            "setup.steps ",
            "credentials.username ",
            "credentials.rotates: ",
            "themes: ",
            "personalisation: ",
            "caveats: \"a..b\"",
            "caveats: note",
            "caveats: a refusal",
            "simulation.seconds ",
        ];
        assert_eq!(mistakes.len(), wanted.len(), "{mistakes:#?}");
        for (mistake, wanted) in mistakes.iter().zip(wanted) {
            assert!(mistake.starts_with(wanted), "{mistake} is not about {wanted}");
        }
    }

    #[test]
    fn what_only_a_set_up_can_do_needs_one() {
        let draft = Draft {
            administrator: Administrator::Email,
            rotates: vec!["administrator".to_owned()],
            personal: vec!["title".to_owned()],
            ..Draft::new("static")
        };

        assert_eq!(EngineDescriptor::check(&draft).unwrap_err().len(), 2);
        assert!(EngineDescriptor::check(&Draft { setup: true, ..draft }).is_ok());
    }
}
