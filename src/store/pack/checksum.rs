//! The checksum at the end of a pack. It finds accidents and guards nothing: every object is named by a hash of
//! its own, which is computed with collision detection. So SHA-1 is the plain one here, which is faster.

use super::super::disk::io_fault;
use super::super::git::Hasher;
use crate::model::{ObjectFormat, Oid};
use crate::store::StoreFault;
use sha1::Digest;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

/// The checksum of the first bytes of a file.
pub(super) fn of_file(path: &Path, upto: u64, format: ObjectFormat) -> Result<Oid, StoreFault> {
    let fault = |err| io_fault("read", path, &err);
    let file = File::open(path).map_err(fault)?;
    let mut hasher = Sum::new(format);
    let (mut at, mut piece) = (0, vec![0; PIECE]);
    while at < upto {
        let piece = &mut piece[..PIECE.min((upto - at) as usize)];
        file.read_exact_at(piece, at).map_err(fault)?;
        hasher.update(piece);
        at += piece.len() as u64;
    }
    hasher.finish()
}

/// A checksum that grows with its bytes.
pub(super) enum Sum {
    Sha1(sha1::Sha1),
    Sha256(Hasher),
}

impl Sum {
    pub(super) fn new(format: ObjectFormat) -> Self {
        match format {
            ObjectFormat::Sha1 => Self::Sha1(sha1::Sha1::new()),
            ObjectFormat::Sha256 => Self::Sha256(Hasher::new(format)),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => Digest::update(hasher, bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Result<Oid, StoreFault> {
        match self {
            Self::Sha1(hasher) => {
                Ok(Oid::from_bytes(&hasher.finalize()).expect("20 bytes are an id"))
            }
            Self::Sha256(hasher) => hasher.finish(),
        }
    }
}
