//! `folio evidence check`: what a file proves, without the space and without trust in its sender.

use super::args::Global;
use super::evidence::{self, FindingView};
use super::exit::Exit;
use super::ui::{Style, Ui, escape};
use crate::crypto::sshsig;
use crate::journal::evidence::{Finding, Verdict};
use std::path::PathBuf;

/// Say what a file proves
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs no space, no network and no trust in whoever sent the file. Exit code 0: it proves what is \
printed; 1: it proves nothing; 4: it is not an evidence file."
)]
pub struct Arguments {
    /// The evidence file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let read = evidence::read(&global.dir().join(&arguments.file))?;
    let finding = evidence::check(&read)?;
    if ui.json() {
        let view = FindingView::of(&arguments.file, &read.claim, &finding);
        ui.answer("evidence-check", &view)?;
    } else {
        print(ui, &finding)?;
    }
    Ok(match finding.proves() {
        true => Exit::Done,
        false => Exit::No,
    })
}

fn print(ui: &Ui, finding: &Finding) -> anyhow::Result<()> {
    let (style, word) = match finding.verdict {
        Verdict::Nothing => (Style::Dim, "no"),
        Verdict::Inconclusive => (Style::Dim, "undecided"),
        _ => (Style::Bad, "proved"),
    };
    let word = ui.paint(style, word);
    ui.line(format!("{word}: {}", escape(&finding.words)))?;
    if let Some(space) = finding.space {
        ui.line(format!(
            "Space:    {}",
            ui.paint(Style::Id, &space.to_hex())
        ))?;
    }
    match finding.accused {
        Some(key) => ui.line(format!("Accused:  {}", sshsig::fingerprint(&key)))?,
        None if finding.proves() => ui.line("Accused:  nobody")?,
        None => {}
    }
    if let Some(words) = &finding.hearsay {
        ui.line(format!(
            "Reported: {} (the sender's word; nothing here shows it)",
            escape(words)
        ))?;
    }
    Ok(())
}
