//! `folio pin`: the snapshot that asking commands stand on, and which of two chains to follow.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exchange::home::Home;
use crate::cli::exit::Exit;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{allowed_signers, verified, worktree};
use crate::journal::reconcile::{peer, settle, settled, takeover};
use crate::journal::verify::{Branch, verify_branch};
use crate::journal::{Page, refs};
use crate::model::{Code, Oid};
use crate::store::{Expect, RefEdit, Refs as _};
use serde::Serialize;

/// The snapshot that asking commands stand on
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "folio pin [N]\n       folio pin --clear\n       folio pin --takeover CHAIN",
    after_help = "Without N it prints the pin. `resolve`, `group`, `same`, `overlays`, `state`, `log`, `blame` and \
`explain` stand on it until it is moved (folio advance) or cleared; --at asks another snapshot."
)]
pub struct Arguments {
    /// Stand on this snapshot
    #[arg(value_name = "N")]
    n: Option<String>,
    /// Stand on the newest one again
    #[arg(long, conflicts_with = "n")]
    clear: bool,
    /// Of two children of one page, follow the chain with this digest, which a fetch has kept
    #[arg(long, value_name = "CHAIN", conflicts_with_all = ["n", "clear"])]
    takeover: Option<String>,
}

#[derive(Serialize)]
struct Pinned {
    pin: Option<u64>,
    commit: Option<String>,
    newest: u64,
    lost: Option<String>,
    returned: Vec<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    if let Some(chain) = &arguments.takeover {
        return follow(&context, chain, ui);
    }
    if arguments.clear {
        set(&context, None, "folio: unpin")?;
    } else if let Some(n) = &arguments.n {
        let space = context.space()?;
        let page = context.page(&space, Some(n), ui)?;
        require_ours(&context, &page, ui)?;
        set(&context, Some(page.id), "folio: pin")?;
    }
    show(&context, "pin", None, Vec::new(), ui)
}

/// Moves or clears the pin.
pub fn set(context: &Context, to: Option<Oid>, why: &str) -> anyhow::Result<()> {
    context.store.apply(&[RefEdit {
        name: refs::PIN.into(),
        expect: Expect::Any,
        new: to,
        message: why.into(),
    }])?;
    Ok(())
}

/// Only pages of this very chain, all of them verified, can be stood on.
pub fn require_ours(context: &Context, page: &Page, ui: &Ui) -> anyhow::Result<()> {
    let space = context.space()?;
    let mut index = context.index()?;
    verified::require(context, &space, &mut index, ui)?;
    let history = context.history(&space, &mut index, ui)?;
    if history.contains(page.number(), &page.id) {
        return Ok(());
    }
    let what = format!("{} is no snapshot of main", page.id);
    Err(Problem::new(Code::NotFound, what)
        .hint("folio log lists them")
        .into())
}

/// Prints where the pin is.
pub fn show(
    context: &Context,
    command: &str,
    lost: Option<String>,
    returned: Vec<String>,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let space = context.space()?;
    let newest = Page::read(&context.store, space.tip()?)?.number();
    let pin = context.store.get(refs::PIN)?;
    let page = pin.map(|pin| Page::read(&context.store, pin)).transpose()?;
    if ui.json() {
        let pinned = Pinned {
            pin: page.as_ref().map(|page| page.number().0),
            commit: page.map(|page| page.id.to_hex()),
            newest: newest.0,
            lost,
            returned,
        };
        ui.answer(command, &pinned)?;
        return Ok(Exit::Done);
    }
    let line = match page {
        Some(page) => {
            let pinned = ui.paint(Style::Id, &format!("common@{}", page.number()));
            format!("pinned to {pinned}; the newest is common@{newest}")
        }
        None => format!("no pin; the newest is common@{newest}"),
    };
    ui.line(line)?;
    Ok(Exit::Done)
}

/// Goes over to the other one of two chains, because a person says so.
fn follow(context: &Context, chain: &str, ui: &Ui) -> anyhow::Result<Exit> {
    let chain: crate::model::ChainDigest = chain.parse().map_err(|fault| {
        Problem::new(Code::BadRequest, format!("--takeover: {fault}"))
            .hint("the whole chain digest, as `folio fetch` printed it")
    })?;
    let space = context.space()?;
    let mut index = context.index()?;
    verified::require(context, &space, &mut index, ui)?;
    let history = context.history(&space, &mut index, ui)?;
    let name = format!("{}{}", refs::OTHER, chain.short());
    let tip = context.store.get(&name)?.ok_or_else(|| {
        let what = format!("no chain {chain} is kept here");
        Problem::new(Code::NotFound, what).hint("folio fetch keeps what stands beside our pages")
    })?;
    let branch = Branch::read(&context.store, &history, tip)?;
    verify_branch(&space, &history, &branch, &mut |_, _| {})?;
    let page = Page::read(&context.store, tip)?;
    let final_up_to = match Home::of(context, &space)? {
        Home::Here => history.len(),
        _ => peer::final_number(&context.store, &history)?,
    };
    takeover::explicit(&branch, &page, chain, final_up_to)?;
    let step = settle::over(&space, &history, &branch)?;
    let old = history.tip().expect("an open space has a tip").id;
    worktree::check(context, old, step.to)?;
    // A crash before it changes nothing, and after it the rest is made up for by any command.
    step.make(&context.store)?;
    drop(history);
    verified::remember(context, page.number(), step.to)?;
    allowed_signers::refresh(context)?;
    worktree::follow(context, ui)?;
    if let Some(lost) = &step.lost {
        ui.say(format!("what was cut off is kept at {}", escape(lost)));
    }
    for name in &step.returned {
        ui.say(format!("back in the queue: {}", escape(name)));
    }
    // A crash before it leaves branches that say nothing new.
    settled::drop_settled(&space, &context.history(&space, &mut index, ui)?)?;
    show(context, "pin", step.lost, step.returned, ui)
}
