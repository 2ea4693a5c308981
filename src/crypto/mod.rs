//! Keys, signatures and digests.

pub mod agent;
mod comb;
pub mod digest;
pub mod groups;
pub mod keyfile;
pub mod seal;
pub mod sshsig;
mod strict;
mod wire;

use crate::model::PublicKey;

/// Something that signs with one ed25519 key: a key file, an agent, a test key.
pub trait Sign: Sync {
    /// The key that the signatures verify with.
    fn public_key(&self) -> PublicKey;

    /// Signs `message` for `namespace` as SSHSIG does (SHA-512) and returns the raw 64 bytes of the
    /// signature; the armor follows from them and the key.
    fn sign(&self, namespace: Namespace, message: &[u8]) -> Result<Signature, SignFault>;
}

/// What a signature is for. One made for one purpose is valid for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// Commits, as git's own.
    Git,
}

impl Namespace {
    /// The SSHSIG namespace.
    pub fn as_str(self) -> &'static str {
        match self {
            Namespace::Git => "git",
        }
    }
}

/// The 64 raw bytes of an ed25519 signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// Why signing failed.
#[derive(Debug)]
pub struct SignFault {
    /// What the key file, agent or program said.
    pub what: String,
}

impl std::fmt::Display for SignFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "signing failed: {}", self.what)
    }
}

impl std::error::Error for SignFault {}
