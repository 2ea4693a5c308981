//! Writes down what each character is taken for where names are compared by their looks (Unicode Technical Standard 39,
//! "Confusable Detection"), as a table without addresses.
//!
//! `unicode-security` has one slice for each of its 6,712 characters: a table of 161 KB with an address in each entry, which
//! the loader puts right in every process before `main` begins, whether it asks or not.

use std::fmt::Write as _;
use std::path::Path;
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

fn main() {
    println!("cargo::rerun-if-changed=src/cli/confusable/build.rs");
    let (mut from, mut upto, mut into) = (Vec::new(), Vec::new(), Vec::new());
    for c in '\0'..=char::MAX {
        // What can be taken apart is, before anything is looked up.
        if !std::iter::once(c).nfd().eq([c]) {
            continue;
        }
        let looks: Vec<char> = skeleton(c.encode_utf8(&mut [0; 4])).collect();
        if looks != [c] {
            into.extend(looks);
            from.push(c);
            upto.push(into.len());
        }
    }
    let mut code = String::new();
    let mut table = |doc: &str, name: &str, of: &str, len: usize, values: String| {
        writeln!(code, "/// {doc}\nstatic {name}: [{of}; {len}] = {values};")
            .expect("texts can be written to");
    };
    table(
        "Characters that look like something else, in their order.",
        "FROM",
        "char",
        from.len(),
        format!("{from:?}"),
    );
    table(
        "Where in `INTO` that of each ends.",
        "UPTO",
        "u16",
        upto.len(),
        format!("{upto:?}"),
    );
    table(
        "What they look like, one after the other.",
        "INTO",
        "char",
        into.len(),
        format!("{into:?}"),
    );
    let dir = std::env::var_os("OUT_DIR").expect("cargo says where");
    std::fs::write(Path::new(&dir).join("looks.rs"), code).expect("cargo made the directory");
}
