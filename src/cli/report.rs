//! What drafting commands say in the end.

use super::draft::Added;
use super::exit::Exit;
use super::ui::Ui;
use serde::Serialize;

#[derive(Serialize)]
struct Drafted {
    added: usize,
    already: usize,
}

/// Says how the draft grew.
pub fn drafted(ui: &Ui, added: Added) -> anyhow::Result<Exit> {
    if ui.json() {
        let Added { added, already } = added;
        ui.answer("draft", &Drafted { added, already })?;
        return Ok(Exit::Done);
    }
    if added.added > 0 {
        ui.say(format!(
            "{} drafted; `folio propose -m MESSAGE` signs the draft",
            count(added.added, "decision")
        ));
    }
    if added.already > 0 {
        ui.say(format!(
            "{} true already, nothing to draft",
            count(added.already, "decision")
        ));
    }
    Ok(Exit::Done)
}

/// A number with a noun.
pub fn count(n: usize, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}
