//! `folio propose`: sign the draft, or a file of decisions, as a proposal.

use crate::cli::args::Global;
use crate::cli::context::{Context, view_of};
use crate::cli::draft::{self, Draft, Drafting};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::gc::background::keep_house;
use crate::cli::report::count;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{identity, lines, signing};
use crate::codec::message::clean_text;
use crate::journal::proposal::Base;
use crate::journal::propose::{self, Intent};
use crate::journal::{Page, check, refs};
use crate::model::{Code, Handle, Slug};
use crate::store::{Expect, Refs as _};
use serde::Serialize;
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
    let draft = match &arguments.file {
        Some(_) => Draft::empty(&context, Some(&author)),
        None => Draft::load(&context, Some(&author))?,
    };
    let mut drafting = Drafting::open(&view, page.message.chain, Some(author.clone()), draft)?;
    if let Some(file) = &arguments.file {
        lines::draft(&mut drafting, &global.dir(), file, ui)?;
    }
    let (mut drafted, steps) = drafting.into_parts();
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
    let (tables, store) = (&space.tables, &context.store);
    let prepared = propose::prepare_drafted(tables, store, space.id, &intent, steps, &*signer)?;
    let name = refs::proposal(&author.handle, &slug);
    let (commit, digest) = prepared.publish(&space, name.clone(), expect)?;
    let decisions = drafted.decisions.len();
    if arguments.file.is_none() {
        // The proposal stands; a crash here leaves a draft of decisions that are proposed already.
        drafted.clear()?;
    }
    keep_house(&context, ui);
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
