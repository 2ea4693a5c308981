//! Every limit of format version 1, in one place. They are part of the format: two programs with
//! different limits would disagree about what is valid.

/// The format this program reads and writes.
pub const FORMAT_VERSION: u64 = 1;

/// The Unicode version names are checked against; code points unassigned in it are refused.
pub const UNICODE_VERSION: (u8, u8, u8) = (18, 0, 0);

/// Bytes in one line of `decisions.jsonl`, without its line feed.
pub const DECISION_LINE: usize = 16 * 1024;

/// Decisions in one proposal.
pub const DECISIONS: usize = 1_000_000;

/// Bytes in one `decisions.jsonl`.
pub const DECISIONS_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes in a name (an alias or an entity), a prefix, a base version, a subject or a detail.
pub const NAME: usize = 512;

/// Bytes in a free-text field of a decision: a description or a home.
pub const NOTE: usize = 4096;

/// Bytes in a media type.
pub const MEDIA: usize = 127;

/// Bytes in a handle, role or slug.
pub const HANDLE: usize = 63;

/// Bytes in an e-mail address.
pub const EMAIL: usize = 254;

/// Bytes in one row of a state table, without its line feed.
pub const ROW_LINE: usize = 16 * 1024;

/// Rows in one bucket file of a state table.
pub const BUCKET_ROWS: usize = 64;

/// Hexadecimal digits of the subject's hash before those of the whole key's hash.
pub const SUBJECT_DIGITS: usize = 8;

/// Deepest level of a state table: the subject's digits, then all 64 of the whole key.
pub const TABLE_DEPTH: usize = SUBJECT_DIGITS + 64;

/// Links in a chain of aliases or redirects.
pub const CHAIN: usize = 16;

/// Members of one equivalence group.
pub const GROUP: usize = 1024;

/// Rows one rule may read of one subject (roles, policy prefixes, overlay layers, aliases of an entity
/// are read in full; group members have their own limit).
pub const SUBJECT_ROWS: usize = 65_536;

/// Edges that one `distinct` may cut.
pub const CUTS: usize = 1024;

/// Roles that one member holds, or that one policy row names.
pub const ROLES: usize = 32;

/// Parents of a commit: the previous snapshot, the proposal and its reviews.
pub const PARENTS: usize = 66;

/// Approvals of one role that a policy may ask for: they become parents of the page.
pub const APPROVALS: u64 = 64;

/// Bytes in a commit object.
pub const COMMIT: u64 = 128 * 1024;

/// Bytes in one bucket file.
pub const BUCKET_BYTES: u64 = (BUCKET_ROWS * (ROW_LINE + 1)) as u64;

/// Bytes in one tree object that Folio reads: tables and their digits need far less.
pub const TREE_BYTES: u64 = 64 * 1024;

/// Commit dates lie in `0..DATE_END` (seconds since 1970) and are used for nothing.
pub const DATE_END: u64 = 1 << 33;

/// Largest integer in a decision or a row (RFC 8785 numbers are IEEE doubles).
pub const INTEGER: u64 = 1 << 53;

/// Bytes in an evidence file, and bytes of objects that one is made of.
pub const EVIDENCE_BYTES: usize = 16 * 1024 * 1024;

/// Objects in an evidence file.
pub const EVIDENCE_OBJECTS: usize = 10_000;

/// Bytes in a reporter's own words in an evidence file.
pub const EVIDENCE_WORDS: usize = 1024;

/// Bytes in a path of a manifest, and in the target of a symbolic link.
pub const PATH: usize = 4096;

/// Bytes in one part of a path, as file systems have it.
pub const PATH_PART: usize = 255;

/// Parts of a path.
pub const PATH_DEPTH: usize = 128;

/// Bytes in one line of a manifest, without its line feed: a path and a target with every byte escaped.
pub const MANIFEST_LINE: usize = 17 * 1024;

/// Names in a manifest: its entries, and the directories that their paths imply.
pub const MANIFEST_NAMES: usize = 1_000_000;

/// Bytes in a manifest.
pub const MANIFEST_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes in a layer, in the base that it is laid on and in what comes of it, where layers are laid or merged.
pub const LAYER_BYTES: usize = 64 * 1024 * 1024;

/// Lines in each of these.
pub const LAYER_LINES: usize = 1024 * 1024;

/// Bytes that are compared, with 16 more for each line, while places are looked for in one base for the hunks of
/// one layer.
pub const LAYER_SEARCH: u64 = 1 << 32;

/// Lines that differ in two versions, where the two are compared.
pub const LAYER_CHANGED: u64 = 40_000;

/// Lines of two versions times lines that differ in them.
pub const LAYER_EFFORT: u64 = 1 << 35;

/// Bytes in one block of artifacts: the longest chunk, and the unit in which reading is bounded.
pub const BLOCK: usize = 1024 * 1024;

/// Shortest chunk of a large artifact, except for its last one (FastCDC 2020, normalisation level 2).
pub const CHUNK_MIN: usize = 64 * 1024;

/// Size that chunks of a large artifact have on average.
pub const CHUNK_AVERAGE: usize = 256 * 1024;

/// Artifacts up to this many bytes are small: they lie whole in a block, many to one.
pub const SMALL_ARTIFACT: u64 = 256 * 1024;

/// Bytes that one group's chaining value speaks for.
pub const GROUP_BYTES: u64 = 1024 * 1024;

/// Bytes in an artifact.
pub const ARTIFACT: u64 = 64 * 1024 * 1024 * 1024;

/// Bytes in a sheet.
pub const SHEET_BYTES: u64 = 256 * 1024 * 1024;

/// Entries in a sheet.
pub const SHEET_ENTRIES: u32 = 16_777_216;

/// Entries that a sheet gets by merging, at most; one batch may have more.
pub const SHEET_MERGED: u32 = 65_536;

/// Sheets in a catalog.
pub const SHEETS: usize = 65_536;

/// Bytes in the tree that lists a catalog's sheets, or one sheet's blocks.
pub const SHELF_TREE_BYTES: u64 = 512 * 1024 * 1024;
