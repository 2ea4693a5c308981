//! The typed rows of the state tables. Fields stand in the order of their names.
//!
//! A row holds what was decided and nothing that depends on when it was numbered, so that a
//! preview made on an older base has the same bytes.

use super::{
    ContentDigest, Email, Epoch, Handle, LayerId, MediaType, Name, Note, Number, ObjectFormat,
    PersonName, Prefix, PublicKey, RowKey, Slug, SpaceId, Table, Version,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A row of one table: where it lies follows from what it holds.
pub trait TableRow: Serialize + DeserializeOwned + Clone + PartialEq + 'static {
    /// The table it lies in.
    const TABLE: Table;
    /// Its place there.
    fn key(&self) -> RowKey;
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident in $table:ident by |$row:ident| $key:expr => {
        $($(#[$fdoc:meta])* $field:ident: $type:ty,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {$($(#[$fdoc])* pub $field: $type,)*}

            impl TableRow for $name {
                const TABLE: Table = Table::$table;
                fn key(&self) -> RowKey {
                    let $row = self;
                    $key
                }
            }
        )*
    };
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    /// The member signs with it.
    Current,
    /// The member removed it in favour of another one.
    Rotated,
    /// The member was removed.
    Removed,
}

/// How decisions of a kind become final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Never leaves the machine.
    Local,
    /// Merged without order.
    Eventual,
    /// One pen suffices.
    Witness,
    /// Needs approvals or a ballot's certificate.
    Quorum,
}

/// So many approvals of one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// How many members, at least 1.
    pub count: u64,
    /// The role they hold.
    pub role: Handle,
}

/// Where an artifact comes from: another space as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The id of that space.
    pub domain: SpaceId,
    /// The snapshot there that lists the artifact.
    pub snapshot: Number,
}

rows! {
    /// The row that describes the space; there is one, with an empty subject.
    SpaceRow in Space by |_row| RowKey::of("") => {
        /// What the space is for.
        description: Note,
        /// Format version.
        format: u64,
        /// Where page N becomes final: a URL or path, or empty while there is no home but here.
        home: Note,
        /// The space's name.
        name: Name,
        /// git's object format.
        object_format: ObjectFormat,
    }
    /// A member.
    MemberRow in Members by |row| RowKey::of(&row.handle) => {
        /// The address in the member's commits.
        email: Email,
        /// The member's handle.
        handle: Handle,
        /// The current key.
        key: PublicKey,
        /// The member's name, for people.
        name: PersonName,
        /// Roles held, sorted, each once.
        roles: Vec<Handle>,
    }
    /// A key that is or was a member's.
    KeyRow in Keys by |row| RowKey::of(&row.key) => {
        /// The address it signed with last.
        email: Email,
        /// The key.
        key: PublicKey,
        /// Whose it is or was.
        member: Handle,
        /// What became of it.
        status: KeyStatus,
    }
    /// Whose an address is.
    EmailRow in Emails by |row| RowKey::of(&row.email) => {
        /// The address.
        email: Email,
        /// The member.
        member: Handle,
    }
    /// One member's holding of one role.
    RoleRow in Roles by |row| RowKey::pair(row.role.as_str(), row.member.as_str()) => {
        /// The member.
        member: Handle,
        /// The role.
        role: Handle,
    }
    /// Who may propose what: the most specific row for a kind and key decides alone.
    PolicyRow in Policy by |row| RowKey::pair(row.scope.as_str(), row.prefix.as_str()) => {
        /// Approvals needed, sorted by role.
        approvals: Vec<Approvals>,
        /// Seconds that a taker waits after the pen last moved before taking it again: manners, never
        /// judged. Only in rows of the scope `pen.take`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lock_delay: Option<u64>,
        /// The beginning of the keys it is about; empty for all.
        prefix: Prefix,
        /// Roles that may propose, sorted; one of them suffices.
        roles: Vec<Handle>,
        /// How many of a role's holders may lie without harm: then the approvals needed grow with the role.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        safe: Option<u64>,
        /// A kind of decision, a family, or `*`.
        scope: Name,
        /// Whether the author's own approval counts.
        self_approval: bool,
        /// How such a decision becomes final.
        tier: Tier,
        /// Seconds without a sign of the holder before others take the pen: manners, never judged. Only in
        /// rows of the scope `pen.take`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl: Option<u64>,
    }
    /// An appointed witness.
    WitnessRow in Witnesses by |row| RowKey::of(&row.member) => {
        /// The member.
        member: Handle,
    }
    /// Who holds the pen; there is one row, with an empty subject.
    PenRow in Pen by |_row| RowKey::of("") => {
        /// The epoch.
        epoch: Epoch,
        /// Which of the holder's machines took it, in their own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<Slug>,
        /// The key that signs snapshots in it.
        key: PublicKey,
        /// Whose key it is.
        member: Handle,
        /// Whether the holder laid it down: then nothing but a `pen.take` is valid.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        released: bool,
    }
    /// An alias.
    AliasRow in Aliases by |row| RowKey::of(&row.alias) => {
        /// The name.
        alias: Name,
        /// The alias or entity it stands for.
        target: Name,
    }
    /// An alias, by its target.
    AliasTargetRow in AliasesByTarget by |row| RowKey::pair(row.target.as_str(), row.alias.as_str()) => {
        /// The name.
        alias: Name,
        /// The alias or entity it stands for.
        target: Name,
    }
    /// One direction of an equivalence edge.
    EdgeRow in Edges by |row| RowKey::pair(row.a.as_str(), row.b.as_str()) => {
        /// The end it is found by.
        a: Name,
        /// The other end.
        b: Name,
    }
    /// One direction of a declaration that two names are not the same.
    DistinctRow in Distinct by |row| RowKey::pair(row.a.as_str(), row.b.as_str()) => {
        /// The name it is found by.
        a: Name,
        /// The other one.
        b: Name,
    }
    /// A redirect: `from` was merged into `into`.
    MergeRow in Merges by |row| RowKey::of(&row.from) => {
        /// The name merged away.
        from: Name,
        /// What it was merged into, as given.
        into: Name,
    }
    /// A redirect, by what it leads to.
    MergeTargetRow in MergesByTarget by |row| RowKey::pair(row.into.as_str(), row.from.as_str()) => {
        /// The name merged away.
        from: Name,
        /// What it was merged into, as given.
        into: Name,
    }
    /// A name preferred as its group's representative.
    PinRow in Pins by |row| RowKey::of(&row.name) => {
        /// The name.
        name: Name,
    }
    /// Where an entity comes from.
    ForkRow in Forks by |row| RowKey::of(&row.name) => {
        /// The new entity.
        name: Name,
        /// What it was forked from, as given.
        of: Name,
        /// What that resolved to then.
        resolved: Name,
    }
    /// Where an entity comes from, by its origin.
    ForkOriginRow in ForksByOrigin by |row| RowKey::pair(row.of.as_str(), row.name.as_str()) => {
        /// The new entity.
        name: Name,
        /// What it was forked from, as given.
        of: Name,
        /// What that resolved to then.
        resolved: Name,
    }
    /// A layer over something that others own.
    LayerRow in Overlays by |row| RowKey::pair(row.target.as_str(), row.id.to_hex()) => {
        /// The layer below, or none for the lowest.
        after: Option<LayerId>,
        /// The version of the target that the patch was made for.
        base: Version,
        /// Its id.
        id: LayerId,
        /// The patch artifact.
        patch: ContentDigest,
        /// What it lies on.
        target: Name,
    }
    /// An artifact that was published, or withdrawn, or both. One that was withdrawn before anybody published
    /// it has neither size nor media type.
    ArtifactRow in Artifacts by |row| RowKey::of(row.artifact.to_hex()) => {
        /// Its key: BLAKE3 of its bytes.
        artifact: ContentDigest,
        /// What its bytes are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media: Option<MediaType>,
        /// How many bytes it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
        /// The space that it comes from, where it is not this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Source>,
        /// Why it is withdrawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tombstone: Option<Note>,
    }
}

/// Calls a generic function with the row type of a table.
#[macro_export]
#[doc(hidden)]
macro_rules! with_row_type {
    ($table:expr, $function:ident $args:tt) => {{
        use $crate::model::{Table, rows::*};
        match $table {
            Table::Space => $function::<SpaceRow> $args,
            Table::Members => $function::<MemberRow> $args,
            Table::Keys => $function::<KeyRow> $args,
            Table::Emails => $function::<EmailRow> $args,
            Table::Roles => $function::<RoleRow> $args,
            Table::Policy => $function::<PolicyRow> $args,
            Table::Witnesses => $function::<WitnessRow> $args,
            Table::Pen => $function::<PenRow> $args,
            Table::Aliases => $function::<AliasRow> $args,
            Table::AliasesByTarget => $function::<AliasTargetRow> $args,
            Table::Edges => $function::<EdgeRow> $args,
            Table::Distinct => $function::<DistinctRow> $args,
            Table::Merges => $function::<MergeRow> $args,
            Table::MergesByTarget => $function::<MergeTargetRow> $args,
            Table::Pins => $function::<PinRow> $args,
            Table::Forks => $function::<ForkRow> $args,
            Table::ForksByOrigin => $function::<ForkOriginRow> $args,
            Table::Overlays => $function::<LayerRow> $args,
            Table::Artifacts => $function::<ArtifactRow> $args,
        }
    }};
}
