//! The command line's grammar. Each command's own arguments stand in its file.

use super::commands::*;
use clap::{Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// The help of the whole fits one screen: a line for every few commands, which a test compares with the
/// list below.
const HELP: &str = "\
A git-backed coordination journal: signed proposals, numbered snapshots, a state anyone can replay.

{usage-heading} {usage}

Set up:
  init, clone, key, hook  found a space; copy one, verified; signing keys; git's hooks
Draft decisions:
  alias                   set and drop aliases, or sync them with a file
  bind, unbind            two entities are the same; take that edge back
  distinct, distinct-drop two entities are not the same; take that back
  merge, unmerge          an entity has become another name for a second one; take that back
  fork                    a new entity that comes from another
  pin-name, unpin-name    prefer a name as its group's representative; take that back
  overlay, artifact       layers over what others own; bytes by their key, kept and published
  member, policy          members and their keys; who may propose what
  describe, draft         the space's name, description and home; what is drafted
Propose and number:
  propose, rebase         sign the draft as a proposal; make a stale one again
  queue, review           proposals and what they would do today; one of them, for its reviewer
  approve, reject         say so with a signed review
  accept, refuse          number proposals, or leave a signed reason (the witness)
  pen, witness            who numbers: take and release the pen; be the witness
Exchange:
  fetch, push, submit     bring what is new elsewhere, verified; send what others lack; your own
  sync, bundle            fetch, then push; carry a space on a stick
  pin, advance            the snapshot that asking commands stand on; move it forward
Ask:
  resolve, group, same    what a name stands for; its group; whether two are the same, and why
  overlays, state         the layers over a target; the tables and their rows
  log, show, diff         the snapshots; one of them, or a proposal; what lies between two
  blame, explain, status  who decided what a name says; a code or a name; where the space stands
Check:
  verify, replay          check every rule of every snapshot; rebuild the state from decisions
  gc, evidence            remove what nothing refers to; show others that somebody was dishonest
  help, man, completions  help on a command or a topic; manual pages; shell completions

Options:
  -C DIR, --json, -q, --color WHEN, --key FILE, --offline, -h, -V: see `folio COMMAND --help`

Start with `folio help tutorial`. Topics: decisions, codes, exit-codes, json.";

/// A git-backed coordination journal: signed proposals, numbered snapshots, a state anyone can replay.
#[derive(Debug, Parser)]
#[command(
    name = "folio",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(help_template = HELP)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Run as if started in this directory
    #[arg(short = 'C', value_name = "DIR", global = true, hide_short_help = true)]
    pub directory: Vec<PathBuf>,
    /// Answer as JSON (docs/json.md)
    #[arg(long, global = true)]
    pub json: bool,
    /// Say less on stderr
    #[arg(short, long, global = true, hide_short_help = true)]
    pub quiet: bool,
    /// Colour the output
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        hide_short_help = true,
        hide_possible_values = true
    )]
    pub color: Color,
    /// The date in commits, `SECONDS ZONE` [default: GIT_COMMITTER_DATE, else now]
    #[arg(long, value_name = "DATE", global = true, hide_short_help = true)]
    pub date: Option<String>,
    /// Ask no other repository before pages are numbered
    #[arg(long, global = true, hide_short_help = true)]
    pub offline: bool,
    /// The key to sign with: a file, or a public key that ssh-agent holds
    #[arg(
        long,
        value_name = "FILE",
        env = "FOLIO_KEY",
        hide_env_values = true,
        global = true,
        hide_short_help = true
    )]
    pub key: Option<String>,
    /// Where it is remembered outside of the repository what was signed [default: ~/.local/state/folio]
    #[arg(long, value_name = "DIR", global = true, hide_short_help = true)]
    pub state_dir: Option<PathBuf>,
}

impl Global {
    /// The directory to start from; several `-C` add up, as with git.
    pub fn dir(&self) -> PathBuf {
        let here = PathBuf::from(".");
        self.directory.iter().fold(here, |at, next| at.join(next))
    }
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The snapshot to ask.
#[derive(Debug, Clone, Args)]
pub struct At {
    /// Ask this snapshot: N, common@N, a tag or a commit [default: the pin, else the newest]
    #[arg(long, value_name = "N")]
    pub at: Option<String>,
}

/// Parses a command line, the program's name first.
///
/// To make the grammar of sixty commands takes longer than most of them run. So the one that seems to be named is
/// tried alone, and whatever does not fit it, a question for help too, is left to the whole grammar.
pub fn parse(line: &[OsString]) -> Result<Cli, clap::Error> {
    let words = line.iter().skip(1).filter_map(|word| word.to_str());
    let mut named = words.filter_map(alone);
    if let Some(grammar) = named.next()
        && let Ok(mut matches) = grammar.try_get_matches_from(line)
        && let Ok(cli) = Cli::from_arg_matches_mut(&mut matches)
    {
        return Ok(cli);
    }
    Cli::try_parse_from(line)
}

macro_rules! commands {
    ($($(#[$meta:meta])* $variant:ident in $module:ident,)*) => {
        /// Every command.
        #[derive(Debug, Subcommand)]
        #[allow(clippy::large_enum_variant, reason = "there is one value, and it lives as long as the process")]
        pub enum Command {$(
            $(#[$meta])*
            $variant($module::Arguments),
        )*}

        /// The grammar of one command only, where its name is that of its module.
        fn alone(name: &str) -> Option<clap::Command> {
            let whole = clap::Command::new("folio").disable_help_subcommand(true);
            let whole = || Global::augment_args(whole);
            let command = clap::Command::new;
            match name {
                $(stringify!($module) => {
                    let command = $module::Arguments::augment_args(command(stringify!($module)));
                    Some(whole().subcommand(command))
                })*
                _ => None,
            }
        }

        /// Runs the command that was parsed.
        pub(super) fn dispatch(cli: &Cli, ui: &super::ui::Ui) -> anyhow::Result<super::exit::Exit> {
            match &cli.command {$(
                Command::$variant(arguments) => $module::run(arguments, &cli.global, ui),
            )*}
        }
    };
}

commands! {
    /// Found a space
    Init in init,
    /// A copy of a space, verified
    Clone in clone,
    /// Make, show and list signing keys
    Key in key,
    /// Hooks for git: a server that takes only what is valid, a clone that warns
    Hook in hook,

    /// Draft aliases: set, drop, sync with a file
    Alias in alias,
    /// Draft: two entities are the same
    Bind in bind,
    /// Draft: take an edge back
    Unbind in unbind,
    /// Draft: two entities are not the same
    Distinct in distinct,
    /// Draft: take a `distinct` back
    DistinctDrop in distinct_drop,
    /// Draft: an entity has become another name for a second one
    Merge in merge,
    /// Draft: take a merge back
    Unmerge in unmerge,
    /// Draft: a new entity that comes from another
    Fork in fork,
    /// Draft: prefer a name as its group's representative
    PinName in pin_name,
    /// Draft: take a preference back
    UnpinName in unpin_name,
    /// Layers over what others own: add, show, rebase, drop
    Overlay in overlay,
    /// Draft members: add, remove, rotate
    Member in member,
    /// Draft who may propose what
    Policy in policy,
    /// Draft the space's name, description and home
    Describe in describe,

    /// Show, drop or clear what is drafted
    Draft in draft,
    /// Sign the draft (or a file) as a proposal
    Propose in propose,
    /// Make a stale proposal again on today's state
    Rebase in rebase,
    /// List proposals and what they would do today
    Queue in queue,
    /// One proposal, for its reviewer
    Review in review,
    /// Approve proposals with a signed review
    Approve in approve,
    /// Reject a proposal with a signed review
    Reject in reject,
    /// Number proposals (the witness)
    Accept in accept,
    /// Refuse a proposal with a signed reason (the witness)
    Refuse in refuse,
    /// Who numbers: look at the pen, take it, release it
    Pen in pen,
    /// Draft who may take the pen: appoint, retire, list
    Witness in witness,

    /// Bytes by their BLAKE3 key: add, get, ls, publish, tombstone, ...
    Artifact in artifact,

    /// What is new elsewhere, verified
    Fetch in fetch,
    /// Send pages and branches to another repository
    Push in push,
    /// Send your proposals and reviews
    Submit in submit,
    /// Fetch, then push
    Sync in sync,
    /// Carry a space on a stick
    Bundle in bundle,
    /// The snapshot that asking commands stand on
    Pin in pin,
    /// Move the pin forward
    Advance in advance,

    /// What a name stands for
    Resolve in resolve,
    /// The names that are the same as one
    Group in group,
    /// Whether two names are the same, and why
    Same in same,
    /// The layers over a target
    Overlays in overlays,
    /// The rows of the state
    State in state,
    /// The numbered snapshots
    Log in log,
    /// One snapshot or proposal
    Show in show,
    /// Decisions and rows between two snapshots
    Diff in diff,
    /// Who decided what a name says
    Blame in blame,
    /// Explain a code or a name
    Explain in explain,
    /// Where the space stands
    Status in status,

    /// Check every rule of every snapshot
    Verify in verify,
    /// Rebuild the state from the decisions alone
    Replay in replay,
    /// Pack what is needed; remove what nothing refers to any more
    Gc in gc,
    /// Check, show, list and make evidence files
    Evidence in evidence,

    /// Shell completions
    Completions in completions,
    /// Manual pages
    Man in man,
    /// Help on a command or a topic
    Help in help,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn line(words: &str) -> Vec<OsString> {
        let words = ["folio"].into_iter().chain(words.split_whitespace());
        words.map(OsString::from).collect()
    }

    #[test]
    fn one_command_alone_is_parsed_as_among_all() {
        let whole = Cli::command();
        let names = whole.get_subcommands().map(clap::Command::get_name);
        for name in names.filter(|name| !name.contains('-')) {
            assert!(alone(name).is_some(), "{name}");
        }
        for words in [
            "resolve a --at 3",
            "-C log -C show -q resolve resolve -v",
            "--key log --json alias set a b",
            "log --json -n 3 -C there --color never",
            "accept --all --offline",
            "pin-name a --state-dir accept",
            "hook pre-receive",
        ] {
            let line = line(words);
            let whole = Cli::try_parse_from(&line).map(|cli| format!("{cli:?}"));
            let parsed = parse(&line).map(|cli| format!("{cli:?}"));
            match (whole, parsed) {
                (Ok(whole), Ok(parsed)) => assert_eq!(whole, parsed, "{words}"),
                (Err(whole), Err(parsed)) => assert_eq!(whole.to_string(), parsed.to_string()),
                (whole, parsed) => panic!("{words}: {whole:?}, {parsed:?}"),
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_of_the_whole_grammar() {
        for words in [
            "",
            "-h",
            "-V",
            "accept -h",
            "accept",
            "lgo",
            "log --nothing",
            "-C log",
        ] {
            let line = line(words);
            let whole = Cli::try_parse_from(&line).unwrap_err();
            let parsed = parse(&line).unwrap_err();
            assert_eq!(whole.kind(), parsed.kind());
            assert_eq!(whole.to_string(), parsed.to_string());
        }
    }
}
