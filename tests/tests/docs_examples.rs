//! The examples of `docs/API.md`, run as they stand there: in order, in one shell, against the program itself over a simulated cluster.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use shopwright_api_actix::route_table;
use shopwright_system_tests::real::{Server, workspace};

/// One fenced `sh` block: its first line, its commands, and what they print.
struct Example {
    line: usize,
    script: String,
    printed: Vec<String>,
}

fn examples(text: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut open: Option<Example> = None;
    for (number, line) in text.lines().enumerate() {
        match (line, &mut open) {
            ("```sh", None) => open = Some(Example { line: number + 1, script: String::new(), printed: Vec::new() }),
            ("```", Some(_)) => found.extend(open.take()),
            (line, Some(example)) => {
                if let Some(printed) = line.strip_prefix("# => ") {
                    example.printed.push(printed.to_owned());
                } else {
                    example.script.push_str(line);
                    example.script.push('\n');
                }
            }
            (_, None) => {}
        }
    }
    found
}

/// Whether `text` is `pattern`, where `...` stands for anything.
fn matches(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// The shape of the URL that begins at `text`: what the shell fills in is `{}`, and what comes behind the path is left out.
fn shape(text: &str) -> String {
    let (mut shape, mut depth, mut filled) = (String::new(), 0_u32, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' if depth > 0 || filled => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '$' => {
                filled = true;
                shape.push_str("{}");
            }
            '/' => {
                filled = false;
                shape.push('/');
            }
            ' ' | '"' | '?' | ';' => break,
            _ if filled && at > 0 => {}
            letter => shape.push(letter),
        }
    }
    shape
}

/// The routes that a line of a script calls.
fn calls(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for command in line.split("curl ").skip(1) {
        let method = match command.split_once("-X ") {
            Some((_, rest)) => rest.split(' ').next().unwrap_or_default(),
            None if command.contains("--json") => "POST",
            None => "GET",
        };
        for (variable, base) in [("$API", "/api/v1"), ("$BASE", "")] {
            for (at, _) in command.match_indices(variable) {
                let path = shape(&command[at + variable.len()..]);
                found.push(format!("{method} {base}{path}"));
            }
        }
    }
    found
}

/// A pattern without the names of its parts.
fn nameless(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_is_called_by_an_example() -> anyhow::Result<()> {
    let text = std::fs::read_to_string(workspace().join("docs/API.md"))?;
    let called: BTreeSet<String> =
        examples(&text).iter().flat_map(|example| example.script.lines().flat_map(calls).collect::<Vec<_>>()).collect();

    // A file of the page has its own name.
    let missing: Vec<String> = route_table()
        .map(|(method, path, _)| {
            format!("{method} {}", nameless(path)).replace("/docs/{}", "/docs/swagger-initializer.js")
        })
        .filter(|route| !called.contains(route))
        .collect();

    assert!(missing.is_empty(), "docs/API.md calls none of these:\n{}\nIt calls:\n{called:#?}", missing.join("\n"));
    Ok(())
}

#[test]
fn calls_are_read_as_a_shell_reads_them() {
    assert_eq!(
        calls(
            r#"X=$(curl -s "$API/a/$B/c?d=$E" -H "x" | jq .a) curl -X DELETE $API/t/$(echo $M | jq -r .i) --json '{}'; curl $BASE/"#
        ),
        ["GET /api/v1/a/{}/c", "DELETE /api/v1/t/{}", "GET /"]
    );
    assert_eq!(calls(r#"curl -s $API/a --json '{"b": 1}'"#), ["POST /api/v1/a"]);
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

async fn run(document: &Path) -> anyhow::Result<usize> {
    let examples = examples(&std::fs::read_to_string(document)?);
    let directory = tempfile::tempdir()?;
    let settings = [
        ("SHOPWRIGHT_SIMULATED".to_owned(), "true".to_owned()),
        ("ADMIN_EMAIL".to_owned(), "admin@example.com".to_owned()),
        ("ADMIN_PASSWORD".to_owned(), "correct-horse".to_owned()),
    ];
    let server = Server::start(&settings, directory.path()).await?;

    // One shell for all of them: what an example sets, the next one uses. A mark tells their outputs apart.
    let mut script = String::from("set -euo pipefail\n");
    for example in &examples {
        writeln!(script, "echo '@@ {}'\n{}", example.line, example.script)?;
    }
    let mut shell = tokio::process::Command::new("bash");
    shell.arg("-c").arg(&script).env("API", format!("{}/api/v1", server.base)).env("BASE", &server.base);
    shell.current_dir(directory.path()).kill_on_drop(true);
    let output = tokio::time::timeout(std::time::Duration::from_mins(2), shell.output()).await??;
    let (printed, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    anyhow::ensure!(output.status.success(), "the examples end with {}:\n{printed}\n{complained}", output.status);

    let mut parts = printed.split("@@ ").skip(1);
    for example in &examples {
        let part = parts.next().unwrap_or_default();
        let lines: Vec<&str> = part.lines().skip(1).filter(|line| !line.trim().is_empty()).collect();
        let same = lines.len() == example.printed.len()
            && lines.iter().zip(&example.printed).all(|(line, pattern)| matches(line, pattern));
        anyhow::ensure!(
            same,
            "the example in line {} says that it prints\n  {}\nand prints\n  {}",
            example.line,
            example.printed.join("\n  "),
            lines.join("\n  ")
        );
    }
    Ok(examples.len())
}

#[tokio::test]
async fn every_example_of_the_api_does_what_it_says() -> anyhow::Result<()> {
    for program in ["bash", "curl", "jq"] {
        let required = std::env::var("SHOPWRIGHT_REQUIRE_TIERS").is_ok_and(|tiers| tiers == "all");
        if !has(program) {
            anyhow::ensure!(!required, "{program} is missing");
            eprintln!("LEFT OUT: no {program} here");
            return Ok(());
        }
    }

    let count = run(&workspace().join("docs/API.md")).await?;

    println!("{count} examples");
    assert!(count >= 8, "{count}");
    Ok(())
}

#[test]
fn dots_stand_for_anything() {
    assert!(matches(r#"{"id":"1","x":2}"#, r#"{"id":...,"x":2}"#));
    assert!(matches("eyJ", "eyJ...") && matches("200", "200"));
    assert!(!matches("201", "200") && !matches(r#"{"id":"1","x":3}"#, r#"{"id":...,"x":2}"#));
}
