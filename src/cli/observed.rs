//! What was seen of the pen's holder, and for how long nothing new was: kept in `<gitdir>/folio/observed/`
//! by this machine's own clock from when it saw a change. It decides whether somebody is polite, never what is
//! valid, so it may be deleted at any time: then the waiting starts again.

use super::context::{Context, view_of};
use crate::codec::json;
use crate::journal::pen::Standing;
use crate::journal::{Page, Space, check, refs};
use crate::store::{GitStore, Refs as _};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Bytes read of one file at most.
const FILE: usize = 4096;

/// A clock that only goes forward, and which run of the machine it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Names the run: after a reboot it is another one.
    pub boot: String,
    /// Seconds since it began.
    pub seconds: u64,
}

impl Clock {
    /// Reads the machine's. Where it does not tell, there is a run per process, so nothing was ever seen before.
    pub fn read() -> Self {
        let machine = || {
            let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
            let up = std::fs::read_to_string("/proc/uptime").ok()?;
            Some(Self {
                boot: boot.trim().to_owned(),
                seconds: up.split('.').next()?.trim().parse().ok()?,
            })
        };
        machine().unwrap_or_else(|| Self {
            boot: format!("process {}", std::process::id()),
            seconds: 0,
        })
    }
}

/// One thing that was seen.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    boot: String,
    since: u64,
    what: String,
}

/// For how long nothing new was seen, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// Neither a page nor a heartbeat of the holder.
    pub holder: u64,
    /// The pen did not move.
    pub pen: u64,
}

/// Looks at the newest page, the holder's heartbeat and the pen, and remembers what is new.
pub fn look(
    context: &Context,
    space: &Space<'_, GitStore>,
    clock: &Clock,
) -> anyhow::Result<Silence> {
    let dir = context.folio_dir().join("observed");
    let page = Page::read(&context.store, space.tip()?)?;
    let pen = check::pen_of(&view_of(&space.tables, &page))?;
    let beat = context.store.get(&refs::heartbeat(&pen.member))?;
    let beat = beat.map_or("none".to_owned(), |id| id.to_hex());
    let main = age(&dir, "main", &page.id.to_hex(), clock)?;
    let beat = age(&dir, "heartbeat", &format!("{} {beat}", pen.member), clock)?;
    let moved = format!("{} {}", pen.epoch, pen.released);
    Ok(Silence {
        holder: main.min(beat),
        pen: age(&dir, "pen", &moved, clock)?,
    })
}

/// As [`look`], where the policy asks takers to wait. Who only fetches begins to see then, and not when they want
/// the pen; where nobody waits, nothing is written.
pub fn look_for_takers(context: &Context, space: &Space<'_, GitStore>) -> anyhow::Result<()> {
    let page = Page::read(&context.store, space.tip()?)?;
    let terms = Standing::of(&view_of(&space.tables, &page))?.terms;
    if terms.ttl.is_some() || terms.lock_delay.is_some() {
        look(context, space, &Clock::read())?;
    }
    Ok(())
}

/// For how long a thing has been as it is. What is new is remembered from now on.
fn age(dir: &Path, name: &str, what: &str, clock: &Clock) -> anyhow::Result<u64> {
    let path = dir.join(name);
    if let Some(seen) = read(&path)
        && seen.what == what
        && seen.boot == clock.boot
        && let Some(age) = clock.seconds.checked_sub(seen.since)
    {
        return Ok(age);
    }
    let seen = Seen {
        boot: clock.boot.clone(),
        since: clock.seconds,
        what: what.to_owned(),
    };
    write(&path, dir, &seen)?;
    Ok(0)
}

/// What cannot be read was not seen.
fn read(path: &PathBuf) -> Option<Seen> {
    let size = std::fs::metadata(path).ok()?.len();
    if size > FILE as u64 {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    json::parse_lenient(text.trim_end(), FILE).ok()
}

/// A crash leaves the old file or the new one.
fn write(path: &PathBuf, dir: &Path, seen: &Seen) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    writeln!(file, "{}", json::encode(seen))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: &str, seconds: u64) -> Clock {
        Clock {
            boot: boot.into(),
            seconds,
        }
    }

    #[test]
    fn silence_is_measured_from_when_a_change_was_seen_here() {
        let home = tempfile::tempdir().unwrap();
        let age = |what: &str, clock: Clock| age(home.path(), "main", what, &clock).unwrap();
        assert_eq!(age("a", at("one", 100)), 0);
        assert_eq!(age("a", at("one", 160)), 60);
        assert_eq!(age("b", at("one", 170)), 0, "something new");
        assert_eq!(age("b", at("one", 175)), 5);
        assert_eq!(age("b", at("two", 300)), 0, "after a reboot");
        assert_eq!(age("b", at("two", 310)), 10);
        assert_eq!(age("b", at("two", 5)), 0, "a clock that went back");
        std::fs::write(home.path().join("main"), "no JSON").unwrap();
        assert_eq!(age("b", at("two", 400)), 0);
    }

    #[test]
    fn the_machines_clock_goes_forward() {
        let first = Clock::read();
        let second = Clock::read();
        assert_eq!(first.boot, second.boot);
        assert!(second.seconds >= first.seconds);
    }
}
