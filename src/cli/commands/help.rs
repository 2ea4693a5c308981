//! `folio help`: help on a command or a topic.

use crate::cli::args::{Cli, Global};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::reference::{self, EXITS, area_word};
use crate::cli::suggest;
use crate::cli::ui::{Ui, escape};
use crate::fold::Decision;
use crate::fold::kind::Field;
use crate::model::Code;
use clap::CommandFactory as _;
use serde::Serialize;
use std::io::Write as _;

/// Help on a command or a topic
#[derive(Debug, clap::Args)]
#[command(after_help = "Topics: tutorial, decisions, codes, exit-codes, json.")]
pub struct Arguments {
    /// A topic, or a command with its subcommands
    topic: Vec<String>,
    /// Print `decisions` and `codes` as Markdown, as docs/ has them
    #[arg(long, requires = "topic")]
    markdown: bool,
}

const TOPICS: &[&str] = &["tutorial", "decisions", "codes", "exit-codes", "json"];
const TUTORIAL: &str = include_str!("../../../docs/tutorial.md");
const JSON: &str = include_str!("../../../docs/json.md");

#[derive(Serialize)]
struct TextView {
    topic: String,
    text: String,
}

#[derive(Serialize)]
struct DecisionsView {
    topic: &'static str,
    kinds: Vec<KindView>,
}

#[derive(Serialize)]
struct KindView {
    op: &'static str,
    family: &'static str,
    about: &'static str,
    fields: Vec<FieldView>,
    codes: Vec<&'static str>,
    example: Decision,
}

#[derive(Serialize)]
struct FieldView {
    name: &'static str,
    shape: &'static str,
    about: &'static str,
}

#[derive(Serialize)]
struct CodesView {
    topic: &'static str,
    codes: Vec<CodeView>,
}

/// A code, for answers.
#[derive(Serialize)]
pub struct CodeView {
    code: &'static str,
    area: &'static str,
    exit_code: u8,
    title: &'static str,
    help: &'static str,
}

impl CodeView {
    /// Of a code.
    pub fn of(code: Code) -> Self {
        Self {
            code: code.as_str(),
            area: area_word(code.area()),
            exit_code: Exit::of(code).number(),
            title: code.title(),
            help: code.help(),
        }
    }
}

#[derive(Serialize)]
struct ExitsView {
    topic: &'static str,
    exit_codes: Vec<ExitView>,
}

#[derive(Serialize)]
struct ExitView {
    number: u8,
    about: &'static str,
}

/// Runs it.
pub fn run(arguments: &Arguments, _global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let topic = arguments.topic.join(" ");
    match (ui.json(), topic.as_str()) {
        (true, "decisions") => ui.answer("help", &decisions())?,
        (true, "codes") => ui.answer("help", &codes())?,
        (true, "exit-codes") => ui.answer("help", &exits())?,
        (json, _) => {
            let text = text(arguments, &topic)?;
            match json {
                true => ui.answer("help", &TextView { topic, text })?,
                false => print(&text)?,
            }
        }
    }
    Ok(Exit::Done)
}

/// Our own text, of many lines: nothing in it is to be escaped.
fn print(text: &str) -> anyhow::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    write!(std::io::stdout().lock(), "{text}{end}")?;
    Ok(())
}

fn text(arguments: &Arguments, topic: &str) -> anyhow::Result<String> {
    Ok(match topic {
        "decisions" if arguments.markdown => reference::decisions_markdown(),
        "codes" if arguments.markdown => reference::codes_markdown(),
        _ if arguments.markdown => {
            let what = "only `decisions` and `codes` are made as Markdown";
            return Err(Problem::new(Code::BadRequest, what)
                .hint("folio help decisions --markdown")
                .into());
        }
        "decisions" => reference::decisions_text(),
        "codes" => reference::codes_text(),
        "exit-codes" => reference::exits_text(),
        "tutorial" => TUTORIAL.to_owned(),
        "json" => JSON.to_owned(),
        _ => command(&arguments.topic)?,
    })
}

/// The help of a command, or of the whole.
fn command(names: &[String]) -> anyhow::Result<String> {
    let mut whole = Cli::command();
    whole.build();
    let mut at = &mut whole;
    for name in names {
        let known: Vec<String> = at
            .get_subcommands()
            .map(|c| c.get_name().to_owned())
            .collect();
        if !known.contains(name) {
            let what = format!("there is no command or topic `{}`", escape(name));
            let words = known
                .iter()
                .map(String::as_str)
                .chain(TOPICS.iter().copied());
            let near = suggest::near(name, words);
            let problem = Problem::new(Code::NotFound, what);
            let otherwise = "`folio -h` lists the commands, `folio help -h` the topics";
            return Err(suggest::hint(problem, &near, otherwise).into());
        }
        at = at
            .find_subcommand_mut(name)
            .expect("it was listed just now");
    }
    let help = match names.is_empty() {
        true => at.render_help(),
        false => at.render_long_help(),
    };
    Ok(help.to_string())
}

fn decisions() -> DecisionsView {
    let field = |field: &Field| FieldView {
        name: field.name,
        shape: field.shape,
        about: field.about,
    };
    let kinds = Decision::kinds().into_iter().map(|kind| KindView {
        op: kind.op,
        family: kind.family.as_str(),
        about: kind.about,
        fields: kind.fields.iter().map(field).collect(),
        codes: kind.codes.iter().map(|code| code.as_str()).collect(),
        example: kind.example,
    });
    DecisionsView {
        topic: "decisions",
        kinds: kinds.collect(),
    }
}

fn codes() -> CodesView {
    CodesView {
        topic: "codes",
        codes: Code::ALL.iter().map(|code| CodeView::of(*code)).collect(),
    }
}

fn exits() -> ExitsView {
    let view = |(exit, about): &(Exit, &'static str)| ExitView {
        number: exit.number(),
        about,
    };
    ExitsView {
        topic: "exit-codes",
        exit_codes: EXITS.iter().map(view).collect(),
    }
}
