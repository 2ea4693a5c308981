//! Files of aliases: two columns or JSON Lines, read line by line in bounded memory.

use super::error::{self, Problem};
use super::ui::{Progress, escape};
use crate::codec::json;
use crate::model::{Code, Name, limits};
use clap::ValueEnum;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};
use std::path::Path;

/// Aliases in one file: as many as decisions in a proposal.
const ROWS: usize = limits::DECISIONS;
/// Bytes in one line.
const LINE: usize = limits::DECISION_LINE;
/// Bad lines that are named; then reading stops.
const NAMED: usize = 10;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Two columns with a tab between; `#` starts a comment line.
    Tsv,
    /// Two columns with a comma between, quoted where needed.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// The format that a file's name says; TSV where it says nothing.
    pub fn of(path: &Path) -> Self {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or("");
        match end.to_ascii_lowercase().as_str() {
            "csv" => Format::Csv,
            "jsonl" | "ndjson" => Format::Jsonl,
            _ => Format::Tsv,
        }
    }
}

/// What a file says of one alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it stands for.
    pub target: Name,
    /// The line that says so, counted from 1.
    pub line: u64,
}

/// What a file says, by alias.
pub type Aliases = BTreeMap<Name, Wanted>;

/// Reads a whole file, or says what is wrong with its lines.
pub fn read(
    input: impl BufRead,
    format: Format,
    scope: &str,
    progress: &mut Progress,
) -> anyhow::Result<Aliases> {
    let mut input = input;
    let mut reader = Reader {
        format,
        scope,
        seen: false,
        found: Aliases::new(),
    };
    let mut bad: Vec<(Code, String)> = Vec::new();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let most = LINE as u64 + 2;
        if input.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if let Err(problem) = reader.line(number, &line) {
            let (code, what, _) = error::parts(&problem);
            bad.push((
                code.unwrap_or(Code::BadRequest),
                format!("line {number}: {what}"),
            ));
        }
        // After a line that is too long the rest of it would be taken for lines.
        let too_long = line.len() > LINE && !line.ends_with(b"\n");
        if bad.len() == NAMED || too_long || reader.found.len() > ROWS {
            break;
        }
        progress.at(number, number);
    }
    if let Some((code, _)) = bad.first() {
        let code = *code;
        let words: Vec<String> = bad.into_iter().map(|(_, what)| what).collect();
        return Err(Problem::new(code, words.join("\n"))
            .hint("nothing was drafted; mend the file and run it again")
            .into());
    }
    if reader.found.len() > ROWS {
        let what = format!("expected at most {ROWS} aliases in one file");
        return Err(Problem::new(Code::TooLarge, what).into());
    }
    Ok(reader.found)
}

struct Reader<'a> {
    format: Format,
    scope: &'a str,
    /// Whether a line with columns was seen: the first may be a header.
    seen: bool,
    found: Aliases,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    alias: String,
    target: String,
}

impl Reader<'_> {
    fn line(&mut self, number: u64, bytes: &[u8]) -> anyhow::Result<()> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Problem::new(Code::TextInvalid, "expected UTF-8"))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.len() > LINE {
            let what = format!("expected a line of at most {LINE} bytes");
            return Err(Problem::new(Code::TooLarge, what).into());
        }
        let comment = self.format == Format::Tsv && text.starts_with('#');
        if text.trim().is_empty() || comment {
            return Ok(());
        }
        let (alias, target) = match self.format {
            Format::Jsonl => {
                let object: Object = json::parse_lenient(text, LINE)?;
                (object.alias, object.target)
            }
            Format::Tsv => two(text.split('\t').map(str::to_owned))?,
            Format::Csv => two(comma_separated(text)?.into_iter())?,
        };
        let first = !std::mem::replace(&mut self.seen, true);
        let header = first && self.format != Format::Jsonl;
        if header && alias == "alias" && target == "target" {
            return Ok(());
        }
        self.add(number, Name::new(alias)?, Name::new(target)?)
    }

    fn add(&mut self, line: u64, alias: Name, target: Name) -> anyhow::Result<()> {
        if alias == target {
            let what = format!("`{}` cannot be an alias of itself", escape(alias.as_str()));
            return Err(Problem::new(Code::SelfReference, what).into());
        }
        if !alias.as_str().starts_with(self.scope) {
            let what = format!(
                "`{}` is not in the scope `{}`",
                escape(alias.as_str()),
                escape(self.scope)
            );
            return Err(Problem::new(Code::BadRequest, what).into());
        }
        match self.found.get(&alias) {
            Some(before) if before.target != target => {
                let what = format!(
                    "`{}` stands for `{}` here and for `{}` in line {}",
                    escape(alias.as_str()),
                    escape(target.as_str()),
                    escape(before.target.as_str()),
                    before.line
                );
                Err(Problem::new(Code::BadRequest, what).into())
            }
            Some(_) => Ok(()),
            None => {
                self.found.insert(alias, Wanted { target, line });
                Ok(())
            }
        }
    }
}

fn two(mut columns: impl Iterator<Item = String>) -> anyhow::Result<(String, String)> {
    match (columns.next(), columns.next(), columns.next()) {
        (Some(alias), Some(target), None) => Ok((alias, target)),
        _ => Err(Problem::new(Code::BadRequest, "expected two columns, alias and target").into()),
    }
}

/// The fields of one line. Names have no line feeds, so no field spans lines.
fn comma_separated(text: &str) -> anyhow::Result<Vec<String>> {
    if !text.contains('"') {
        return Ok(text.split(',').map(str::to_owned).collect());
    }
    if text.matches('"').count() % 2 == 1 {
        return Err(Problem::new(Code::BadRequest, "a quote is not closed").into());
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(LINE)
        .from_reader(text.as_bytes());
    match reader.records().next() {
        Some(Ok(record)) => Ok(record.iter().map(str::to_owned).collect()),
        _ => Err(Problem::new(Code::BadRequest, "expected comma-separated columns").into()),
    }
}

/// A cycle among the aliases, if there is one: each name once, in the order of the links.
pub fn cycle(aliases: &Aliases) -> Option<Vec<&Name>> {
    let mut done = std::collections::BTreeSet::new();
    for start in aliases.keys() {
        let mut path: Vec<&Name> = Vec::new();
        let mut on_path = BTreeMap::new();
        let mut at = start;
        while let Some((name, wanted)) = aliases.get_key_value(at) {
            if done.contains(name) {
                break;
            }
            if let Some(from) = on_path.insert(name, path.len()) {
                return Some(path.split_off(from));
            }
            path.push(name);
            at = &wanted.target;
        }
        done.extend(path);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use crate::cli::ui::Ui;
    use clap::Parser as _;

    fn parse(text: &str, format: Format) -> anyhow::Result<Aliases> {
        let cli = Cli::try_parse_from(["folio", "-q", "status"]).unwrap();
        let ui = Ui::new(&cli.global);
        read(text.as_bytes(), format, "", &mut ui.progress("Reading"))
    }

    fn pairs(text: &str, format: Format) -> Vec<(String, String)> {
        let found = parse(text, format).unwrap();
        let pairs = found.iter();
        pairs
            .map(|(alias, wanted)| (alias.to_string(), wanted.target.to_string()))
            .collect()
    }

    fn wrong(text: &str, format: Format) -> (Code, String) {
        let (code, what, _) = error::parts(&parse(text, format).unwrap_err());
        (code.unwrap(), what)
    }

    #[test]
    fn three_formats_say_the_same() {
        let expected = [("a", "b, c"), ("d", "e")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let tsv = "# comment\nalias\ttarget\na\tb, c\r\n\nd\te";
        assert_eq!(pairs(tsv, Format::Tsv), expected);
        assert_eq!(
            pairs("alias,target\na,\"b, c\"\nd,e\n", Format::Csv),
            expected
        );
        let jsonl = "{\"alias\":\"a\",\"target\":\"b, c\"}\n{\"target\":\"e\",\"alias\":\"d\"}\n";
        assert_eq!(pairs(jsonl, Format::Jsonl), expected);
    }

    #[test]
    fn bad_lines_are_named() {
        let (code, what) = wrong("a\tb\nc\na\td\n", Format::Tsv);
        assert_eq!(code, Code::BadRequest);
        assert!(what.contains("line 2: expected two columns"), "{what}");
        assert!(
            what.contains("line 3:") && what.contains("in line 1"),
            "{what}"
        );
        assert_eq!(wrong("a,\"b\n", Format::Csv).0, Code::BadRequest);
        assert_eq!(wrong("a\u{200b}\tb\n", Format::Tsv).0, Code::NameInvalid);
        assert_eq!(wrong(&"x".repeat(20_000), Format::Tsv).0, Code::TooLarge);
        assert_eq!(
            wrong("{\"alias\":\"a\"}\n", Format::Jsonl).0,
            Code::JsonMalformed
        );
    }

    #[test]
    fn cycles_are_found_wherever_they_start() {
        let found = parse("a\tb\nb\tc\nc\td\nd\tb\n", Format::Tsv).unwrap();
        let path: Vec<_> = cycle(&found)
            .unwrap()
            .iter()
            .map(|n| n.to_string())
            .collect();
        assert_eq!(path, ["b", "c", "d"]);
        assert!(cycle(&parse("a\tb\nb\tc\n", Format::Tsv).unwrap()).is_none());
    }
}
