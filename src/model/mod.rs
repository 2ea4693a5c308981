//! The vocabulary: ids, names, limits, rows and codes. Pure data; nothing here can do I/O.

pub mod code;
mod edits;
pub mod id;
pub mod limits;
pub mod oid;
mod rowmap;
pub mod rows;
pub mod table;
pub mod text;

pub use code::Code;
pub use edits::{ByTable, RowEdits};
pub use id::{
    ChainDigest, ContentDigest, Epoch, LayerId, Nonce, Number, ProposalDigest, PublicKey,
    ReviewDigest, RowDigest, SpaceId,
};
pub use oid::{ObjectFormat, Oid};
pub use rowmap::RowMap;
pub use table::{Row, RowKey, Table};
pub use text::{
    Email, Handle, MediaType, Name, Note, PersonName, Prefix, Slug, TextFault, Version,
};
