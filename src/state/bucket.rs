//! Bucket files: 1 to 64 rows of one table whose digits share a prefix, as lines sorted by key.
//!
//! A bucket keeps its file's text and where each row and its key stand in it. Of most buckets a look-up or a change
//! needs one row of dozens, so what the others hold is parsed only where somebody asks for them, or where the tree
//! is one that nothing vouches for:
//!
//! - *Always checked*: the file's size, UTF-8, line feeds, the number of rows, that a key is found in each, and that
//!   keys are strictly sorted. So an absent row is absent whatever the others hold: a line that would parse as the row
//!   has its key where the key was found.
//! - *Checked of each row that is handed out*: that it is the canonical form of a row with that key. That it lies in
//!   the right place follows from how it was found, by the digits of its key.
//! - *Checked of a whole bucket* by [`Reading::Strict`]: both of every row. Whoever walks over rows reads so, and so
//!   does everybody in a state that nothing vouches for.
//!
//! [`Reading::Lazy`] is for the states of a chain whose pages were verified when they were taken in, were made here, or
//! are being verified together. Such a tree is what editing the tree before it makes, by its id; by induction down to
//! the state without rows, each bucket in it was written by this very code from rows that were encoded from their
//! types. A page of another tree is refused where it is checked, whatever reading that tree says. Where somebody moved
//! `main` past all that, each answer is still that of a strict reader: only damage that nobody asks about is left for
//! `verify` to find, as it is in the buckets that nobody reads.

use super::place::{Placer, Prefix};
use crate::codec::{json, rows};
use crate::model::{Row, RowKey, Table, limits};
use crate::store::Bytes;
use std::ops::Range;
use std::sync::Arc;

mod made;
mod marks;
mod splice;

use made::Made;
use marks::Marks;
pub(super) use splice::Spliced;

/// How much of a bucket is checked when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Every row.
    Strict,
    /// The rows that are handed out.
    Lazy,
}

/// Where something stands in the text.
type Span = Range<u32>;

/// Where a row and its key stand in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    row: Span,
    key: KeyAt,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum KeyAt {
    /// Subject and detail stand in the text as they are.
    Plain([Span; 2]),
    /// They are spelt with escapes there.
    Aside(RowKey),
}

/// A row's subject and detail.
pub(super) type Key<'k> = (&'k str, &'k str);

/// One row, without its line feed, and its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'l> {
    pub(super) key: Key<'l>,
    pub(super) text: &'l str,
}

/// The file of some rows, sorted by key.
pub(super) fn text_of(lines: &[Line<'_>]) -> String {
    let mut text = String::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
    for line in lines {
        text.push_str(line.text);
        text.push('\n');
    }
    text
}

/// A row and its key by themselves.
pub(super) type Keyed = (RowKey, Row);

/// A bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// The file. Whoever writes it reads it where it is.
    text: Arc<String>,
    /// Strictly sorted by key.
    rows: Vec<Place>,
    /// Where every row was checked: digits under which all of them lie.
    under: Option<Prefix>,
    /// Which rows were checked by themselves.
    checked: Marks,
}

fn span(start: usize, len: usize) -> Span {
    let at = |at: usize| u32::try_from(at).expect("a bucket is far below 4 GiB");
    at(start)..at(start + len)
}

/// Where the key of a line that starts at `start` stands.
fn key_at(start: usize, sketch: [Range<usize>; 2]) -> KeyAt {
    KeyAt::Plain(sketch.map(|part| span(start + part.start, part.len())))
}

/// Checks one line; the fault is words.
fn checked(table: Table, line: &str) -> Result<RowKey, String> {
    rows::key_of(table, line).map_err(|fault| fault.to_string())
}

impl Bucket {
    /// Reads a bucket file that stands at a prefix; the fault is words.
    pub(super) fn read(
        table: Table,
        at: &Prefix,
        bytes: Vec<u8>,
        reading: Reading,
    ) -> Result<Self, String> {
        if bytes.len() as u64 > limits::BUCKET_BYTES {
            return Err(format!("it has {} bytes", bytes.len()));
        }
        let text = String::from_utf8(bytes).map_err(|_| "expected UTF-8")?;
        let mut places = Vec::with_capacity(16);
        let mut start = 0;
        for line in json::lines_of(&text).map_err(|fault| fault.what)? {
            let number = places.len() + 1;
            if number > limits::BUCKET_ROWS {
                let most = limits::BUCKET_ROWS;
                return Err(format!("expected at most {most} rows, found more"));
            }
            let key = match rows::sketch(table, line) {
                Some(sketch) => key_at(start, sketch),
                None => {
                    let key = checked(table, line);
                    KeyAt::Aside(key.map_err(|what| format!("line {number}: {what}"))?)
                }
            };
            let row = span(start, line.len());
            start += line.len() + 1;
            places.push(Place { row, key });
        }
        if places.is_empty() {
            return Err("a bucket is empty".to_owned());
        }
        let mut bucket = Self {
            text: Arc::new(text),
            rows: places,
            under: None,
            checked: Marks::default(),
        };
        if reading == Reading::Strict {
            bucket.require_rows(table)?;
        }
        bucket.require_sorted()?;
        if reading == Reading::Strict {
            bucket.require_under(table, at)?;
        }
        Ok(bucket)
    }

    /// A bucket of rows that are sorted by key. `under` says where all of them are known to lie, if they are known
    /// to be good.
    pub(super) fn of(table: Table, lines: &[Line<'_>], under: Option<Prefix>) -> Self {
        let bytes = lines.iter().map(|line| line.text.len() + 1).sum();
        let mut made = Made::with_capacity(bytes, lines.len());
        for line in lines {
            made.push(table, line);
        }
        made.into_bucket(under)
    }

    fn require_sorted(&self) -> Result<(), String> {
        let unsorted = |at: &usize| self.key(at - 1) >= self.key(*at);
        match (1..self.len()).find(unsorted) {
            Some(at) => Err(format!("line {} is not sorted by key", at + 1)),
            None => Ok(()),
        }
    }

    fn require_rows(&self, table: Table) -> Result<(), String> {
        (0..self.len()).try_for_each(|at| self.require_row(table, at))
    }

    fn require_row(&self, table: Table, at: usize) -> Result<(), String> {
        let key = checked(table, self.line(at).text);
        let key = key.map_err(|what| format!("line {}: {what}", at + 1))?;
        match self.key(at) == key.parts() {
            true => Ok(()),
            false => Err(format!("line {}: expected the key `{key}`", at + 1)),
        }
    }

    /// Checks every row's digits, and keeps that they are right.
    fn require_under(&mut self, table: Table, at: &Prefix) -> Result<(), String> {
        if at.depth() > 0 {
            let mut placer = Placer::new(table);
            let astray = |row: &usize| !placer.lies_under(self.key(*row), at);
            if let Some(row) = (0..self.len()).find(astray) {
                return Err(format!("line {} belongs elsewhere", row + 1));
            }
        }
        self.under = Some(*at);
        Ok(())
    }

    /// Whether it was read as strictly as this, at that place or above it.
    pub(super) fn was_read(&self, at: &Prefix, reading: Reading) -> bool {
        let strictly = self.under.is_some_and(|under| at.covers_prefix(&under));
        strictly || reading == Reading::Lazy
    }

    /// The same bucket, every row of it checked at this place.
    pub(super) fn strictly(&self, table: Table, at: &Prefix) -> Result<Self, String> {
        let mut bucket = self.clone();
        if self.under.is_none() {
            bucket.require_rows(table)?;
        }
        bucket.require_under(table, at)?;
        Ok(bucket)
    }

    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn part(&self, span: &Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    fn key(&self, at: usize) -> Key<'_> {
        match &self.rows[at].key {
            KeyAt::Plain([subject, detail]) => (self.part(subject), self.part(detail)),
            KeyAt::Aside(key) => key.parts(),
        }
    }

    /// A row as it stands there.
    pub(super) fn line(&self, at: usize) -> Line<'_> {
        Line {
            key: self.key(at),
            text: self.part(&self.rows[at].row),
        }
    }

    /// All rows as they stand there, sorted by key.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        (0..self.len()).map(|at| self.line(at))
    }

    /// The file's bytes.
    pub(super) fn bytes(&self) -> Bytes {
        Bytes::Text(Arc::clone(&self.text))
    }

    /// A row to hand out; the fault is words.
    fn row(&self, table: Table, at: usize) -> Result<Row, String> {
        if self.under.is_none() && !self.checked.has(at) {
            self.require_row(table, at)?;
            self.checked.set(at);
        }
        Ok(Row::from_canonical(self.line(at).text))
    }

    /// A row with its key, to hand out; the fault is words.
    pub(super) fn keyed(&self, table: Table, at: usize) -> Result<Keyed, String> {
        let (subject, detail) = self.key(at);
        Ok((RowKey::pair(subject, detail), self.row(table, at)?))
    }

    /// How many rows have a smaller key.
    fn before(&self, key: Key<'_>) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.key(middle) < key {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The row of a key; the fault is words.
    pub(super) fn find(&self, table: Table, key: &RowKey) -> Result<Option<Row>, String> {
        let key = key.parts();
        let at = self.before(key);
        match at < self.len() && self.key(at) == key {
            true => self.row(table, at).map(Some),
            false => Ok(None),
        }
    }

    /// Which rows are those of a subject; sorted keys keep them together.
    pub(super) fn of_subject(&self, subject: &str) -> Range<usize> {
        let start = self.before((subject, ""));
        let others = (start..self.len()).find(|at| self.key(*at).0 != subject);
        start..others.unwrap_or(self.len())
    }

    /// Bytes of memory, roughly.
    pub(super) fn weight(&self) -> usize {
        160 + self.text.len() + self.rows.len() * size_of::<Place>()
    }
}
