//! The TOML file: one flat table with the settings' keys. A key that is no setting is refused by name.

use std::collections::BTreeMap;
use std::path::Path;

use super::mistakes::Mistake;
use super::settings::{ALL, Setting};

/// Keys and values of the file, values as text.
#[derive(Debug, Default)]
pub(super) struct File {
    values: BTreeMap<String, String>,
}

/// The key for a file that holds the value.
pub(super) fn file_key(setting: &Setting) -> String {
    format!("{}_file", setting.key())
}

fn is_known(key: &str) -> bool {
    ALL.iter().any(|setting| setting.key() == key || (setting.has_file() && file_key(setting) == key))
}

/// Keys may be written like the variables, too: `SHOPWRIGHT_LEASE` is `lease`.
fn normalised(key: &str) -> String {
    let lower = key.to_lowercase().replace('-', "_");
    lower.strip_prefix("shopwright_").unwrap_or(&lower).to_owned()
}

fn mistake(path: &Path, problem: String, remedy: &str) -> Mistake {
    Mistake { name: path.display().to_string(), origin: None, problem, remedy: remedy.to_owned() }
}

impl File {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Reads the file. What is wrong with single keys is told together; the rest of the file still counts.
    pub(super) fn read(path: &Path, mistakes: &mut Vec<Mistake>) -> Self {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let remedy = "Name a readable file with --config or SHOPWRIGHT_CONFIG, or neither.";
                mistakes.push(mistake(path, format!("the configuration file cannot be read: {error}"), remedy));
                return Self::default();
            }
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                // The parser's own text quotes the line, and the line may hold a secret.
                let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
                let problem = format!("line {line} is not TOML: {}", error.message());
                mistakes.push(mistake(path, problem, "Write lines like `http_addr = \"127.0.0.1:3001\"`."));
                return Self::default();
            }
        };
        let mut file = Self::default();
        for (key, value) in table {
            let name = normalised(&key);
            let value = match value {
                _ if !is_known(&name) => {
                    let remedy = "Remove it, or correct its name: `shopwright serve --help` lists all settings.";
                    mistakes.push(mistake(path, format!("`{key}` is not a setting"), remedy));
                    continue;
                }
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(switch) => switch.to_string(),
                _ => {
                    let problem = format!("`{key}` must be a text, a whole number, true or false");
                    mistakes.push(mistake(path, problem, "Put the value in quotation marks."));
                    continue;
                }
            };
            if file.values.insert(name, value).is_some() {
                mistakes.push(mistake(path, format!("`{key}` is set twice"), "Keep one of them."));
            }
        }
        file
    }
}
