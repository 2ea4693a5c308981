//! What a text looks like.

use unicode_normalization::UnicodeNormalization as _;

include!(concat!(env!("OUT_DIR"), "/looks.rs"));

/// The skeleton of Unicode Technical Standard 39: equal for two texts that look alike.
pub(super) fn shape(text: &str) -> String {
    text.nfd().flat_map(look).nfd().collect()
}

/// What a character that cannot be taken apart is taken for; nothing where it is not seen.
fn look(c: char) -> impl Iterator<Item = char> {
    let found = FROM.binary_search(&c);
    let like = found.as_ref().map_or(&[][..], |&at| {
        let from = at.checked_sub(1).map_or(0, |before| UPTO[before]);
        &INTO[from.into()..UPTO[at].into()]
    });
    like.iter().copied().chain(found.is_err().then_some(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_security::skeleton;

    #[test]
    fn every_character_looks_as_the_standard_says() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(shape(&text), skeleton(&text).collect::<String>(), "{c:?}");
        }
    }

    #[test]
    fn texts_look_as_the_standard_says() {
        // Marks that change places, what is made of parts, what is not seen, and letters of several scripts.
        let parts = [
            "a",
            "A",
            "rn",
            "\u{41a}",
            "\u{3bf}",
            "\u{e5}",
            "\u{301}",
            "\u{323}",
            "\u{ad}",
            "\u{200d}",
            "\u{fdfa}",
            "\u{d55c}",
            "\u{1d400}",
            "\u{5d9}",
            "\u{0f77}",
        ];
        for a in parts {
            for b in parts {
                for c in parts {
                    let text = [a, b, c].concat();
                    assert_eq!(
                        shape(&text),
                        skeleton(&text).collect::<String>(),
                        "{text:?}"
                    );
                }
            }
        }
    }
}
