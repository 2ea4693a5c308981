//! `folio evidence make`: evidence of commits that are in this repository.

use super::args::Global;
use super::context::{Context, number_of};
use super::error::Problem;
use super::evidence;
use super::exit::Exit;
use super::ui::{Style, Ui, escape};
use crate::codec::evidence::Evidence;
use crate::journal::Page;
use crate::model::{Code, Oid};
use serde::Serialize;

/// Make a file of one refused page, or of two pages
#[derive(Debug, clap::Args)]
#[command(
    after_help = "One commit: a signed page that the rules refuse. Two with one number: two pages. Two with different \
numbers: whoever shows only the older one withholds the newer. The commits must be in this \
repository, also those that no ref names."
)]
pub struct Arguments {
    /// A snapshot: N, common@N, a ref or a commit
    #[arg(value_name = "COMMIT")]
    page: String,
    /// The other one
    #[arg(value_name = "COMMIT")]
    other: Option<String>,
    /// Your own words, where two numbers differ: who showed what, and when
    #[arg(short, long, value_name = "WORDS", default_value = "")]
    message: String,
}

#[derive(Serialize)]
struct Made {
    file: String,
    kind: &'static str,
    number: u64,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let page = commit(&context, &arguments.page, ui)?;
    let made = match &arguments.other {
        None => Evidence::invalid_page(&context.store, page)?,
        Some(other) => {
            let other = commit(&context, other, ui)?;
            of_two(&context, page, other, &arguments.message)?
        }
    };
    let Some(made) = made else {
        ui.say("nothing to keep: these commits show no fault that can be proved to others");
        return Ok(Exit::No);
    };
    let path = evidence::keep(&context, &made)?;
    let file = path.display().to_string();
    if ui.json() {
        let (kind, number) = (made.claim.kind(), made.claim.number().0);
        ui.answer("evidence-make", &Made { file, kind, number })?;
    } else {
        ui.line(ui.paint(Style::Bold, &escape(&file)))?;
    }
    Ok(Exit::Done)
}

fn of_two(context: &Context, a: Oid, b: Oid, words: &str) -> anyhow::Result<Option<Evidence>> {
    let store = &context.store;
    let (one, other) = (
        Page::read(store, a)?.number(),
        Page::read(store, b)?.number(),
    );
    Ok(match one.cmp(&other) {
        std::cmp::Ordering::Equal => Evidence::two_pages(store, a, b)?,
        std::cmp::Ordering::Less => Evidence::frozen(store, b, a, words)?,
        std::cmp::Ordering::Greater => Evidence::frozen(store, a, b, words)?,
    })
}

fn commit(context: &Context, name: &str, ui: &Ui) -> anyhow::Result<Oid> {
    if number_of(name).is_some() {
        return Ok(context.page(&context.space()?, Some(name), ui)?.id);
    }
    context.commit_by_name(name)?.ok_or_else(|| {
        let what = format!("no commit is called `{}`", escape(name));
        Problem::new(Code::NotFound, what)
            .hint("`git log --all` lists commits; `git fetch URL` brings those of another clone")
            .into()
    })
}
