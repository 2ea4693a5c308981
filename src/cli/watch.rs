//! `folio witness run --watch`: round after round, until it is told to end.

use super::args::Global;
use super::context::Context;
use super::exit::Exit;
use super::hook::post::WAKE;
use super::ui::Ui;
use super::{signing, witness_run};
use crate::model::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked whether the hook, or a signal, wants something.
const GLANCE: Duration = Duration::from_millis(100);
/// The longest time until a remote that is away is tried again.
const LONGEST: Duration = Duration::from_secs(300);

/// Remotes that were away, and when each is tried again.
#[derive(Default)]
struct Patience {
    away: BTreeMap<String, (u32, Instant)>,
}

impl Patience {
    fn is_due(&self, remote: &str, now: Instant) -> bool {
        self.away.get(remote).is_none_or(|(_, next)| *next <= now)
    }

    /// Twice as long each time, up to five minutes; at once again when it answers.
    fn learn(&mut self, tried: &[String], away: &[String], interval: Duration, now: Instant) {
        for remote in tried {
            if !away.contains(remote) {
                self.away.remove(remote);
                continue;
            }
            let entry = self.away.entry(remote.clone());
            let (times, next) = entry.or_insert((0, now));
            *times = (*times + 1).min(16);
            let wait = interval.saturating_mul(1 << *times).min(LONGEST);
            *next = now + wait;
        }
    }
}

/// Watches: every `interval`, or when the hook says that something came. SIGTERM and SIGINT end it after the round
/// that is under way; a second one ends it at once, which any crash may too.
pub fn watch(global: &Global, ui: &Ui, interval: Duration) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let wake = context.folio_dir().join(WAKE);
    let signer = signing::signer(Some(&context), global)?;
    let end = ended()?;
    let mut patience = Patience::default();
    let (mut standby, mut said) = (false, BTreeSet::new());
    ui.say("watching; SIGTERM or Ctrl-C ends it");
    while !end.load(Ordering::SeqCst) {
        let woken = modified(&wake);
        let tried: Vec<String> = super::exchange::all(&context)?
            .into_iter()
            .map(|remote| remote.name)
            .filter(|name| patience.is_due(name, Instant::now()))
            .collect();
        let due = |name: &str| tried.iter().any(|remote| remote == name);
        match witness_run::round(global, ui, &*signer, &due, &mut said) {
            Ok(round) => {
                patience.learn(&tried, &round.away, interval, Instant::now());
                if ui.json() && !round.numbered.is_empty() {
                    ui.answer("witness", &round)?;
                }
                if round.standby && !standby {
                    ui.say("note: the pen is somebody else's; standing by");
                }
                standby = round.standby;
            }
            // Somebody else was faster, or is at it: the next round sees what came of it.
            Err(error) if is_passing(&error) => {
                super::numbering::or_warn::<()>(ui, Err(error));
            }
            Err(error) => return Err(error),
        }
        rest(&end, &wake, woken, interval);
    }
    ui.say("ended");
    Ok(Exit::Done)
}

fn is_passing(error: &anyhow::Error) -> bool {
    let code = super::error::parts(error).0;
    matches!(
        code,
        Some(Code::RaceLost | Code::Busy | Code::RemoteFailed | Code::WorktreeChanged | Code::Io)
    )
}

/// Until the interval is over, the hook has touched its file, or the end is near.
fn rest(end: &AtomicBool, wake: &Path, woken: Option<SystemTime>, interval: Duration) {
    let until = Instant::now() + interval;
    while Instant::now() < until && !end.load(Ordering::SeqCst) && modified(wake) == woken {
        std::thread::sleep(GLANCE.min(until.saturating_duration_since(Instant::now())));
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// Set by the first signal; the second one is not caught any more.
#[cfg(unix)]
fn ended() -> anyhow::Result<Arc<AtomicBool>> {
    let end = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&end))?;
        signal_hook::flag::register(signal, Arc::clone(&end))?;
    }
    Ok(end)
}

/// Where there are no signals, the process is simply ended: a crash that nothing is lost by.
#[cfg(not(unix))]
fn ended() -> anyhow::Result<Arc<AtomicBool>> {
    Ok(Arc::new(AtomicBool::new(false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_that_is_away_is_asked_ever_more_rarely_and_at_once_again_when_it_answers() {
        let (start, interval) = (Instant::now(), Duration::from_secs(5));
        let both = ["far".to_owned(), "near".to_owned()];
        let far = [both[0].clone()];
        let mut patience = Patience::default();
        let (mut now, mut waits) = (start, Vec::new());
        for _ in 0..8 {
            assert!(patience.is_due("far", now) && patience.is_due("near", now));
            patience.learn(&both, &far, interval, now);
            let next = patience.away["far"].1;
            assert!(!patience.is_due("far", next - Duration::from_millis(1)));
            waits.push((next - now).as_secs());
            now = next;
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300, 300]);
        // Who was not asked is not judged.
        patience.learn(&both[1..], &[], interval, now - Duration::from_secs(1));
        assert!(!patience.is_due("far", now - Duration::from_secs(1)));
        patience.learn(&both, &[], interval, now);
        assert!(patience.is_due("far", now));
        patience.learn(&both, &far, interval, now);
        assert_eq!(patience.away["far"].1 - now, 2 * interval);
    }
}
