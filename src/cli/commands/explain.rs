//! `folio explain`: a code, or what a name is and why.

use crate::cli::args::{At, Global};
use crate::cli::commands::help::CodeView;
use crate::cli::context::{Context, view_of};
use crate::cli::entity::{self, Fact};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::numbered::Decided;
use crate::cli::path::{self, Reason};
use crate::cli::reference::area_word;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{names, suggest, trace, view};
use crate::fold::{Scene, graph};
use crate::model::{Code, Name};
use serde::Serialize;

/// Explain a code or a name
#[derive(Debug, clap::Args)]
#[command(after_help = "`folio help codes` lists the codes.")]
pub struct Arguments {
    /// The code of a refusal, or a name
    #[arg(value_name = "CODE|KEY")]
    what: String,
    /// It is a name, even if a code is called so too
    #[arg(long)]
    name: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct NameView {
    at: view::At,
    name: String,
    facts: Vec<FactView>,
    entity: String,
    representative: String,
    path: Vec<Reason>,
}

#[derive(Serialize)]
struct FactView {
    #[serde(flatten)]
    fact: Fact,
    decided: Option<Decided>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match Code::from_word(&arguments.what) {
        Some(code) if !arguments.name => explain_code(code, ui),
        _ => explain_name(arguments, global, ui),
    }
}

fn explain_code(code: Code, ui: &Ui) -> anyhow::Result<Exit> {
    if ui.json() {
        ui.answer("explain", &CodeView::of(code))?;
        return Ok(Exit::Done);
    }
    let shown = ui.paint(Style::Bold, code.as_str());
    ui.line(format!("{shown}: {}", code.title()))?;
    ui.line(code.help())?;
    let (area, exit) = (area_word(code.area()), Exit::of(code).number());
    ui.line(format!("Area: {area}. Exit code: {exit}."))?;
    Ok(Exit::Done)
}

fn explain_name(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let codes = Code::ALL.iter().map(|code| code.as_str());
    let near = suggest::near(&arguments.what, codes);
    let space = Context::open(global).and_then(|context| context.space().map(drop));
    if space.is_err() && !near.is_empty() {
        return Err(no_such_code(&arguments.what, &near));
    }
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.asked(&space, arguments.at.at.as_deref(), ui)?;
    let view = view_of(&space.tables, &page);
    let scene = Scene::new(&view);
    let name = names::parse(&arguments.what)?;
    let facts = entity::facts(&scene, &name)?;
    if facts.is_empty() {
        let unknown = names::unknown(&space.tables, page.tree(), &name);
        return Err(with_codes(unknown, &near));
    }
    let resolved = graph::resolve(&scene, &name)?;
    let between = graph::path(&scene, &resolved.entity, &resolved.representative)?;
    let steps = [resolved.steps, between.unwrap_or_default()].concat();
    let (facts, path) = trace::with_tracer_if_here(&context, &space, &page, ui, |tracer| {
        let mut views = Vec::with_capacity(facts.len());
        for fact in facts {
            let change = match &fact.row {
                Some((table, key)) => tracer.last(*table, key)?,
                None => None,
            };
            let decided = change.map(|change| change.decided());
            views.push(FactView { fact, decided });
        }
        Ok((views, path::reasons(&scene, tracer, &steps)?))
    })?;
    let answer = NameView {
        at: view::At::of(&page),
        name: name.to_string(),
        facts,
        entity: resolved.entity.to_string(),
        representative: resolved.representative.to_string(),
        path,
    };
    match ui.json() {
        true => ui.answer("explain", &answer)?,
        false => print(ui, &name, &answer)?,
    }
    Ok(Exit::Done)
}

fn no_such_code(word: &str, near: &[&str]) -> anyhow::Error {
    let what = format!("there is no code `{}`, and no space here", escape(word));
    suggest::hint(Problem::new(Code::NotFound, what), near, "").into()
}

/// Adds near codes to the near names.
fn with_codes(unknown: anyhow::Error, near: &[&str]) -> anyhow::Error {
    match (unknown.downcast::<Problem>(), near) {
        (Err(other), _) => other,
        (Ok(problem), []) => problem.into(),
        (Ok(problem), near) => {
            let hint = problem.hint.clone().unwrap_or_default();
            let hint = format!("{hint}; or the code `{}`?", near.join("` or `"));
            problem.hint(hint).into()
        }
    }
}

fn print(ui: &Ui, name: &Name, answer: &NameView) -> anyhow::Result<()> {
    ui.line(format!("`{}` is", escape(name.as_str())))?;
    for FactView { fact, decided } in &answer.facts {
        ui.line(format!("  {}", fact.words()))?;
        if let Some(decided) = decided {
            ui.line(format!("    {}", decided.line(ui)))?;
        }
    }
    let shown = ui.paint(Style::Bold, &escape(&answer.representative));
    ui.line(format!("It resolves to {shown}"))?;
    path::print(ui, &answer.path)
}
