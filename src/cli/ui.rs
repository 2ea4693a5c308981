//! The terminal: escaping, colour, progress. Other people's text is escaped before it reaches one.

use super::args::{Color, Global};
use crate::model::text::is_plain;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

/// What a command talks through.
pub struct Ui {
    json: bool,
    quiet: bool,
    colour_out: bool,
    colour_err: bool,
}

/// A style for words on a terminal.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// Ids and numbers.
    Id,
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// Less important words.
    Dim,
    /// Headings and names.
    Bold,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Id => "33",
            Style::Good => "32",
            Style::Bad => "31",
            Style::Dim => "2",
            Style::Bold => "1",
        }
    }
}

/// Escapes what a terminal would obey or hide: control, bidi and zero-width characters. Line feeds too;
/// text of several lines is escaped line by line.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            safe.push(c);
        } else {
            // Writing into a string cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", c as u32);
        }
    }
    safe
}

/// Asks a question, under what it is about, and says what was answered; `None` where nobody can be asked, or sees all of it.
pub fn ask(about: &str, question: &str) -> Option<String> {
    let (stdin, stderr) = (io::stdin(), io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return None;
    }
    let mut to = stderr.lock();
    let asked = write!(to, "{about}{question} [y/N] ").and_then(|()| to.flush());
    let mut answer = String::new();
    asked.and_then(|()| stdin.read_line(&mut answer)).ok()?;
    Some(answer.trim().to_lowercase())
}

/// A line on stderr. Where nobody takes it, as where it is closed, or goes into a file on a full disk, the work goes on
/// without.
pub fn talk(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

impl Ui {
    /// Looks at the options and at what stdout and stderr are.
    pub fn new(global: &Global) -> Self {
        let colour = |is_terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            colour_out: colour(io::stdout().is_terminal()),
            colour_err: colour(io::stderr().is_terminal()),
        }
    }

    /// Whether the answer is wanted as JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether talk is left out.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Words in a style, for stdout; the words must be escaped already.
    pub fn paint(&self, style: Style, words: &str) -> String {
        if self.colour_out {
            format!("\x1b[{}m{words}\x1b[0m", style.code())
        } else {
            words.to_owned()
        }
    }

    /// One line of data on stdout; other people's text in it must be escaped already.
    pub fn line(&self, line: impl AsRef<str>) -> anyhow::Result<()> {
        writeln!(io::stdout().lock(), "{}", line.as_ref())?;
        Ok(())
    }

    /// One JSON object on stdout, with the version of its fields in front.
    pub fn answer<T: Serialize>(&self, command: &str, fields: &T) -> anyhow::Result<()> {
        let answer = super::view::Envelope::new(command, fields);
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &answer).map_err(io::Error::from)?;
        writeln!(out)?;
        Ok(())
    }

    /// Talk: one line on stderr, left out with `--quiet`.
    pub fn say(&self, words: impl AsRef<str>) {
        if !self.quiet {
            talk(words.as_ref());
        }
    }

    /// A warning on stderr.
    pub fn warn(&self, words: impl AsRef<str>) {
        let label = self.paint_err(Style::Bad, "warning");
        talk(&format!("{label}: {}", words.as_ref()));
    }

    /// An error on stderr. The words are escaped here, line by line.
    pub fn error(&self, code: &str, words: &str) {
        let words: Vec<String> = words.lines().map(escape).collect();
        let label = self.paint_err(Style::Bad, "error");
        talk(&format!("{label}: {code}: {}", words.join("\n  ")));
    }

    /// What to do next, on stderr.
    pub fn hint(&self, words: &str) {
        let label = self.paint_err(Style::Dim, "hint");
        talk(&format!("{label}: {}", escape(words)));
    }

    /// Words as stderr shows them, which may be a file where stdout is a terminal.
    pub fn paint_err(&self, style: Style, words: &str) -> String {
        if self.colour_err {
            format!("\x1b[{}m{words}\x1b[0m", style.code())
        } else {
            words.to_owned()
        }
    }

    /// Something of unknown length that is under way, shown on a terminal until the value is dropped.
    pub fn spinner(&self, what: &'static str) -> Spinner {
        if self.quiet || !io::stderr().is_terminal() {
            return Spinner(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::default_spinner());
        bar.set_message(what);
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Spinner(Some(bar))
    }

    /// A progress bar on stderr: only on a terminal, and only for what takes longer than a blink.
    pub fn progress(&self, what: &'static str) -> Progress {
        let show = !self.quiet && io::stderr().is_terminal();
        Progress {
            what,
            show,
            bar: None,
            started: std::time::Instant::now(),
        }
    }
}

/// Something under way.
#[must_use = "it goes when it is dropped"]
pub struct Spinner(Option<ProgressBar>);

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Something that may take a while.
pub struct Progress {
    what: &'static str,
    show: bool,
    bar: Option<ProgressBar>,
    started: std::time::Instant,
}

impl Progress {
    /// So much is done.
    pub fn at(&mut self, done: u64, total: u64) {
        if !self.show {
            return;
        }
        if self.bar.is_none() && self.started.elapsed().as_millis() > 300 {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
            bar.set_style(style.expect("the template is constant and valid"));
            bar.set_message(self.what);
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_obey_nothing_of_other_peoples_text() {
        assert_eq!(escape("Київ 日本 é"), "Київ 日本 é");
        assert_eq!(
            escape("a\x1b[31mb\rc\nd\u{202e}e\u{200b}"),
            "a\\u{1b}[31mb\\u{d}c\\u{a}d\\u{202e}e\\u{200b}"
        );
    }
}
