//! Page tokens: where the next page of a list begins, for whoever brings the token back.
//!
//! A token is opaque: a version, a check, and a place in the list, in base64url. The check covers the list that the token was given for:
//! who asked, the filters, the order. A token that was changed, or is used for another list, is refused; it could show nothing that its
//! bearer may not see anyway, for the place only says where to go on. Tokens hold on every replica and do not expire.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use shopwright_domain::identity::Actor;

use crate::form::{Form, Rule};

const VERSION: u8 = 1;
const CHECK: usize = 8;
/// Ours are a fifth of that.
const LONGEST: usize = 512;

/// A list that tokens are given for.
pub(crate) struct List(String);

impl List {
    /// The list `name` as this actor asks for it: `filters` are the fields of the query that decide what is in it, and in which order.
    pub(crate) fn of(name: &str, actor: &Actor, form: &Form, filters: &[&str]) -> Self {
        let mut list = format!("{name}\n{}\n{}", actor.tenant_id, actor.role.as_str());
        for key in filters {
            if let Some(value) = form.value(key) {
                list.push('\n');
                list.push_str(key);
                list.push('=');
                list.push_str(&value.to_string());
            }
        }
        Self(list)
    }

    fn check(&self, place: &str) -> [u8; CHECK] {
        let mut hash = Sha256::new();
        for part in [&self.0, place] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut check = [0; CHECK];
        check.copy_from_slice(&hash.finalize()[..CHECK]);
        check
    }

    /// The token for a place.
    pub(crate) fn token(&self, place: &str) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.check(place));
        bytes.extend(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn place(&self, token: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|_| token.len() <= LONGEST)?;
        let (version, rest) = bytes.split_first()?;
        let (check, place) = rest.split_at_checked(CHECK)?;
        let place = str::from_utf8(place).ok()?;
        (*version == VERSION && self.check(place) == check).then(|| place.to_owned())
    }

    /// The place in `pageToken`, read by `read`; none when there is no token.
    pub(crate) fn after<P>(&self, form: &mut Form, read: impl Fn(&str) -> Option<P>) -> Option<P> {
        let token = form.optional("pageToken")?;
        if form.has("offset") {
            form.refuse("offset", Rule::new("object.oxor"), "offset does not go with pageToken: leave one of them out");
        }
        let place = self.place(&token).and_then(|place| read(&place));
        if place.is_none() {
            let message = "pageToken was not given for this list: send it back as it came, with the same filters and order, \
                           or leave it out to begin with the first page";
            form.refuse("pageToken", Rule::new("any.invalid"), message);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::fields;

    fn list(query: &str) -> List {
        let form = Form::new(fields(query.as_bytes()));
        List::of("stores", &crate::testing::OWNER.actor(), &form, &["status", "sort"])
    }

    #[test]
    fn a_token_leads_back_to_its_place() {
        let token = list("status=ready&limit=5").token("1764000000000000.store-1a2b3c4d");

        assert_eq!(list("limit=9&status=ready").place(&token).as_deref(), Some("1764000000000000.store-1a2b3c4d"));
    }

    #[test]
    fn a_token_is_good_for_its_list_alone() {
        let token = list("status=ready").token("place");
        let form = Form::new(fields(b"status=ready"));
        let lists = [
            list(""),
            list("status=failed"),
            list("status=ready&sort=name"),
            List::of("logs", &crate::testing::OWNER.actor(), &form, &["status"]),
            List::of("stores", &crate::testing::STRANGER.actor(), &form, &["status"]),
            List::of("stores", &crate::testing::ADMIN.actor(), &form, &["status"]),
        ];

        for other in lists {
            assert_eq!(other.place(&token), None, "{}", other.0);
        }
    }

    proptest! {
        #[test]
        fn a_token_that_was_changed_is_refused(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let list = list("");
            let mut bytes = URL_SAFE_NO_PAD.decode(list.token("1764000000000000.store-1a2b3c4d")).unwrap();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            prop_assert_eq!(list.place(&URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn any_text_is_no_token(text in "\\PC{0,600}") {
            prop_assert_eq!(list("").place(&text), None);
        }
    }
}
