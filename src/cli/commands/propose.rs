//! `folio propose`: sign the draft, or a file of decisions, as a proposal.

use crate::cli::args::Global;
use crate::cli::context::{Context, view_of};
use crate::cli::draft::{self, Draft, Drafting};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{identity, signing};
use crate::codec::message::clean_text;
use crate::fold::{Decision, View};
use crate::journal::proposal::Base;
use crate::journal::propose::{self, Intent};
use crate::journal::{Page, check, refs};
use crate::model::{ChainDigest, Code, Handle, Slug, limits};
use crate::store::{Expect, Refs as _};
use serde::Serialize;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;

/// Sign the draft (or a file) as a proposal
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Why: the first line is the subject; several make paragraphs
    #[arg(short, long, required = true)]
    message: Vec<String>,
    /// Take decisions from a file of JSON Lines instead of the draft; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The last part of the branch's name [default: from the subject]
    #[arg(long)]
    slug: Option<String>,
    /// Replace the proposal that has this slug
    #[arg(long, requires = "slug")]
    replace: bool,
}

#[derive(Serialize)]
struct Proposed {
    branch: String,
    commit: String,
    digest: String,
    base: u64,
    decisions: usize,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let text = clean_text(&arguments.message.join("\n\n"))?;
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let source = signing::source(Some(&context), global)?;
    let author = identity::member(&view, &signing::public_of(&source)?)?;
    let _lock = draft::lock(&context)?;
    let on: (&dyn View, ChainDigest) = (&view, page.message.chain);
    let mut drafted = match &arguments.file {
        Some(file) => read_file(&context, global, file, on, &author, ui)?,
        None => {
            let draft = Draft::load(&context, Some(&author))?;
            Drafting::open(on.0, on.1, Some(author.clone()), draft)?.draft
        }
    };
    if drafted.decisions.is_empty() {
        let what = "there is nothing to propose";
        return Err(Problem::new(Code::Empty, what)
            .hint("folio alias set NAME TARGET (and others) draft decisions")
            .into());
    }
    let (slug, expect) = branch(&context, arguments, &author.handle, &text)?;
    let intent = Intent {
        base: Base::of(&page),
        author: &author,
        decisions: &drafted.decisions,
        text: &text,
        when: identity::when(global)?,
    };
    let signer = signing::open(&source)?;
    let prepared = propose::prepare(&space.tables, &context.store, space.id, &intent, &*signer)?;
    let name = refs::proposal(&author.handle, &slug);
    let (commit, digest) = prepared.publish(&space, name.clone(), expect)?;
    let decisions = drafted.decisions.len();
    if arguments.file.is_none() {
        // The proposal stands; a crash here leaves a draft of decisions that are proposed already.
        drafted.clear()?;
    }
    context.store.consolidate()?;
    if ui.json() {
        ui.answer(
            "propose",
            &Proposed {
                branch: name,
                commit: commit.to_hex(),
                digest: digest.to_hex(),
                base: page.number().0,
                decisions,
            },
        )?;
    } else {
        let id = ui.paint(Style::Id, &format!("{}/{slug}", author.handle));
        ui.line(format!(
            "Proposed {id} ({}, {})",
            count(decisions, "decision"),
            digest.short()
        ))?;
        let holds = check::pen_of(&view)?.key == author.key;
        if !holds && !context.store.remotes().is_empty() {
            ui.say("`folio submit` sends it to where it is numbered");
        }
    }
    Ok(Exit::Done)
}

/// Reads lines as people write them, fills in what they replace, and judges each.
fn read_file(
    context: &Context,
    global: &Global,
    file: &std::path::Path,
    on: (&dyn View, ChainDigest),
    author: &crate::model::rows::MemberRow,
    ui: &Ui,
) -> anyhow::Result<Draft> {
    let empty = Draft::empty(context, Some(author));
    let mut drafting = Drafting::open(on.0, on.1, Some(author.clone()), empty)?;
    let input: Box<dyn Read> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(
            std::fs::File::open(global.dir().join(file))
                .map_err(|error| Problem::new(Code::Io, format!("{}: {error}", file.display())))?,
        ),
    };
    let mut input = BufReader::new(input.take(limits::DECISIONS_BYTES + 1));
    let mut progress = ui.progress("Reading");
    let mut line = Vec::new();
    let mut bytes = 0;
    let mut already = 0;
    for number in 1.. {
        line.clear();
        let most = (limits::DECISION_LINE + 2) as u64;
        let read = input.by_ref().take(most).read_until(b'\n', &mut line)?;
        bytes += read as u64;
        if read == 0 {
            break;
        }
        if bytes > limits::DECISIONS_BYTES || number > limits::DECISIONS {
            let what = format!(
                "expected at most {} decisions in {} bytes",
                limits::DECISIONS,
                limits::DECISIONS_BYTES
            );
            return Err(Problem::new(Code::TooLarge, what).into());
        }
        let added = add_line(&mut drafting, &line).map_err(|error| {
            let (code, what, _) = crate::cli::error::parts(&error);
            Problem::new(
                code.unwrap_or(Code::JsonMalformed),
                format!("line {number}: {what}"),
            )
        })?;
        already += usize::from(!added);
        progress.at(bytes, bytes);
    }
    if already > 0 {
        ui.say(format!(
            "{} true already and left out",
            count(already, "decision")
        ));
    }
    Ok(drafting.draft)
}

fn add_line(drafting: &mut Drafting<'_>, line: &[u8]) -> anyhow::Result<bool> {
    let text = std::str::from_utf8(line)
        .map_err(|_| Problem::new(Code::JsonMalformed, "expected UTF-8"))?;
    match text.trim() {
        "" => Ok(true),
        text => drafting.add(Decision::parse_lenient(text)?, false),
    }
}

/// The slug and what must stand at the branch: nothing, unless it is to be replaced.
fn branch(
    context: &Context,
    arguments: &Arguments,
    author: &Handle,
    text: &str,
) -> anyhow::Result<(Slug, Expect)> {
    let at = |slug: &Slug| context.store.get(&refs::proposal(author, slug));
    if let Some(slug) = &arguments.slug {
        let slug = Slug::new(slug.as_str())?;
        return match (at(&slug)?, arguments.replace) {
            (None, _) => Ok((slug, Expect::Absent)),
            (Some(old), true) => Ok((slug, Expect::At(old))),
            (Some(_), false) => {
                let what = format!("there is a proposal `{author}/{slug}` already");
                Err(Problem::new(Code::Exists, what)
                    .hint("--replace, or another --slug")
                    .into())
            }
        };
    }
    let stem = slug_from(text);
    for n in 1..10_000 {
        let slug = match n {
            1 => stem.clone(),
            n => format!("{}-{n}", stem.chars().take(55).collect::<String>()),
        };
        let slug = Slug::new(slug)?;
        if at(&slug)?.is_none() {
            return Ok((slug, Expect::Absent));
        }
    }
    let what = format!("every slug like `{}` is taken", escape(&stem));
    Err(Problem::new(Code::Exists, what).hint("--slug SLUG").into())
}

/// The subject in lower case, as far as a slug allows, at most 40 characters.
fn slug_from(text: &str) -> String {
    let subject = text.lines().next().unwrap_or_default().to_lowercase();
    let mut slug = String::new();
    for c in subject.chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
        if slug.len() >= 39 {
            break;
        }
    }
    match slug.trim_end_matches('-') {
        "" => "proposal".into(),
        slug => slug.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_come_from_subjects() {
        assert_eq!(slug_from("Kyiv, not Kiev!\n\nbody"), "kyiv-not-kiev");
        assert_eq!(slug_from("Київ\n"), "proposal");
        assert!(Slug::new(slug_from(&"a b ".repeat(50))).is_ok());
    }
}
