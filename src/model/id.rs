//! Fixed-size identifiers. Every digest is its own type, so that one cannot be passed for another.

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A string was not exactly 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexFault {
    /// What kind of id was expected.
    pub expected: &'static str,
    /// Length of the text that was found, in bytes.
    pub found_len: usize,
}

impl fmt::Display for HexFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected a {} of 64 lower-case hexadecimal digits, found {} bytes that are not one",
            self.expected, self.found_len
        )
    }
}

impl std::error::Error for HexFault {}

macro_rules! digest_types {
    ($($(#[$doc:meta])* $name:ident = $words:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The 32 raw bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 64 lower-case hexadecimal digits.
            pub fn to_hex(&self) -> String {
                HEXLOWER.encode(&self.0)
            }

            /// The first 12 hexadecimal digits, as shown to people and used in ref names.
            pub fn short(&self) -> String {
                HEXLOWER.encode(&self.0[..6])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Written for every message and digest that is checked: without memory of its own.
                let mut digits = [0; 64];
                HEXLOWER.encode_mut(&self.0, &mut digits);
                f.write_str(std::str::from_utf8(&digits).expect("hexadecimal digits"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = HexFault;
            fn from_str(text: &str) -> Result<Self, HexFault> {
                let fault = || HexFault { expected: $words, found_len: text.len() };
                if text.len() != 64 {
                    return Err(fault());
                }
                let mut bytes = [0; 32];
                let decoded = HEXLOWER.decode_mut(text.as_bytes(), &mut bytes);
                decoded.map(|_| Self(bytes)).map_err(|_| fault())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.to_hex())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

digest_types! {
    /// Names a space: BLAKE3 of the charter's `decisions.jsonl`.
    SpaceId = "space id";
    /// Names a proposal independently of git: what its author signed, see `docs/format.md`.
    ProposalDigest = "proposal digest";
    /// Names a review: verdict, reason, reviewer and the proposal it judges.
    ReviewDigest = "review digest";
    /// Names the whole history up to one snapshot.
    ChainDigest = "chain digest";
    /// Names one row of a state table; what `was` in a decision refers to.
    RowDigest = "row digest";
    /// Names one overlay layer: digest of its proposal and its index in it.
    LayerId = "layer id";
    /// BLAKE3 of an artifact's bytes.
    ContentDigest = "BLAKE3 digest";
    /// The 32 random bytes that make two spaces with equal charters different.
    Nonce = "nonce";
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl $name {
            /// The one after this.
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }
    )*};
}

counters! {
    /// A snapshot's number; `common@1` is the first. 0 stands for the empty state before it.
    Number;
    /// The fencing number of the pen; it only grows, by one.
    Epoch;
}

/// An ed25519 public key, 32 bytes. In text it is the OpenSSH form `ssh-ed25519 AAAA...`.
///
/// Holding one does not mean that it is a strong key: `crypto` checks that before it is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// The blob before the 32 key bytes: two length-prefixed fields (RFC 4251 string, RFC 8709).
const KEY_BLOB_PREFIX: &[u8; 19] = b"\0\0\0\x0bssh-ed25519\0\0\0 ";

/// A string was not exactly `ssh-ed25519 <base64>` of an ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyFault;

impl fmt::Display for PublicKeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("key-malformed: expected `ssh-ed25519 <base64>` without a comment")
    }
}

impl std::error::Error for PublicKeyFault {}

impl PublicKey {
    /// The key as an SSH wire blob (51 bytes), as used inside signatures.
    pub fn to_blob(&self) -> [u8; 51] {
        let mut blob = [0; 51];
        blob[..19].copy_from_slice(KEY_BLOB_PREFIX);
        blob[19..].copy_from_slice(&self.0);
        blob
    }

    /// Reads an SSH wire blob; `None` unless it is exactly an ed25519 key.
    pub fn from_blob(blob: &[u8]) -> Option<Self> {
        let key = blob.strip_prefix(KEY_BLOB_PREFIX.as_slice())?;
        Some(Self(key.try_into().ok()?))
    }

    /// The OpenSSH fingerprint, `SHA256:` and unpadded base64, is made in `crypto`; this is a
    /// short form for debugging only.
    fn short(&self) -> String {
        HEXLOWER.encode(&self.0[..6])
    }

    /// Hands over the text that [`fmt::Display`] shows.
    fn with_text<T>(&self, take: impl FnOnce(&str) -> T) -> T {
        let mut text = [0; 12 + 68];
        text[..12].copy_from_slice(b"ssh-ed25519 ");
        BASE64.encode_mut(&self.to_blob(), &mut text[12..]);
        take(std::str::from_utf8(&text).expect("a word and base64"))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl From<&PublicKey> for Arc<str> {
    fn from(key: &PublicKey) -> Self {
        key.with_text(|text| text.into())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.short())
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyFault;
    fn from_str(text: &str) -> Result<Self, PublicKeyFault> {
        let base64 = text.strip_prefix("ssh-ed25519 ").ok_or(PublicKeyFault)?;
        let mut blob = [0; 51];
        if base64.len() != 68 {
            return Err(PublicKeyFault);
        }
        // All of them: 68 characters with padding are fewer bytes, and the rest is left as it was.
        match BASE64.decode_mut(base64.as_bytes(), &mut blob) {
            Ok(51) => Self::from_blob(&blob).ok_or(PublicKeyFault),
            _ => Err(PublicKeyFault),
        }
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_lower_case_and_exact() {
        let id = SpaceId([0xab; 32]);
        assert_eq!(id.to_hex().parse(), Ok(id));
        assert!(id.to_hex().to_uppercase().parse::<SpaceId>().is_err());
        assert!(id.to_hex()[1..].parse::<SpaceId>().is_err());
        assert_eq!(id.short(), "abababababab");
    }

    #[test]
    fn public_key_text_round_trips_and_refuses_other_algorithms() {
        let key = PublicKey([7; 32]);
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!(format!("{key} alice").parse::<PublicKey>().is_err());
        assert!("ssh-rsa AAAA".parse::<PublicKey>().is_err());
        assert_eq!(PublicKey::from_blob(&key.to_blob()[..50]), None);
    }

    #[test]
    fn a_public_key_has_one_spelling() {
        let mut bytes = [7; 32];
        bytes[31] = 0;
        let key = PublicKey(bytes);
        assert_eq!(key.to_string().parse(), Ok(key));
        // A byte less and padding take as much room.
        for short in 1..=2 {
            let blob = &key.to_blob()[..51 - short];
            let text = format!("ssh-ed25519 {}", BASE64.encode(blob));
            assert_eq!(text.len(), key.to_string().len());
            assert_eq!(text.parse::<PublicKey>(), Err(PublicKeyFault));
        }
    }
}
