//! `folio alias sync`: the smallest draft that makes a scope of aliases equal a file.

use super::alias_file::{self, Aliases, Format};
use super::alias_plan::{Counts, Plan};
use super::args::Global;
use super::context::Context;
use super::draft::{self, Drafting};
use super::error::Problem;
use super::exit::Exit;
use super::report::count;
use super::ui::{Ui, escape};
use crate::fold::Decision;
use crate::fold::rules::{AliasDrop, Unmerge};
use crate::journal::{Page, Space};
use crate::model::{Code, Name, Table, limits};
use crate::store::GitStore;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Arguments of `alias sync`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "TSV and CSV have two columns, alias and target, and may start with a line that says so; JSON \
Lines have objects {\"alias\":...,\"target\":...}. What is in the scope and not in the file is dropped. A name that \
rows treat as an entity becomes another name by a merge."
)]
pub struct Arguments {
    /// What the aliases shall be; `-` is standard input
    file: PathBuf,
    /// Only names that start so; the file may name no others [default: all names]
    #[arg(
        long,
        value_name = "PREFIX",
        default_value = "",
        hide_default_value = true
    )]
    scope: String,
    /// How the file is written [default: by its name, else tsv]
    #[arg(long)]
    format: Option<Format>,
}

/// Runs it.
pub fn run(
    context: &Context,
    arguments: &Arguments,
    global: &Global,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let wanted = read(arguments, global, ui)?;
    if let Some(path) = alias_file::cycle(&wanted) {
        return Err(cycle(&path, &wanted));
    }
    // Nothing is written unless all of it can be drafted.
    let (counts, _) = draft::with_drafting(context, global, |drafting, space, page| {
        sync(drafting, space, page, &wanted, &arguments.scope, ui)
    })?;
    show(ui, &counts)
}

fn read(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Aliases> {
    let file = &arguments.file;
    let format = arguments.format.unwrap_or_else(|| Format::of(file));
    let input: Box<dyn BufRead> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => {
            let opened = std::fs::File::open(global.dir().join(file));
            let shown = file.display();
            let opened = opened.map_err(|e| Problem::new(Code::Io, format!("{shown}: {e}")))?;
            Box::new(BufReader::new(opened))
        }
    };
    let mut progress = ui.progress("Reading");
    alias_file::read(input, format, &arguments.scope, &mut progress)
}

fn cycle(path: &[&Name], wanted: &Aliases) -> anyhow::Error {
    let links: Vec<String> = path
        .iter()
        .map(|name| {
            let line = wanted.get(*name).map_or(0, |wanted| wanted.line);
            format!("`{}` (line {line})", escape(name.as_str()))
        })
        .collect();
    let first = path.first().map_or("", |name| name.as_str());
    let what = format!(
        "the file's aliases lead back to themselves: {} -> `{}`",
        links.join(" -> "),
        escape(first)
    );
    Problem::new(Code::AliasCycle, what)
        .hint("nothing was drafted; mend one of these lines")
        .into()
}

fn sync(
    drafting: &mut Drafting<'_>,
    space: &Space<'_, GitStore>,
    page: &Page,
    wanted: &Aliases,
    scope: &str,
    ui: &Ui,
) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    for alias in surplus(drafting, space, page, Table::Aliases, wanted, scope)? {
        drafting.add(Decision::AliasDrop(AliasDrop { alias, was: None }), true)?;
        counts.dropped += 1;
    }
    for from in surplus(drafting, space, page, Table::Merges, wanted, scope)? {
        drafting.add(Decision::Unmerge(Unmerge { from, was: None }), true)?;
        counts.unmerged += 1;
    }
    let mut progress = ui.progress("Drafting");
    let mut plan = Plan::new(drafting, wanted, counts);
    plan.run(&mut progress)?;
    let counts = plan.counts;
    let drafted = drafting.draft.decisions.len();
    if drafted > limits::DECISIONS {
        let what = format!(
            "the draft would have {drafted} decisions, expected at most {}",
            limits::DECISIONS
        );
        return Err(Problem::new(Code::TooLarge, what)
            .hint("propose a part of it: --scope PREFIX")
            .into());
    }
    Ok(counts)
}

/// The names in the scope that a table has, with the draft applied, and the file does not; sorted.
fn surplus(
    drafting: &Drafting<'_>,
    space: &Space<'_, GitStore>,
    page: &Page,
    table: Table,
    wanted: &Aliases,
    scope: &str,
) -> anyhow::Result<Vec<Name>> {
    let mut subjects = BTreeSet::new();
    let _: ControlFlow<()> = space.tables.iter(Some(page.tree()), table, |key, _| {
        if key.subject().starts_with(scope) {
            subjects.insert(key.subject().to_owned());
        }
        ControlFlow::Continue(())
    })?;
    for ((t, key), row) in drafting.scene().edits().iter() {
        if t == table && key.subject().starts_with(scope) {
            match row {
                Some(_) => subjects.insert(key.subject().to_owned()),
                None => subjects.remove(key.subject()),
            };
        }
    }
    let mut found = Vec::new();
    for subject in subjects {
        let name = Name::new(subject)?;
        if !wanted.contains_key(&name) {
            found.push(name);
        }
    }
    Ok(found)
}

fn show(ui: &Ui, counts: &Counts) -> anyhow::Result<Exit> {
    if ui.json() {
        ui.answer("alias-sync", counts)?;
        return Ok(Exit::Done);
    }
    let Counts {
        set,
        changed,
        dropped,
        merged,
        unmerged,
        unchanged,
    } = counts;
    ui.line(format!(
        "{set} set, {changed} changed, {dropped} dropped, {merged} merged, {unmerged} unmerged, {unchanged} unchanged"
    ))?;
    match set + changed + dropped + merged + unmerged {
        0 => ui.say("the aliases are as the file says; nothing was drafted"),
        n => ui.say(format!(
            "{} drafted; `folio propose -m MESSAGE` signs the draft",
            count(n, "decision")
        )),
    }
    Ok(Exit::Done)
}
