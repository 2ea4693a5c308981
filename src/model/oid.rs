//! Git object ids of both object formats.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which hash a repository names its objects with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectFormat {
    /// 20-byte ids; what forges accept.
    Sha1,
    /// 32-byte ids.
    Sha256,
}

impl ObjectFormat {
    /// Length of an id in bytes.
    pub fn id_len(self) -> usize {
        match self {
            ObjectFormat::Sha1 => 20,
            ObjectFormat::Sha256 => 32,
        }
    }

    /// The commit header that carries a signature in a repository of this format.
    pub fn signature_header(self) -> &'static str {
        match self {
            ObjectFormat::Sha1 => "gpgsig",
            ObjectFormat::Sha256 => "gpgsig-sha256",
        }
    }

    /// git's own word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            ObjectFormat::Sha1 => "sha1",
            ObjectFormat::Sha256 => "sha256",
        }
    }
}

/// A git object id, 20 or 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    format: ObjectFormat,
    bytes: [u8; 32],
}

/// Bytes or text that are not an object id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidFault {
    /// Length of what was found, in bytes (of text: in digits).
    pub found_len: usize,
}

impl fmt::Display for OidFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected an object id of 40 or 64 lower-case hexadecimal digits, found {} bytes that are not one",
            self.found_len
        )
    }
}

impl std::error::Error for OidFault {}

impl Oid {
    /// Takes 20 (sha1) or 32 (sha256) raw bytes.
    pub fn from_bytes(raw: &[u8]) -> Result<Self, OidFault> {
        let format = match raw.len() {
            20 => ObjectFormat::Sha1,
            32 => ObjectFormat::Sha256,
            found_len => return Err(OidFault { found_len }),
        };
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Ok(Self { format, bytes })
    }

    /// The raw bytes, 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.format.id_len()]
    }

    /// Which hash made it.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// All hexadecimal digits.
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(self.as_bytes())
    }

    /// Writes all hexadecimal digits: for every commit that is checked, so without memory of its own.
    pub fn write_hex(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let mut digits = [0; 64];
        let digits = &mut digits[..2 * self.as_bytes().len()];
        HEXLOWER.encode_mut(self.as_bytes(), digits);
        out.write_str(std::str::from_utf8(digits).expect("hexadecimal digits"))
    }

    /// The first 10 digits, for people.
    pub fn short(&self) -> String {
        HEXLOWER.encode(&self.bytes[..5])
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_hex(f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", self.short())
    }
}

impl FromStr for Oid {
    type Err = OidFault;
    fn from_str(text: &str) -> Result<Self, OidFault> {
        let fault = OidFault {
            found_len: text.len(),
        };
        if !matches!(text.len(), 40 | 64) {
            return Err(fault);
        }
        let mut raw = [0; 32];
        let raw = &mut raw[..text.len() / 2];
        let decoded = HEXLOWER.decode_mut(text.as_bytes(), raw);
        decoded.map_err(|_| fault)?;
        Self::from_bytes(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_round_trip_and_others_are_refused() {
        for len in [20, 32] {
            let id = Oid::from_bytes(&vec![0x5a; len]).expect("a valid length");
            assert_eq!(id.to_hex().parse(), Ok(id));
            assert_eq!(id.as_bytes().len(), len);
        }
        assert_eq!(Oid::from_bytes(&[0; 21]), Err(OidFault { found_len: 21 }));
        assert!("zz".repeat(20).parse::<Oid>().is_err());
    }
}
