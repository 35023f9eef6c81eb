//! Looks settings up: flags, then environment, then file, then default. Collects what is wrong instead of stopping at it.

use std::path::PathBuf;

use super::environment::Environment;
use super::file::{File, file_key};
use super::flags::{Flags, file_flag};
use super::mistakes::{ConfigError, Mistake};
use super::settings::{Kind, Setting};

/// A value and where it came from.
struct Given {
    text: String,
    origin: Option<String>,
}

/// One reading of the configuration.
pub(super) struct Reader<'a> {
    flags: &'a Flags,
    pub(super) environment: &'a Environment,
    file: File,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    /// Opens the configuration file, if one is named.
    pub(super) fn new(flags: &'a Flags, environment: &'a Environment) -> Self {
        let mut mistakes = Vec::new();
        let path = flags.get("config").or_else(|| environment.get("SHOPWRIGHT_CONFIG"));
        let file = path.map(|path| File::read(&environment.absolute(path), &mut mistakes)).unwrap_or_default();
        Self { flags, environment, file, mistakes }
    }

    /// Notes a mistake about a setting.
    pub(super) fn refuse(&mut self, setting: &Setting, problem: impl Into<String>, remedy: impl Into<String>) {
        let (name, problem, remedy) = (setting.env.to_owned(), problem.into(), remedy.into());
        self.mistakes.push(Mistake { name, origin: None, problem, remedy });
    }

    /// The result, unless something is wrong.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.mistakes.is_empty() => Ok(value),
            // A missing value without a mistake cannot be: every way to `None` notes one.
            _ => Err(ConfigError { mistakes: self.mistakes }),
        }
    }

    /// The value of a setting as `parse` understands it, or its default.
    ///
    /// `None` when it is not set and has no default, and after a mistake, which is then noted. What `parse` says goes on after the
    /// value: "is not a port".
    pub(super) fn read<T>(&mut self, setting: &Setting, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let given = self.given(setting)?;
        match parse(&given.text) {
            Ok(value) => Some(value),
            Err(problem) => {
                let shown: String = given.text.chars().take(80).collect();
                let problem = match setting.kind {
                    Kind::Plain | Kind::Switch => format!("`{shown}` {problem}"),
                    Kind::Url | Kind::Secret => format!("its value {problem}"),
                };
                let remedy = format!("Set it to something like {}={}", setting.env, setting.example);
                self.mistakes.push(Mistake { name: setting.env.to_owned(), origin: given.origin, problem, remedy });
                None
            }
        }
    }

    /// The text of a setting, taken as it is.
    pub(super) fn text(&mut self, setting: &Setting) -> Option<String> {
        self.read(setting, |text| Ok(text.to_owned()))
    }

    /// Whether somebody gave a value, right or wrong.
    pub(super) fn is_set(&self, setting: &Setting) -> bool {
        self.levels(setting).into_iter().any(|(_, value, file)| value.is_some() || file.is_some())
    }

    /// Value and file of each place to look in, in the order of precedence.
    fn levels(&self, setting: &Setting) -> [(&'static str, Option<String>, Option<String>); 3] {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let file = |text: Option<&str>| text.map(str::to_owned).filter(|_| setting.has_file());
        let variable = format!("{}_FILE", setting.env);
        [
            ("flag", owned(self.flags.get(setting.flag)), file(self.flags.get(&file_flag(setting)))),
            ("environment", owned(self.environment.get(setting.env)), file(self.environment.get(&variable))),
            ("configuration file", owned(self.file.get(&setting.key())), file(self.file.get(&file_key(setting)))),
        ]
    }

    fn given(&mut self, setting: &Setting) -> Option<Given> {
        let file_variable = format!("{}_FILE", setting.env);
        for (level, value, file) in self.levels(setting) {
            match (value, file) {
                (Some(_), Some(_)) => {
                    let problem = format!("it and {file_variable} are both set ({level})");
                    self.refuse(setting, problem, "Keep one of them.");
                    return None;
                }
                (Some(text), None) => {
                    if level == "flag" && setting.kind == Kind::Url && holds_password(&text) {
                        let problem = "the flag holds a password, and anybody on the machine can read command lines";
                        self.refuse(setting, problem, format!("Use {} or {file_variable}.", setting.env));
                        return None;
                    }
                    return Some(Given { text, origin: Some(level.to_owned()) });
                }
                (None, Some(path)) => return self.content(setting, &file_variable, &path),
                (None, None) => {}
            }
        }
        setting.default.map(|text| Given { text: text.to_owned(), origin: None })
    }

    /// The first line of a file that holds a secret.
    fn content(&mut self, setting: &Setting, variable: &str, path: &str) -> Option<Given> {
        let path: PathBuf = self.environment.absolute(path);
        let problem = match std::fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => {
                let text = text.trim_end_matches(['\n', '\r']).to_owned();
                return Some(Given { text, origin: Some(path.display().to_string()) });
            }
            Ok(_) => format!("{variable} names {}, which is empty", path.display()),
            Err(error) => format!("{variable} names {}, which cannot be read: {error}", path.display()),
        };
        self.refuse(setting, problem, "Name a readable file that holds the value and nothing else.");
        None
    }
}

fn holds_password(url: &str) -> bool {
    url::Url::parse(url)
        .is_ok_and(|url| url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password"))
}
