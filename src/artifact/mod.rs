//! Artifacts: bytes by their BLAKE3 key, in blocks that are git blobs.
//!
//! What an artifact is (its key) and where its bytes are (a sheet's record) are two things: two replicas may pack the
//! same artifacts differently and still agree about everything that was decided. A [`Shelf`] is one object store
//! with a ref that names sheets; a space has two and one for each proposal that offers bytes.
//!
//! ```text
//! bytes -> chunks -> blocks -> packs      chunk, crew, intake, flush
//! records -> sheets -> catalog -> ref     merging, catalog, shelf
//! key -> index -> record -> verified bytes   index, search, keys, blocks, reader
//! ```

pub mod adopt;
mod blocks;
mod catalog;
mod chunk;
pub mod collect;
mod crew;
pub mod directory;
mod fault;
mod flush;
pub mod foreign;
mod gate;
mod index;
pub mod intake;
mod keys;
mod merging;
pub mod offer;
pub mod pins;
mod reader;
pub mod ready;
mod search;
pub mod settle;
mod shelf;
mod shelves;
mod small;

pub use catalog::{Catalog, Imprint};
pub use fault::ArtifactFault;
pub use intake::{Added, Intake, Options};
pub use keys::{Key, Keys};
pub use reader::Reader;
pub use shelf::{Place, Shelf};
pub use shelves::{Found, Shelves};
