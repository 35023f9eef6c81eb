//! The settings as flags of `serve` and `migrate`, with the same help text as everywhere else.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::settings::{ALL, Kind, Setting};

/// What was given on the command line, by the name of the flag.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    values: BTreeMap<String, String>,
}

impl Flags {
    /// The value of a flag, without its two hyphens.
    pub fn get(&self, flag: &str) -> Option<&str> {
        self.values.get(flag).map(String::as_str)
    }

    /// Flags from pairs, for tests and embedders.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self { values: pairs.into_iter().map(|(flag, value)| (flag.to_owned(), value.to_owned())).collect() }
    }
}

const CONFIG: &str = "config";

fn argument(setting: &'static Setting) -> Arg {
    let mut help = format!("{} [env: {}]", setting.help, setting.env);
    if let Some(default) = setting.default {
        help = format!("{help} [default: {default}]");
    }
    let argument = Arg::new(setting.flag).long(setting.flag).value_name(setting.value_name).help(help);
    match setting.kind {
        Kind::Switch => argument.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::Plain | Kind::Url | Kind::Secret => argument,
    }
}

/// The flag for a file that holds the value. Its id is the variable with `_FILE`, its name the flag with `-file`.
fn file_argument(setting: &'static Setting) -> Arg {
    let help = format!("A file that holds {0} [env: {0}_FILE]", setting.env);
    Arg::new(file_flag(setting)).long(file_flag(setting)).value_name("FILE").help(help)
}

/// The name of the flag that names a file.
pub(super) fn file_flag(setting: &Setting) -> String {
    format!("{}-file", setting.flag)
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .help("A TOML file with settings; flags and environment win over it [env: SHOPWRIGHT_CONFIG]");
        ALL.iter().fold(command.arg(config), |command, setting| {
            let command = if setting.has_flag() { command.arg(argument(setting)) } else { command };
            if setting.has_file() { command.arg(file_argument(setting)) } else { command }
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let names = ALL.iter().flat_map(|setting| {
            let value = setting.has_flag().then(|| setting.flag.to_owned());
            let file = setting.has_file().then(|| file_flag(setting));
            value.into_iter().chain(file)
        });
        let values = names
            .chain([CONFIG.to_owned()])
            .filter_map(|flag| matches.get_one::<String>(&flag).cloned().map(|value| (flag, value)))
            .collect();
        Ok(Self { values })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.values.append(&mut Self::from_arg_matches(matches)?.values);
        Ok(())
    }
}
