//! Takes out of helm's words what nobody may read in an error: credentials and addresses of the cluster.
//!
//! Everything of some length that the run's kubeconfig holds goes, and so does what looks like a credential or an address wherever it
//! came from. What is left is cut to a length that fits a column and a screen.

/// The longest error text.
const LONGEST: usize = 1000;

/// Helm's error, fit to be shown. `secrets` is the text of the kubeconfig.
pub(crate) fn filtered(stderr: &str, secrets: &str) -> String {
    let text = without_words_of(&error_of(stderr), secrets);
    let text = text.split_inclusive(char::is_whitespace).map(without_pattern).collect::<String>();
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}[...]", &text[..end]),
        None => text.to_owned(),
    }
}

/// Helm ends with `Error: ...`; warnings may come before, and log lines with the reasons.
fn error_of(stderr: &str) -> String {
    let error = match stderr.rfind("\nError: ") {
        Some(start) => &stderr[start + "\nError: ".len()..],
        None => stderr.strip_prefix("Error: ").unwrap_or(stderr),
    };
    let reasons =
        stderr.lines().filter(|line| line.starts_with("level=")).filter_map(|line| line.split_once(" error="));
    let reasons = reasons.map(|(_, reason)| reason.trim_matches('"').replace("\\\"", "\""));
    [error.to_owned()].into_iter().chain(reasons).collect::<Vec<_>>().join("; ")
}

fn without_words_of(text: &str, secrets: &str) -> String {
    let separates = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '{' | '}' | '[' | ']');
    let mut words: Vec<_> = secrets.split(separates).filter(|word| is_telling(word)).collect();
    // A word may be part of another.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.into_iter().fold(text.to_owned(), |text, word| text.replace(word, "[redacted]"))
}

/// Whether a word of a kubeconfig is more than a key, a name of an object or a number.
fn is_telling(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let digits = has(u8::is_ascii_digit);
    word.contains("://") || word.len() >= 12 && digits && has(u8::is_ascii_uppercase) || word.len() >= 20 && digits
}

/// Filters one word, with the white space that follows it.
fn without_pattern(word: &str) -> String {
    if let Some(start) = word.find("https://").or_else(|| word.find("http://")) {
        let (before, url) = word.split_at(start);
        let host = url.find("://").map_or(0, |scheme| scheme + 3);
        let ends = |c: char| matches!(c, '/' | '?' | '"' | '\'' | ',' | ')') || c.is_whitespace();
        let path = url[host..].find(ends).map_or(url.len(), |end| host + end);
        return format!("{before}[address]{}", &url[path..]);
    }
    runs(word, |run| is_address(run) || looks_secret(run))
}

/// Replaces those runs of characters that can be in a token or an address and that `unfit` names.
fn runs(word: &str, unfit: impl Fn(&str) -> bool) -> String {
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '+' | '=');
    let mut filtered = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let run_end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        // What ends the sentence is no part of it.
        let run_end = rest[..run_end].trim_end_matches(['.', ':', '-']).len();
        let (run, after) = rest.split_at(run_end);
        filtered.push_str(if unfit(run) { "[redacted]" } else { run });
        let starts = |c: char| belongs(c) && !matches!(c, '.' | ':' | '-');
        let gap_end = after.find(starts).unwrap_or(after.len());
        filtered.push_str(&after[..gap_end]);
        rest = &after[gap_end..];
    }
    filtered
}

fn is_address(run: &str) -> bool {
    let host = run.rsplit_once(':').map_or(run, |(host, _)| host);
    host.parse::<std::net::Ipv4Addr>().is_ok() || run.parse::<std::net::Ipv6Addr>().is_ok_and(|_| run.len() > 4)
}

/// A token or key: long, and of all kinds of letters. Names of objects have no capitals.
fn looks_secret(run: &str) -> bool {
    run.starts_with("eyJ")
        || run.len() >= 40
            && run.bytes().any(|b| b.is_ascii_uppercase())
            && run.bytes().any(|b| b.is_ascii_lowercase())
            && run.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = r#"{"clusters": [{"cluster": {"server": "https://api.example.com:6443"}}],
        "namespace": "store-1a2b3c4d", "users": [{"user": {"token": "CANARY-0123456789", "client-key-data": "TE9OR0tFWUNBTkFSWQ=="}}]}"#;

    #[test]
    fn nothing_of_the_kubeconfig_comes_through() {
        let said =
            "Error: token CANARY-0123456789 and key TE9OR0tFWUNBTkFSWQ== refused by https://api.example.com:6443";

        assert_eq!(filtered(said, KUBECONFIG), "token [redacted] and key [redacted] refused by [redacted]");
    }

    #[test]
    fn addresses_and_tokens_of_unknown_origin_are_taken_out() {
        let said = "Error: Get \"https://10.1.2.3:6443/api/v1/pods?limit=500\": dial tcp 10.1.2.3:6443: connect: refused, \
                    Bearer eyJhbGciOiJSUzI1NiJ9.e30.x, [fd00::12]:6443";

        assert_eq!(
            filtered(said, ""),
            "Get \"[address]/api/v1/pods?limit=500\": dial tcp [redacted]: connect: refused, Bearer [redacted], \
             [[redacted]]:6443"
        );
    }

    #[test]
    fn names_of_objects_and_files_stay() {
        let said = "Error: deployments.apps \"web\" in store-1a2b3c4d: /srv/charts/store-common/templates/_guards.tpl:12:3 v1.36.3";

        assert_eq!(filtered(said, KUBECONFIG), &said["Error: ".len()..]);
    }

    #[test]
    fn reasons_that_are_only_in_the_log_are_shown_with_the_error() {
        let said = concat!(
            "level=DEBUG msg=\"uninstall: deleting release\" name=r\n",
            "level=DEBUG msg=\"uninstall: failed\" error=\"[configmaps \\\"web\\\" is held by 10.0.0.1:6443]\"\n",
            "Error: failed to delete release: r",
        );

        let text = filtered(said, "");

        assert_eq!(text, "failed to delete release: r; [configmaps \"web\" is held by [redacted]]");
    }

    #[test]
    fn warnings_before_the_error_are_left_out_and_long_errors_are_cut() {
        let said = format!("W1123 warnings.go: beware\nError: {}", "x ".repeat(2000));

        let text = filtered(&said, "");

        assert!(text.starts_with("x x") && text.ends_with("[...]"));
        assert_eq!(text.chars().count(), LONGEST + "[...]".len());
    }
}
