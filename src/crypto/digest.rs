//! BLAKE3 in derive-key mode: one context per purpose, length-prefixed fields.

use crate::model::{
    ChainDigest, Epoch, LayerId, Number, ProposalDigest, PublicKey, ReviewDigest, Row, RowDigest,
    RowKey, SpaceId, Table,
};
use blake3::hazmat::{ContextKey, HasherExt as _, hash_derive_key_context};
use std::sync::OnceLock;

/// Length-prefixed fields into a derive-key hash: a field is its length as 8 bytes, little endian,
/// then its bytes; an integer is a field of 8 bytes, little endian.
struct Fields(blake3::Hasher);

/// A purpose, hashed once for the process rather than before each of its digests.
struct Context(&'static str, OnceLock<ContextKey>);

impl Context {
    const fn new(words: &'static str) -> Self {
        Self(words, OnceLock::new())
    }
}

/// One line for each purpose.
macro_rules! contexts {
    ($($name:ident = $words:literal;)*) => {
        $(static $name: Context = Context::new($words);)*
    };
}

contexts! {
    CHAIN_START = "folio v1 chain start";
    CHAIN = "folio v1 chain";
    PROPOSAL = "folio v1 proposal";
    REVIEW = "folio v1 review";
    ROW = "folio v1 row";
    LAYER = "folio v1 layer";
    TABLE_SUBJECT = "folio v1 table subject";
    TABLE_KEY = "folio v1 table key";
}

impl Fields {
    fn new(context: &'static Context) -> Self {
        let Context(words, key) = context;
        let key = key.get_or_init(|| hash_derive_key_context(words));
        Self(blake3::Hasher::new_from_context_key(key))
    }

    /// By reference: a hasher is two kilobytes, which would be moved from field to field.
    fn bytes(&mut self, field: &[u8]) -> &mut Self {
        self.0.update(&(field.len() as u64).to_le_bytes());
        self.0.update(field);
        self
    }

    fn number(&mut self, field: u64) -> &mut Self {
        self.bytes(&field.to_le_bytes())
    }

    fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

/// The space id: plain BLAKE3 of the charter's `decisions.jsonl`, so that `b3sum` prints it too.
pub fn space_id(decisions: &[u8]) -> SpaceId {
    SpaceId(*blake3::hash(decisions).as_bytes())
}

/// Plain BLAKE3 of a file's bytes in hexadecimal, as `b3sum` prints it.
pub fn file(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// `Chain(0)`.
pub fn chain_start(space: &SpaceId) -> ChainDigest {
    ChainDigest(Fields::new(&CHAIN_START).bytes(space.as_bytes()).finish())
}

/// What one link of the chain binds besides the previous one.
#[derive(Debug, Clone)]
pub struct Link<'a> {
    /// The snapshot's number.
    pub number: Number,
    /// The pen's epoch.
    pub epoch: Epoch,
    /// The key that signs the snapshot.
    pub signer: PublicKey,
    /// What it numbers.
    pub proposal: ProposalDigest,
    /// Digests of the reviews among its parents, sorted.
    pub reviews: &'a [ReviewDigest],
}

/// `Chain(N)`.
pub fn chain_next(previous: &ChainDigest, link: &Link<'_>) -> ChainDigest {
    let mut fields = Fields::new(&CHAIN);
    fields
        .bytes(previous.as_bytes())
        .number(link.number.0)
        .number(link.epoch.0)
        .bytes(&link.signer.0)
        .bytes(link.proposal.as_bytes())
        .number(link.reviews.len() as u64);
    for review in link.reviews {
        fields.bytes(review.as_bytes());
    }
    ChainDigest(fields.finish())
}

/// What a proposal's author signs, apart from how git writes it down.
#[derive(Debug, Clone)]
pub struct ProposalFields<'a> {
    /// The space.
    pub space: SpaceId,
    /// Number of the snapshot it stands on; 0 for the charter.
    pub base: Number,
    /// Chain digest there.
    pub base_chain: ChainDigest,
    /// The author's key.
    pub author: PublicKey,
    /// The message without Folio's trailers.
    pub text: &'a str,
    /// The bytes of `decisions.jsonl`.
    pub decisions: &'a [u8],
}

/// The proposal digest.
pub fn proposal(fields: &ProposalFields<'_>) -> ProposalDigest {
    ProposalDigest(
        Fields::new(&PROPOSAL)
            .bytes(fields.space.as_bytes())
            .number(fields.base.0)
            .bytes(fields.base_chain.as_bytes())
            .bytes(&fields.author.0)
            .bytes(fields.text.as_bytes())
            .bytes(fields.decisions)
            .finish(),
    )
}

/// What a review says.
#[derive(Debug, Clone)]
pub struct ReviewFields<'a> {
    /// The space.
    pub space: SpaceId,
    /// What it judges.
    pub proposal: ProposalDigest,
    /// The reviewer's key.
    pub reviewer: PublicKey,
    /// `approve` or `reject`.
    pub verdict: &'a str,
    /// The code of a rejection, or empty.
    pub reason: &'a str,
    /// The message without Folio's trailers.
    pub text: &'a str,
}

/// The review digest.
pub fn review(fields: &ReviewFields<'_>) -> ReviewDigest {
    ReviewDigest(
        Fields::new(&REVIEW)
            .bytes(fields.space.as_bytes())
            .bytes(fields.proposal.as_bytes())
            .bytes(&fields.reviewer.0)
            .bytes(fields.verdict.as_bytes())
            .bytes(fields.reason.as_bytes())
            .bytes(fields.text.as_bytes())
            .finish(),
    )
}

/// The digest of one row, as `was` names it.
pub fn row(table: Table, row: &Row) -> RowDigest {
    RowDigest(
        Fields::new(&ROW)
            .bytes(table.name().as_bytes())
            .bytes(row.as_str().as_bytes())
            .finish(),
    )
}

/// The id of the overlay layer that decision `index` of a proposal adds.
pub fn layer(proposal: &ProposalDigest, index: u64) -> LayerId {
    LayerId(
        Fields::new(&LAYER)
            .bytes(proposal.as_bytes())
            .number(index)
            .finish(),
    )
}

/// Hash whose first 8 hexadecimal digits place all rows of one subject.
pub fn subject_place(table: Table, subject: &str) -> [u8; 32] {
    Fields::new(&TABLE_SUBJECT)
        .bytes(table.name().as_bytes())
        .bytes(subject.as_bytes())
        .finish()
}

/// Hash whose hexadecimal digits place one row among those of its subject.
pub fn key_place(table: Table, key: &RowKey) -> [u8; 32] {
    place_of(table, key.parts())
}

/// As [`key_place`], of the two parts of a key.
pub fn place_of(table: Table, (subject, detail): (&str, &str)) -> [u8; 32] {
    Fields::new(&TABLE_KEY)
        .bytes(table.name().as_bytes())
        .bytes(subject.as_bytes())
        .bytes(detail.as_bytes())
        .finish()
}
