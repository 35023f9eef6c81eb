//! Flags win over the environment, that over the file, that over the defaults; secrets may also come from files of their own.

#![cfg(feature = "binary")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::fs;

use clap::{CommandFactory, Parser};
use secrecy::ExposeSecret;
use shopwright_app::config::{Config, Environment, Flags, MigrateConfig, settings};

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    flags: Flags,
}

/// Where nothing but the settings in question matters.
fn simulated(variables: &[(&str, &str)], flags: &[&str]) -> Config {
    let flags = Program::try_parse_from(["serve"].iter().chain(flags)).unwrap().flags;
    let always = [("SHOPWRIGHT_SIMULATED", "true")];
    Config::load(&flags, &Environment::of_variables(always.into_iter().chain(variables.iter().copied()))).unwrap()
}

#[test]
fn flag_then_environment_then_file_then_default() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shopwright.toml").display().to_string();
    fs::write(&file, "http_addr = \"127.0.0.1:3\"\nmax_stores_per_user = 7\nSHOPWRIGHT_LEASE = \"20s\"\n").unwrap();
    let (from_file, variable, flag) =
        (("SHOPWRIGHT_CONFIG", file.as_str()), ("HTTP_ADDR", "127.0.0.1:2"), ["--http-addr", "127.0.0.1:1"]);

    let port = |variables: &[(&str, &str)], flags: &[&str]| simulated(variables, flags).http_addr.port();

    assert_eq!(port(&[], &[]), 3001);
    assert_eq!(port(&[from_file], &[]), 3);
    assert_eq!(port(&[from_file, variable], &[]), 2);
    assert_eq!(port(&[from_file, variable], &flag), 1);
    assert_eq!(simulated(&[from_file], &[]).requests.plans.standard.stores.0, 7);
    assert_eq!(simulated(&[from_file], &[]).worker.lease.as_secs(), 20);
    assert_eq!(simulated(&[], &["--config", &file]).http_addr.port(), 3);
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    assert_eq!(simulated(&[("HTTP_ADDR", "")], &[]).http_addr.port(), 3001);
}

#[test]
fn a_switch_may_stand_alone_or_with_its_value() {
    assert!(!simulated(&[], &["--worker=false"]).worker.enabled);
    assert!(simulated(&[("SHOPWRIGHT_WORKER", "no")], &["--worker"]).worker.enabled);
}

#[test]
fn a_secret_comes_from_a_file_without_its_line_end() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password").display().to_string();
    fs::write(&file, "correct horse\n").unwrap();

    let by_variable = simulated(&[("ADMIN_EMAIL", "ada@example.com"), ("ADMIN_PASSWORD_FILE", &file)], &[]);
    let by_flag = simulated(&[("ADMIN_EMAIL", "ada@example.com")], &["--admin-password-file", &file]);

    for config in [by_variable, by_flag] {
        assert_eq!(config.identity.admin.unwrap().password.expose_secret(), "correct horse");
    }
}

#[test]
fn a_secret_and_its_file_at_once_is_a_mistake() {
    let environment = Environment::of_variables([
        ("HOME", "/home/ada"),
        ("DATABASE_URL", "postgresql://db/x"),
        ("DATABASE_URL_FILE", "/nonexistent"),
    ]);

    let error = MigrateConfig::load(&Flags::default(), &environment).unwrap_err().to_string();

    assert!(error.contains("DATABASE_URL: it and DATABASE_URL_FILE are both set (environment)"), "{error}");
}

#[test]
fn no_secret_can_stand_on_the_command_line() {
    let mut command = Program::command();
    let help = command.render_long_help().to_string();

    assert!(!help.contains("--admin-password "), "{help}");
    assert!(!help.contains("--secret-key "), "{help}");
    let flags = Flags::of([("database-url", "postgresql://app:hunter2@db/x")]);
    let error = MigrateConfig::load(&flags, &Environment::of_variables([("HOME", "/home/ada")])).unwrap_err();
    assert!(error.to_string().contains("the flag holds a password"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn the_help_has_every_setting_with_its_variable() {
    let help = Program::command().term_width(1000).render_long_help().to_string();

    for setting in settings::ALL {
        assert!(help.contains(&format!("[env: {}", setting.env)), "{}", setting.env);
    }
}
