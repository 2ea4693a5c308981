//! Pages that are made from the code: the kinds of decisions, the codes, the exit codes.

use super::exit::Exit;
use crate::fold::decision::KindInfo;
use crate::fold::{Decision, Family};
use crate::model::Code;
use crate::model::code::Area;
use std::fmt::Write as _;

/// Exit codes and what they say.
pub const EXITS: &[(Exit, &str)] = &[
    (Exit::Done, "done, or the answer is yes"),
    (
        Exit::No,
        "the answer is no: not found, not the same, different, in conflict",
    ),
    (Exit::Usage, "the command line is wrong"),
    (
        Exit::Refused,
        "a rule or the format refuses it; nothing was changed",
    ),
    (
        Exit::Invalid,
        "something in the repository is not what it must be",
    ),
    (
        Exit::Busy,
        "somebody else was faster or holds a lock; run it again",
    ),
    (
        Exit::Environment,
        "no space here, no usable key, the disk, the git program",
    ),
];

/// Every area, in the order of the table of codes.
pub const AREAS: &[Area] = &[Area::Input, Area::Rule, Area::Integrity, Area::Environment];

/// The word for an area.
pub fn area_word(area: Area) -> &'static str {
    match area {
        Area::Input => "input",
        Area::Rule => "rule",
        Area::Integrity => "integrity",
        Area::Environment => "environment",
    }
}

fn area_about(area: Area) -> &'static str {
    match area {
        Area::Input => "Text or JSON that is not in the format.",
        Area::Rule => "A rule of the fold refused a decision.",
        Area::Integrity => "A commit, signature or tree is not what the format asks for.",
        Area::Environment => "The machine, the repository or the key, not the journal.",
    }
}

fn family_about(family: Family) -> &'static str {
    match family {
        Family::Charter => "Members, policy, the space itself.",
        Family::Names => "Aliases.",
        Family::Equivalence => "Groups, redirects, forks.",
        Family::Overlays => "Layers over what others own.",
        Family::Artifacts => "Bytes that are published, and withdrawn.",
        Family::Pen => "Who numbers: the pen and the witnesses.",
    }
}

/// The kinds of a family.
fn kinds_of(family: Family) -> impl Iterator<Item = KindInfo> {
    let all = Decision::kinds().into_iter();
    all.filter(move |kind| kind.family == family)
}

fn codes_of(area: Area) -> impl Iterator<Item = &'static Code> {
    Code::ALL.iter().filter(move |code| code.area() == area)
}

fn words(codes: &[Code], quote: &str) -> String {
    let quoted: Vec<String> = codes.iter().map(|c| format!("{quote}{c}{quote}")).collect();
    quoted.join(", ")
}

const COMMON_CODES: &str = "Besides its own codes every kind can be refused with `json-malformed`, \
`json-not-canonical`, `operation-unknown`, `too-large` or those of its texts, before any rule is asked; and with \
`not-a-member`, `key-retired`, `not-allowed`, `tier-unsupported` or `approvals-missing`, by the policy.";

/// `docs/decisions.md`.
pub fn decisions_markdown() -> String {
    let mut out = String::from("# Kinds of decisions\n\n");
    out.push_str("<!-- Made by `folio help decisions --markdown`. -->\n\n");
    out.push_str(
        "A decision is one JSON object on one line, with the field `op` and those of its kind. A proposal holds \
any number of them and applies whole or not at all.\n\n",
    );
    out.push_str(COMMON_CODES);
    out.push('\n');
    for family in Family::ALL {
        let (word, about) = (family.as_str(), family_about(*family));
        // Writing into a string cannot fail, here and below.
        let _ = write!(out, "\n## {word}\n\n{about}\n");
        for kind in kinds_of(*family) {
            kind_markdown(&mut out, &kind);
        }
    }
    out
}

fn kind_markdown(out: &mut String, kind: &KindInfo) {
    let _ = write!(out, "\n### `{}`\n\n{}\n", kind.op, kind.about);
    out.push_str("\n| field | shape | meaning |\n|---|---|---|\n");
    for field in kind.fields {
        let cell = |text: &str| text.replace('|', "\\|");
        let (shape, about) = (cell(field.shape), cell(field.about));
        let _ = writeln!(out, "| `{}` | {shape} | {about} |", field.name);
    }
    if !kind.codes.is_empty() {
        let _ = write!(out, "\nRefused with: {}.\n", words(kind.codes, "`"));
    }
    let line = kind.example.to_line();
    let _ = write!(out, "\n```json\n{line}\n```\n");
}

/// `folio help decisions`.
pub fn decisions_text() -> String {
    let mut out = String::new();
    for family in Family::ALL {
        let (word, about) = (family.as_str().to_uppercase(), family_about(*family));
        let _ = writeln!(out, "{word}: {about}\n");
        for kind in kinds_of(*family) {
            kind_text(&mut out, &kind);
        }
    }
    out.push_str(&COMMON_CODES.replace('`', ""));
    out.push('\n');
    out
}

fn kind_text(out: &mut String, kind: &KindInfo) {
    let _ = writeln!(out, "{}\n    {}", kind.op, kind.about);
    for field in kind.fields {
        let _ = writeln!(
            out,
            "    {:<14} {}: {}",
            field.name, field.shape, field.about
        );
    }
    if !kind.codes.is_empty() {
        let _ = writeln!(out, "    refused with: {}", words(kind.codes, ""));
    }
    let _ = writeln!(out, "    {}\n", kind.example.to_line());
}

/// `docs/codes.md`.
pub fn codes_markdown() -> String {
    let mut out = String::from("# Codes\n\n");
    out.push_str("<!-- Made by `folio help codes --markdown`. -->\n\n");
    out.push_str(
        "Every refusal and every fault has a stable code. It is printed in front of the message, stands in signed \
refusals, and `folio explain CODE` says what it means. A code is never renamed or reused.\n",
    );
    for area in AREAS {
        let (word, about) = (area_word(*area), area_about(*area));
        let _ = write!(out, "\n## {word}\n\n{about}\n\n");
        out.push_str("| code | exit | what happened | what to do |\n|---|---|---|---|\n");
        for code in codes_of(*area) {
            let cell = |text: &str| text.replace('|', "\\|");
            let (title, help) = (cell(code.title()), cell(code.help()));
            let exit = Exit::of(*code).number();
            let _ = writeln!(out, "| `{code}` | {exit} | {title} | {help} |");
        }
    }
    out
}

/// `folio help codes`.
pub fn codes_text() -> String {
    let mut out = String::new();
    for area in AREAS {
        let (word, about) = (area_word(*area).to_uppercase(), area_about(*area));
        let _ = writeln!(out, "{word}: {about}");
        for code in codes_of(*area) {
            let _ = writeln!(out, "  {:<20} {}", code.as_str(), code.title());
        }
        out.push('\n');
    }
    out.push_str("`folio explain CODE` says why a rule is there and what to do.\n");
    out
}

/// `folio help exit-codes`.
pub fn exits_text() -> String {
    let lines = EXITS.iter();
    lines
        .map(|(exit, about)| format!("{}  {about}\n", exit.number()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_out() {
        let (decisions, codes) = (decisions_text(), codes_text());
        assert!(Decision::OPS.iter().all(|op| decisions.contains(op)));
        assert!(Code::ALL.iter().all(|code| codes.contains(code.as_str())));
        let numbers: Vec<u8> = EXITS.iter().map(|(exit, _)| exit.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
    }
}
