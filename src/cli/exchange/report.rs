//! What a fetch did, for people and as JSON.

use super::artifacts::view::ArtifactsView;
use super::fetch::Fetched;
use super::home::Provisional;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::{Style, Ui, escape};
use crate::journal::Fault;
use crate::journal::reconcile::course::{Course, Fork};
use crate::journal::reconcile::receive::Received;
use crate::journal::reconcile::takeover::Stand;
use crate::model::{ChainDigest, Code};
use serde::Serialize;

/// One fetch.
#[derive(Debug, Serialize)]
pub struct FetchView {
    /// The remote's name or address.
    remote: String,
    /// `same`, `behind`, `ahead`, `fork`, `none` or `shallow`.
    course: &'static str,
    /// The newest number there.
    shows: Option<u64>,
    /// The newest number here before.
    from: u64,
    /// The newest number here now.
    to: u64,
    /// Branches that were taken.
    taken: Vec<String>,
    /// Branches where both sides changed and ours was kept.
    kept: Vec<String>,
    /// Branches where both sides changed and theirs was taken.
    replaced: Vec<ReplacedView>,
    /// Branches that cannot be taken yet.
    waiting: Vec<WaitingView>,
    /// Where pages that an approved take-over cut off are kept.
    lost: Option<String>,
    /// Branches of proposals that only those pages had numbered.
    returned: Vec<String>,
    /// Whether the remote shows an older page than before.
    went_back: bool,
    /// Whether it stands still while home goes on.
    frozen: bool,
    /// Refs over there that are none of a space's.
    foreign: usize,
    /// What a shallow clone cannot check.
    unchecked: Vec<String>,
    /// Artifacts; nothing where they were not asked for.
    artifacts: Option<ArtifactsView>,
}

#[derive(Debug, Serialize)]
struct ReplacedView {
    name: String,
    /// The local ref that keeps ours.
    at: String,
}

#[derive(Debug, Serialize)]
struct WaitingView {
    name: String,
    code: &'static str,
    what: String,
}

fn short(name: &str) -> String {
    name.strip_prefix("refs/heads/").unwrap_or(name).to_owned()
}

impl FetchView {
    /// Of one fetch.
    pub fn of(remote: &str, fetched: &Fetched) -> Self {
        let mut view = Self {
            remote: remote.to_owned(),
            course: "shallow",
            shows: None,
            from: 0,
            to: 0,
            taken: Vec::new(),
            kept: Vec::new(),
            replaced: Vec::new(),
            waiting: Vec::new(),
            lost: None,
            returned: Vec::new(),
            went_back: false,
            frozen: fetched.frozen,
            foreign: fetched.foreign,
            unchecked: fetched.unchecked.clone(),
            artifacts: None,
        };
        if let Some(received) = &fetched.received {
            view.fill(received);
        }
        view
    }

    /// With what came of artifacts.
    pub fn followed_by(&mut self, artifacts: ArtifactsView) {
        self.artifacts = Some(artifacts);
    }

    fn fill(&mut self, received: &Received) {
        self.course = match &received.course {
            None => "none",
            Some(Course::Same) => "same",
            Some(Course::Behind(_)) => "behind",
            Some(Course::Ahead(_)) => "ahead",
            Some(Course::Fork(_)) => "fork",
        };
        self.shows = match &received.course {
            None => None,
            Some(Course::Same) => Some(received.from.0),
            Some(Course::Behind(number)) => Some(number.0),
            Some(Course::Ahead(theirs) | Course::Fork(Fork { theirs, .. })) => {
                Some(theirs.fork.0 + theirs.pages.len() as u64)
            }
        };
        (self.from, self.to) = (received.from.0, received.to.0);
        let names = |names: &[String]| names.iter().map(|name| short(name)).collect();
        self.taken = names(&received.branches.taken);
        self.kept = names(&received.branches.kept);
        let replaced = received.branches.replaced.iter();
        self.replaced = replaced
            .map(|(name, at)| ReplacedView {
                name: short(name),
                at: at.clone(),
            })
            .collect();
        self.returned = names(&received.returned);
        let waiting = received.branches.waiting.iter();
        self.waiting = waiting
            .map(|(name, fault)| waiting_view(name, fault))
            .collect();
        self.lost.clone_from(&received.lost);
        self.went_back = received.went_back.is_some();
    }

    /// For people.
    pub fn print(&self, ui: &Ui) -> anyhow::Result<()> {
        let remote = escape(&self.remote);
        if self.to > self.from && self.lost.is_none() {
            let pages = count((self.to - self.from) as usize, "page");
            let newest = ui.paint(Style::Id, &format!("common@{}", self.to));
            ui.line(format!("{newest} from {remote}: {pages} verified"))?;
        }
        if let Some(lost) = &self.lost {
            ui.line(format!(
                "followed an approved take-over: main is common@{} now, what it cut off is kept at {}",
                self.to,
                escape(lost)
            ))?;
        }
        for name in &self.returned {
            ui.line(format!("back in the queue: {}", escape(name)))?;
        }
        for name in &self.taken {
            ui.line(format!("new {}", escape(name)))?;
        }
        for name in &self.kept {
            ui.say(format!("kept ours of {}: it is newer", escape(name)));
        }
        for replaced in &self.replaced {
            ui.say(format!(
                "replaced {}: the older one, which was here, is kept at {}",
                escape(&replaced.name),
                escape(&replaced.at)
            ));
        }
        for waiting in &self.waiting {
            let (name, what) = (escape(&waiting.name), escape(&waiting.what));
            ui.say(format!("not taken: {name}: {}: {what}", waiting.code));
        }
        if self.foreign > 0 {
            let refs = count(self.foreign, "ref");
            ui.say(format!(
                "note: {remote} has {refs} that are none of a space's; they were left there"
            ));
        }
        if let ("behind", Some(shows)) = (self.course, self.shows) {
            let still = match self.frozen {
                true => "still, as when it was last asked, though home has gone on",
                false => "and does not have our newest pages",
            };
            ui.say(format!("note: {remote} shows common@{shows} {still}"));
        }
        if self.course == "none" {
            ui.say(format!("note: {remote} has no main"));
        }
        for what in &self.unchecked {
            ui.say(format!("not verified: {what}"));
        }
        match &self.artifacts {
            Some(artifacts) => artifacts.print(&self.remote, ui),
            None => Ok(()),
        }
    }
}

fn waiting_view(name: &str, fault: &Fault) -> WaitingView {
    WaitingView {
        name: short(name),
        code: fault.code.as_str(),
        what: fault.what.clone(),
    }
}

/// How a fetch ends: two children of one page and a remote that went back are no success.
pub fn outcome(
    remote: &str,
    fetched: &Fetched,
    theirs: Option<ChainDigest>,
) -> anyhow::Result<Exit> {
    let Some(received) = &fetched.received else {
        return Ok(Exit::Done);
    };
    if received.went_back.is_some() {
        let what = format!("`{remote}` shows an older page than it showed before");
        return Err(Problem::new(Code::WentBack, what).into());
    }
    if let Some(Course::Fork(fork)) = &received.course
        && let Stand::Stop(why) = fork.stand
    {
        let number = fork.theirs.fork.next();
        let what = format!(
            "`{remote}` has another common@{number} than we have, and {}",
            why.words()
        );
        let chain = theirs.map_or("CHAIN".to_owned(), |chain| chain.to_hex());
        let hint = format!(
            "ask the witnesses which one holds; then, to follow theirs: folio pin --takeover {chain}"
        );
        return Err(Problem::new(Code::TwoChildren, what).hint(hint).into());
    }
    Ok(Exit::Done)
}

/// Says which pages are not final.
pub fn say_provisional(ui: &Ui, provisional: Option<Provisional>) {
    if let Some(Provisional { home, newest }) = provisional {
        let first = home + 1;
        let (range, them) = match first == newest {
            true => (format!("common@{newest} is"), "it"),
            false => (format!("common@{first}..common@{newest} are"), "them"),
        };
        ui.say(format!(
            "note: {range} provisional: home is not known to have {them} (folio push, folio fetch)"
        ));
    }
}
