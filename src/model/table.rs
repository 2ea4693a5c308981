//! State tables: their closed list of names, and rows as sorted canonical lines.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

macro_rules! tables {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)*) => {
        /// The closed list of state tables. `decisions` is reserved for proposals and never one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table {$($(#[doc = $doc])+ $variant,)*}

        impl Table {
            /// Every table, in the order of their names.
            pub const ALL: &'static [Table] = &[$(Table::$variant,)*];

            /// The name of its file or directory, without `.jsonl`.
            pub fn name(self) -> &'static str {
                match self {$(Table::$variant => $name,)*}
            }

            /// One sentence for people.
            pub fn about(self) -> &'static str {
                match self {$(Table::$variant => concat!($($doc, " "),+).trim_ascii(),)*}
            }

            /// The table of that name.
            pub fn from_name(name: &str) -> Option<Table> {
                match name {$($name => Some(Table::$variant),)* _ => None}
            }
        }
    };
}

// Kept in the order of the names: `Table::ALL` promises it and a test holds it.
tables! {
    /// Alias to target, by alias.
    Aliases = "aliases";
    /// The same rows, by target.
    AliasesByTarget = "aliases-by-target";
    /// Artifacts that are published or withdrawn, by key.
    Artifacts = "artifacts";
    /// Pairs declared not to be the same, both directions.
    Distinct = "distinct";
    /// Equivalence edges, both directions.
    Edges = "edges";
    /// E-mail address to member.
    Emails = "emails";
    /// Forked entity to its origin, by the new name.
    Forks = "forks";
    /// The same rows, by origin.
    ForksByOrigin = "forks-by-origin";
    /// Every public key that was ever a member's, with what became of it.
    Keys = "keys";
    /// Members by handle.
    Members = "members";
    /// Redirects, by the name that was merged away.
    Merges = "merges";
    /// The same rows, by what they lead to.
    MergesByTarget = "merges-by-target";
    /// Overlay layers, by what they lie on.
    Overlays = "overlays";
    /// The one row that says who holds the pen, and in which epoch.
    Pen = "pen";
    /// Names preferred as representatives of their groups.
    Pins = "pins";
    /// Policy rows by kind of decision and key prefix.
    Policy = "policy";
    /// Who holds a role, by role.
    Roles = "roles";
    /// The one row that describes the space.
    Space = "space";
    /// Appointed witnesses.
    Witnesses = "witnesses";
}

impl Table {
    /// The fields of a row that are its subject and its detail, each empty where the table's rows have none. All of
    /// them are text. The same is said of typed rows in `model::rows`; reading a row strictly compares the two.
    pub fn key_fields(self) -> [&'static str; 2] {
        match self {
            Table::Aliases => ["alias", ""],
            Table::AliasesByTarget => ["target", "alias"],
            Table::Artifacts => ["artifact", ""],
            Table::Distinct | Table::Edges => ["a", "b"],
            Table::Emails => ["email", ""],
            Table::Forks | Table::Pins => ["name", ""],
            Table::ForksByOrigin => ["of", "name"],
            Table::Keys => ["key", ""],
            Table::Members => ["handle", ""],
            Table::Merges => ["from", ""],
            Table::MergesByTarget => ["into", "from"],
            Table::Overlays => ["target", "id"],
            Table::Pen | Table::Space => ["", ""],
            Table::Policy => ["scope", "prefix"],
            Table::Roles => ["role", "member"],
            Table::Witnesses => ["member", ""],
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a row lies in its table. Rows of one subject lie together; the detail tells them apart. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RowKey {
    /// Subject and detail, one after the other.
    text: Arc<str>,
    /// Bytes of the subject.
    split: usize,
}

impl RowKey {
    /// A key with a subject only.
    pub fn of(subject: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = subject.into();
        let split = text.len();
        Self { text, split }
    }

    /// A key with both parts.
    pub fn pair(subject: impl AsRef<str>, detail: impl AsRef<str>) -> Self {
        let (subject, detail) = (subject.as_ref(), detail.as_ref());
        if detail.is_empty() {
            return Self::of(subject);
        }
        let mut text = String::with_capacity(subject.len() + detail.len());
        text.push_str(subject);
        text.push_str(detail);
        Self {
            text: text.into(),
            split: subject.len(),
        }
    }

    /// What the row is about.
    pub fn subject(&self) -> &str {
        &self.text[..self.split]
    }

    /// Which of the subject's rows this is; empty where there is only one.
    pub fn detail(&self) -> &str {
        &self.text[self.split..]
    }

    /// Subject and detail.
    pub fn parts(&self) -> (&str, &str) {
        self.text.split_at(self.split)
    }
}

impl Ord for RowKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.text.as_bytes(), other.text.as_bytes());
        let subjects = a[..self.split].cmp(&b[..other.split]);
        subjects.then_with(|| a[self.split..].cmp(&b[other.split..]))
    }
}

impl PartialOrd for RowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RowKey").field(&self.parts()).finish()
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, detail) = self.parts();
        f.write_str(subject)?;
        if !detail.is_empty() {
            write!(f, " / {detail}")?;
        }
        Ok(())
    }
}

/// One row: a canonical JSON object without its line feed. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(Arc<str>);

impl Row {
    /// Takes text that is known to be one canonical line; `codec::rows` is what checks that.
    pub fn from_canonical(line: &str) -> Self {
        Self(line.into())
    }

    /// The line, without its line feed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_unique_and_never_reserved() {
        let names: Vec<_> = Table::ALL.iter().map(|t| t.name()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
        assert!(!names.contains(&"decisions"));
        for table in Table::ALL {
            assert_eq!(Table::from_name(table.name()), Some(*table));
        }
    }
}
