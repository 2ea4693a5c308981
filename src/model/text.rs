//! Checked text. A value of one of these types has passed its grammar; there is no other way in.
//!
//! A fault's text starts with its stable code and a colon: it has to cross serde, which carries text
//! only, and `codec::json` takes the code off again.

use super::limits;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use unicode_normalization::{IsNormalized, is_nfc, is_nfc_quick};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Why a text was refused: a stable code and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFault {
    /// One of `name-invalid`, `handle-invalid`, `email-invalid`, `text-invalid`.
    pub code: &'static str,
    /// What was expected and what was found.
    pub what: String,
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for TextFault {}

/// Code points that take no room on the screen and are not of category Cf: joiners, fillers and
/// variation selectors (Unicode's Default_Ignorable_Code_Point without Cf).
fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2065}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Why this code point may not stand in any text of a decision, if so.
fn forbidden(c: char) -> Option<&'static str> {
    match c.general_category() {
        GeneralCategory::Control => Some("a control character"),
        GeneralCategory::Format => Some("an invisible formatting or bidi-control character"),
        GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            Some("a line or paragraph separator")
        }
        GeneralCategory::Unassigned => Some("unassigned in Unicode 18.0"),
        GeneralCategory::PrivateUse => Some("for private use"),
        _ if is_zero_width(c) => Some("a zero-width character"),
        _ => None,
    }
}

/// Whether a character may reach a terminal or a commit's subject as it is: printable, assigned, and
/// neither hidden nor able to turn or move what stands beside it.
pub fn is_plain(c: char) -> bool {
    /// What was found of each character before: texts have few different ones, and to look one up takes longer than all
    /// else that is checked of it. 0: nothing yet.
    static FOUND: [AtomicU8; 1 << 16] = [const { AtomicU8::new(0) }; 1 << 16];
    const PLAIN: u8 = 1;
    const FORBIDDEN: u8 = 2;
    if (' '..='~').contains(&c) {
        return true;
    }
    let Some(found) = FOUND.get(c as usize) else {
        return forbidden(c).is_none();
    };
    match found.load(Ordering::Relaxed) {
        0 => {
            let plain = forbidden(c).is_none();
            found.store(if plain { PLAIN } else { FORBIDDEN }, Ordering::Relaxed);
            plain
        }
        found => found == PLAIN,
    }
}

fn check_text(
    text: &str,
    code: &'static str,
    max: usize,
    may_be_empty: bool,
) -> Result<(), TextFault> {
    let fault = |what: String| Err(TextFault { code, what });
    if text.is_empty() && !may_be_empty {
        return fault("it is empty".into());
    }
    if text.len() > max {
        return fault(format!(
            "expected at most {max} bytes, found {}",
            text.len()
        ));
    }
    if let Some(c) = text.chars().find(|c| !is_plain(*c)) {
        let why = forbidden(c).unwrap_or("not plain");
        return fault(format!("U+{:04X} is {why}", c as u32));
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return fault("it starts or ends with white space".into());
    }
    let normal = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => true,
        IsNormalized::No => false,
        IsNormalized::Maybe => is_nfc(text),
    };
    if !normal {
        return fault("it is not in Unicode normalization form NFC".into());
    }
    Ok(())
}

fn check_name(text: &str) -> Result<(), TextFault> {
    check_text(text, "name-invalid", limits::NAME, false)
}

fn check_note(text: &str) -> Result<(), TextFault> {
    check_text(text, "text-invalid", limits::NOTE, true)
}

fn check_prefix(text: &str) -> Result<(), TextFault> {
    check_text(text, "text-invalid", limits::NAME, true)
}

fn check_version(text: &str) -> Result<(), TextFault> {
    check_text(text, "text-invalid", limits::NAME, false)
}

fn check_person(text: &str) -> Result<(), TextFault> {
    const CODE: &str = "text-invalid";
    check_text(text, CODE, limits::NAME, false)?;
    // git strips these from the ends of a name, and `<` `>` delimit the address.
    let crud = |c: char| ".,:;<>\"\\'".contains(c);
    if text.contains(['<', '>']) || text.starts_with(crud) || text.ends_with(crud) {
        let what = "a person's name has no `<` or `>` and no punctuation at its ends".into();
        return Err(TextFault { code: CODE, what });
    }
    Ok(())
}

/// `[a-z0-9][a-z0-9-]{0,62}`, and not something git would take for an object id.
fn check_handle(text: &str) -> Result<(), TextFault> {
    let fault = |what: &str| {
        Err(TextFault {
            code: "handle-invalid",
            what: format!("{what}, found {} bytes that are not", text.len()),
        })
    };
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || text.len() > limits::HANDLE {
        return fault("expected 1 to 63 of a-z, 0-9 and `-`");
    }
    if !text.bytes().all(ok) || text.starts_with('-') {
        return fault("expected a-z, 0-9 and `-`, not starting with `-`");
    }
    if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return fault("expected something that does not look like an object id");
    }
    Ok(())
}

/// A plain address. The set is smaller than RFC 5322's: it is also a pattern in an allowed-signers
/// file, where `*`, `?`, `!`, `,` and quotes have a meaning.
fn check_email(text: &str) -> Result<(), TextFault> {
    let fault = |what: String| {
        Err(TextFault {
            code: "email-invalid",
            what,
        })
    };
    if text.len() > limits::EMAIL {
        return fault(format!("expected at most 254 bytes, found {}", text.len()));
    }
    let Some((local, domain)) = text.split_once('@') else {
        return fault("expected `local@domain`, found no `@`".into());
    };
    let ok = |b: u8, more: &[u8]| b.is_ascii_alphanumeric() || more.contains(&b);
    if local.is_empty() || !local.bytes().all(|b| ok(b, b"._%+-")) || local.starts_with('-') {
        return fault(
            "the part before `@` has other characters than letters, digits and ._%+-".into(),
        );
    }
    if domain.is_empty() || !domain.bytes().all(|b| ok(b, b".-")) {
        return fault(
            "the part after `@` has other characters than letters, digits, `.` and `-`".into(),
        );
    }
    Ok(())
}

/// `type/subtype` of RFC 6838, section 4.2, without parameters. Letters are lower case, so that a type has one
/// spelling.
fn check_media(text: &str) -> Result<(), TextFault> {
    let fault = |what: String| {
        Err(TextFault {
            code: "text-invalid",
            what,
        })
    };
    if text.len() > limits::MEDIA {
        return fault(format!(
            "expected at most {} bytes, found {}",
            limits::MEDIA,
            text.len()
        ));
    }
    let first = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let token = |part: &str| {
        part.bytes().next().is_some_and(first)
            && part.bytes().all(|b| first(b) || b"!#$&-^_.+".contains(&b))
    };
    match text.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => Ok(()),
        _ => fault(
            "expected `type/subtype` of a-z, 0-9 and !#$&-^_.+, each starting with a letter or digit"
                .into(),
        ),
    }
}

/// Reads a string as a checked text, without a copy of it on the way.
struct Checked<T>(PhantomData<T>);

impl<T: FromStr<Err = TextFault>> Visitor<'_> for Checked<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident by $check:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text and takes it.
            pub fn new(text: impl AsRef<str>) -> Result<Self, TextFault> {
                let text = text.as_ref();
                $check(text)?;
                Ok(Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_str(Checked(PhantomData))
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextFault;
            fn from_str(text: &str) -> Result<Self, TextFault> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.as_str().to_owned()
            }
        }

        impl From<&$name> for Arc<str> {
            fn from(text: &$name) -> Arc<str> {
                Arc::clone(&text.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_types! {
    /// The name of an alias or an entity: 1 to 512 bytes of NFC text.
    Name by check_name;
    /// A member's handle or a role: also one part of a ref name.
    Handle by check_handle;
    /// The last part of a proposal's ref name.
    Slug by check_handle;
    /// An e-mail address, as it stands in commits.
    Email by check_email;
    /// A person's name, as it stands in commits.
    PersonName by check_person;
    /// Free text on one line, at most 4,096 bytes; may be empty.
    Note by check_note;
    /// The beginning of names, at most 512 bytes; may be empty.
    Prefix by check_prefix;
    /// A version of something outside the space, 1 to 512 bytes.
    Version by check_version;
    /// A media type such as `text/plain`, at most 127 bytes.
    MediaType by check_media;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_unicode_version_is_that_of_both_crates() {
        let (a, b, c) = unicode_normalization::UNICODE_VERSION;
        assert_eq!((a, b, c), limits::UNICODE_VERSION);
        let (a, b, c) = unicode_properties::UNICODE_VERSION;
        let found = (a as u8, b as u8, c as u8);
        assert_eq!(found, limits::UNICODE_VERSION);
    }

    #[test]
    fn each_character_is_plain_unless_it_is_forbidden() {
        for c in '\0'..=char::MAX {
            let plain = (' '..='~').contains(&c) || forbidden(c).is_none();
            // Looked up, and then remembered.
            assert_eq!([is_plain(c), is_plain(c)], [plain; 2], "{:04x}", c as u32);
        }
    }

    #[test]
    fn names_refuse_what_deceives() {
        for good in ["US/Eastern", "Київ", "a b", "-x", "日本", "é"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " a",
            "a ",
            "a\nb",
            "a\u{1b}[31m",
            "a\u{202e}b",
            "a\u{200b}b",
            "e\u{301}",
            "\u{e000}",
            "\u{378}",
            "a\u{fe0f}",
            "a\u{2028}",
        ] {
            let fault = Name::new(bad).expect_err("must be refused");
            assert_eq!(fault.code, "name-invalid", "{bad:?}");
        }
        assert!(Name::new("x".repeat(512)).is_ok());
        assert!(Name::new("x".repeat(513)).is_err());
    }

    #[test]
    fn handles_are_parts_of_refs() {
        assert!(Handle::new("alice-2").is_ok());
        let hex = "a".repeat(40);
        for bad in ["", "-a", "Alice", "a/b", "a.b", "ä", hex.as_str()] {
            assert!(Handle::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn emails_are_no_patterns() {
        assert!(Email::new("a.b+c@example.org").is_ok());
        for bad in [
            "a", "@x", "a@", "*@x", "a@x,b@y", "!a@x", "a b@x", "a@x\n", "\"a\"@x",
        ] {
            assert!(Email::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn media_types_have_one_spelling() {
        let longest = format!("a/{}", "b".repeat(125));
        for good in ["text/plain", "image/svg+xml", "a/1", longest.as_str()] {
            assert!(MediaType::new(good).is_ok(), "{good}");
        }
        let long = longest.clone() + "b";
        for bad in [
            "",
            "text",
            "/plain",
            "text/",
            "text/+plain",
            "Text/plain",
            "text/plain; charset=utf-8",
            "text/plain/more",
            "text/\u{e9}",
            long.as_str(),
        ] {
            let fault = MediaType::new(bad).expect_err("must be refused");
            assert_eq!(fault.code, "text-invalid", "{bad}");
        }
    }

    #[test]
    fn person_names_survive_git() {
        assert!(PersonName::new("Alice A. Example").is_ok());
        for bad in ["", "<a>", "Alice.", "\"A\"", "a\nb"] {
            assert!(PersonName::new(bad).is_err(), "{bad}");
        }
    }
}
