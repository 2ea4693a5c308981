//! Who acts, and when.

use super::args::Global;
use super::context::Context;
use super::error::Problem;
use super::signing;
use crate::codec::commit::Zone;
use crate::fold::{Stop, View};
use crate::journal::judge;
use crate::journal::propose::When;
use crate::model::rows::MemberRow;
use crate::model::{Code, PublicKey, limits};
use std::time::{SystemTime, UNIX_EPOCH};

/// The member whose key would sign here; `None` where there is no key or it is nobody's. Only the public
/// half is looked at.
pub fn author(
    context: &Context,
    global: &Global,
    view: &dyn View,
) -> anyhow::Result<Option<MemberRow>> {
    let key = match signing::public_key(Some(context), global) {
        Ok(key) => key,
        // Drafting needs no key; proposing will say what is wrong with it.
        Err(_) => return Ok(None),
    };
    match judge::member_of(view, &key) {
        Ok(member) => Ok(Some(member)),
        Err(Stop::Refused(_)) => Ok(None),
        Err(broken) => Err(broken.into()),
    }
}

/// As [`author`], but a key that is nobody's is refused: what would be refused when it is proposed is said
/// when it is drafted. Without any key there is nobody to judge yet.
pub fn drafter(
    context: &Context,
    global: &Global,
    view: &dyn View,
) -> anyhow::Result<Option<MemberRow>> {
    match signing::public_key(Some(context), global) {
        Ok(key) => member(view, &key).map(Some),
        Err(error) if super::error::parts(&error).0 == Some(Code::KeyUnusable) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The member whose key this is, or why not, with what to do.
pub fn member(view: &dyn View, key: &PublicKey) -> anyhow::Result<MemberRow> {
    judge::member_of(view, key).map_err(|stop| match stop {
        Stop::Refused(refusal) if refusal.code == Code::NotAMember => {
            let hint = format!("ask somebody who may: folio member add HANDLE --public-key '{key}' --email ADDRESS --name NAME");
            Problem::new(refusal.code, refusal.what).hint(hint).into()
        }
        other => other.into(),
    })
}

/// The date for commits: `--date`, else `GIT_COMMITTER_DATE`, as `<seconds> <zone>` (or `@<seconds> <zone>`),
/// else now.
pub fn when(global: &Global) -> anyhow::Result<When> {
    let given = match &global.date {
        Some(date) => Some(date.clone()),
        None => {
            std::env::var_os("GIT_COMMITTER_DATE").map(|date| date.to_string_lossy().into_owned())
        }
    };
    if let Some(date) = given {
        return parse_date(&date).ok_or_else(|| {
            let what = format!(
                "the date is `{date}`, expected `<seconds> <zone>` like `1767225600 +0000`"
            );
            Problem::new(Code::BadRequest, what).into()
        });
    }
    Ok(When {
        seconds: clock(),
        zone: Zone::UTC,
    })
}

/// Now, in seconds since 1970, to tell how old files are: `--date`, else the clock.
pub fn now(global: &Global) -> anyhow::Result<u64> {
    match &global.date {
        Some(_) => Ok(when(global)?.seconds),
        None => Ok(clock()),
    }
}

/// The clock is read here and nowhere else; dates decide nothing.
fn clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

fn parse_date(date: &str) -> Option<When> {
    let (seconds, zone) = date
        .trim()
        .trim_start_matches('@')
        .split_once(' ')
        .unwrap_or((date.trim_start_matches('@'), "+0000"));
    let seconds: u64 = seconds.parse().ok().filter(|s| *s < limits::DATE_END)?;
    let zone = Zone::new(zone)?;
    Some(When { seconds, zone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_and_a_zone() {
        let when = parse_date("@1767225600 +0130").unwrap();
        assert_eq!((when.seconds, when.zone.as_str()), (1_767_225_600, "+0130"));
        assert!(parse_date("1767225600").is_some());
        assert!(parse_date("yesterday").is_none());
        assert!(parse_date("99999999999999 +0000").is_none());
    }
}
