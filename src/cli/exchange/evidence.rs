//! What a fetch catches red-handed is kept as evidence.

use crate::cli::context::Context;
use crate::cli::evidence::say_none;
use crate::cli::ui::{Ui, escape};
use crate::journal::evidence::{Evidence, culprit};
use crate::journal::reconcile::RefMap;
use crate::journal::reconcile::course::{Course, Fork};
use crate::journal::reconcile::receive::Received;
use crate::journal::{Fault, refs};
use crate::model::{Code, Oid};

/// A page that the rules refuse: kept where its signer can be held to it. The fault goes on as it came.
pub fn of_pages(
    context: &Context,
    ui: &Ui,
    who: &str,
    shown: &RefMap,
    fault: Fault,
) -> anyhow::Error {
    let is_theirs = !fault.is_environment() && fault.code != Code::ObjectMissing;
    if let (true, Some(main)) = (is_theirs, shown.get(refs::MAIN)) {
        let page = culprit(&context.store, *main).or(fault.commit);
        let made = page.map(|page| Evidence::invalid_page(&context.store, page));
        if let Some(Ok(Some(evidence))) = made {
            keep(context, ui, who, &evidence);
        }
    }
    fault.into()
}

/// Two children of one page, or an older page than before.
pub fn of_course(context: &Context, ui: &Ui, who: &str, shown: &RefMap, received: &Received) {
    if let Some(Course::Fork(Fork { ours, theirs, .. })) = &received.course
        && let Some(first) = theirs.pages.first()
    {
        made(
            context,
            ui,
            who,
            Evidence::two_pages(&context.store, *ours, *first),
        );
    }
    if let Some(newer) = received.went_back
        && let Some(older) = shown.get(refs::MAIN)
    {
        made(context, ui, who, went_back(context, newer, *older, who));
    }
}

/// A mirror that stands still while home goes on.
pub fn of_frozen(context: &Context, ui: &Ui, who: &str, home: Oid, shown: Oid) {
    made(
        context,
        ui,
        who,
        Evidence::frozen(&context.store, home, shown, who),
    );
}

fn went_back(context: &Context, newer: Oid, older: Oid, who: &str) -> Made {
    Evidence::went_back(&context.store, newer, older, who)
}

type Made = Result<Option<Evidence>, Fault>;

fn made(context: &Context, ui: &Ui, who: &str, made: Made) {
    match made {
        Ok(Some(evidence)) => keep(context, ui, who, &evidence),
        Ok(None) => {}
        Err(fault) => say_none(ui, &fault.into()),
    }
}

fn keep(context: &Context, ui: &Ui, who: &str, evidence: &Evidence) {
    match crate::cli::evidence::keep(context, evidence) {
        Ok(path) => ui.say(format!(
            "evidence about {}: {} (folio evidence check FILE)",
            escape(who),
            escape(&path.display().to_string())
        )),
        Err(error) => say_none(ui, &error),
    }
}
