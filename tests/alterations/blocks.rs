//! Signature blocks put together by hand, and the spellings of one that git calls good.

use crate::common::Actor;
use data_encoding::BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use folio::crypto::Sign;
use sha2::{Digest as _, Sha512};

/// Every field of an SSHSIG block.
#[derive(Clone)]
pub struct Block {
    pub version: u32,
    pub key: [u8; 32],
    pub namespace: &'static [u8],
    pub reserved: &'static [u8],
    pub hash: &'static [u8],
    pub signature: [u8; 64],
}

fn put(out: &mut Vec<u8>, field: &[u8]) {
    out.extend_from_slice(&u32::try_from(field.len()).unwrap().to_be_bytes());
    out.extend_from_slice(field);
}

impl Block {
    /// A block by somebody, with these fields signed as SSHSIG says.
    pub fn by(
        actor: &Actor,
        namespace: &'static [u8],
        reserved: &'static [u8],
        payload: &[u8],
    ) -> Self {
        let key = SigningKey::from_bytes(blake3::hash(actor.handle.as_bytes()).as_bytes());
        assert_eq!(key.verifying_key().to_bytes(), actor.key.public_key().0);
        let mut signed = b"SSHSIG".to_vec();
        for field in [namespace, reserved, b"sha512", &Sha512::digest(payload)] {
            put(&mut signed, field);
        }
        Self {
            version: 1,
            key: key.verifying_key().to_bytes(),
            namespace,
            reserved,
            hash: b"sha512",
            signature: key.sign(&signed).to_bytes(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut key = Vec::new();
        put(&mut key, b"ssh-ed25519");
        put(&mut key, &self.key);
        let mut inner = Vec::new();
        put(&mut inner, b"ssh-ed25519");
        put(&mut inner, &self.signature);
        let mut out = b"SSHSIG".to_vec();
        out.extend_from_slice(&self.version.to_be_bytes());
        for field in [&key[..], self.namespace, self.reserved, self.hash, &inner] {
            put(&mut out, field);
        }
        out
    }

    pub fn armor(&self, columns: usize) -> String {
        let base64 = BASE64.encode(&self.bytes());
        let lines: Vec<&str> = (0..base64.len())
            .step_by(columns)
            .map(|at| &base64[at..base64.len().min(at + columns)])
            .collect();
        let body = lines.join("\n");
        format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----")
    }
}

/// The order of the curve's base point, little endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The same signature with S + L for S: the equation still holds.
pub fn plus_order(mut signature: [u8; 64]) -> [u8; 64] {
    let mut carry = 0u16;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(carry, 0);
    signature
}
