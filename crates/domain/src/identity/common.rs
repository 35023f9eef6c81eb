//! Passwords that everybody tries first (RELIABILITY S7). No list of stolen ones is shipped: a dozen guesses a quarter of an hour get no
//! further than the beginning of it.

use std::collections::BTreeSet;

/// Words that guesses are made of. They are compared without case, without what stands in for letters, and without digits and signs around
/// them: `P4ssw0rd!2026` is one.
const WORDS: &[&str] = &[
    "abcabc",
    "abcd",
    "access",
    "admin",
    "adminadmin",
    "administrator",
    "adobe",
    "asdf",
    "asdfasdf",
    "asdfghjkl",
    "ashley",
    "azerty",
    "azertyuiop",
    "bailey",
    "baseball",
    "basketball",
    "batman",
    "biteme",
    "butterfly",
    "changeme",
    "changemeplease",
    "charlie",
    "cheese",
    "chocolate",
    "computer",
    "cookie",
    "correct horse",
    "correct horse battery",
    "correct horse battery staple",
    "correcthorse",
    "correcthorsebattery",
    "correcthorsebatterystaple",
    "daniel",
    "default",
    "dragon",
    "example",
    "facebook",
    "flower",
    "football",
    "freedom",
    "fuckyou",
    "google",
    "guest",
    "hallo",
    "hello",
    "helloworld",
    "hunter",
    "iloveyou",
    "internet",
    "jennifer",
    "jessica",
    "jordan",
    "killer",
    "letmein",
    "letmeinnow",
    "liverpool",
    "login",
    "lovely",
    "loveme",
    "maggie",
    "master",
    "medusa",
    "michael",
    "michelle",
    "monkey",
    "motdepasse",
    "mustang",
    "mypassword",
    "myspace",
    "nicole",
    "ninja",
    "nothing",
    "pass",
    "passpass",
    "passphrase",
    "password",
    "passwordpassword",
    "passwort",
    "photoshop",
    "pokemon",
    "postgres",
    "princess",
    "purple",
    "qazwsx",
    "qazwsxedc",
    "qwer",
    "qwerqwer",
    "qwerty",
    "qwertyqwerty",
    "qwertyuiop",
    "qwertz",
    "qwertzuiop",
    "rainbow",
    "robert",
    "root",
    "samantha",
    "secret",
    "secretsecret",
    "shadow",
    "shop",
    "shopify",
    "shopping",
    "shopwright",
    "soccer",
    "solo",
    "starwars",
    "store",
    "summer",
    "sunshine",
    "superman",
    "test",
    "tester",
    "testing",
    "testtest",
    "thomas",
    "tigger",
    "trustno",
    "unknown",
    "user",
    "username",
    "welcome",
    "whatever",
    "winter",
    "woocommerce",
    "wordpress",
    "your-password",
    "yourpassword",
    "zxcvbn",
    "zxcvbnm",
];

/// Fewer different characters are a rhythm, not a password.
const FEWEST_DIFFERENT: usize = 4;

/// The letter that a sign stands for in words like `p4$$w0rd`.
const fn letter(sign: char) -> char {
    match sign {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// What is left without case and without what is not a letter around it.
fn bare(password: &str) -> String {
    password.to_lowercase().trim_matches(|c: char| !c.is_alphabetic()).to_owned()
}

/// Whether each character follows the one before as in `abcdefgh`, `87654321` or `aaaaaaaa`.
fn is_a_run(password: &str) -> bool {
    let codes: Vec<i64> = password.chars().map(|c| i64::from(u32::from(c))).collect();
    let steps: BTreeSet<i64> = codes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // `1234567890` has one step that is not.
    steps.len() == 1 || (steps.len() == 2 && steps.contains(&1) && password.ends_with("90"))
}

/// Whether a password is among those that everybody tries first.
pub fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let different: BTreeSet<char> = lower.chars().collect();
    if different.len() < FEWEST_DIFFERENT || is_a_run(&lower) || lower.chars().all(|c| c.is_ascii_digit()) {
        return true;
    }
    let read: String = lower.chars().map(letter).collect();
    // Digits at the end are a year before they are letters.
    let without_tail: String = bare(&lower).chars().map(letter).collect();
    [bare(&lower), bare(&read), without_tail].iter().any(|word| WORDS.binary_search(&word.as_str()).is_ok())
}

/// Whether a password is a name that belongs to it, with nothing but digits and signs around.
pub fn repeats(password: &str, name: &str) -> bool {
    let name = name.to_lowercase();
    let word = bare(&name);
    !name.is_empty() && (password.to_lowercase() == name || (!word.is_empty() && bare(password) == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_can_be_searched() {
        assert!(WORDS.is_sorted());
    }

    /// RELIABILITY S7.
    #[test]
    fn s7_what_everybody_tries_first_is_common_however_it_is_dressed_up() {
        for password in [
            "password",
            "Password123!",
            "P4$$w0rd",
            "p@ssword2026",
            "12345678",
            "87654321",
            "1234567890",
            "11111111",
            "abababab",
            "abcdefgh",
            "qwertyuiop",
            "QWERTY123",
            "letmein!!",
            "admin123!",
            "shopwright2026",
            "correct horse battery",
            "19841984",
        ] {
            assert!(is_common(password), "{password}");
        }
        for password in ["tY8v-4mPq", "seven otters", "grünkohl mit pinkel", "passages to rhodes", "adamant-heron"] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn a_name_with_a_year_repeats_the_name() {
        assert!(repeats("ada2026", "ada") && repeats("Ada.Lovelace1815", "ada.lovelace") && repeats("!!ada!!", "Ada"));
        assert!(!repeats("adamant", "ada") && !repeats("12345678", "") && !repeats("12345678", "99"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(password in "\\PC{0,40}", name in "\\PC{0,20}") {
            let _ = (is_common(&password), repeats(&password, &name));
        }
    }
}
