//! SSHSIG, the signature format of `ssh-keygen -Y sign`, in the one form Folio accepts: ed25519,
//! version 1, nothing reserved, SHA-512, base64 wrapped as ssh-keygen wraps it.
//!
//! git accepts many spellings of one signature, so a stranger could make a second commit that is
//! "signed" by somebody else. Here the block is read, written again, and the two must be equal.

use super::strict;
use super::wire::{Wire, put, unsupported};
use super::{Namespace, Signature};
use crate::codec::exact::is_exact;
use crate::model::{Code, PublicKey};
use data_encoding::{BASE64, BASE64_NOPAD};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256, Sha512};
use std::fmt;

const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const HASH: &[u8] = b"sha512";
const ALGORITHM: &[u8] = b"ssh-ed25519";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "\n-----END SSH SIGNATURE-----";

/// Columns of base64 that OpenSSH writes on one line.
const COLUMNS: usize = 70;

/// Bytes of armor that are looked at: an ed25519 block has under 400, a 16k RSA one under 8,192.
const ARMOR: usize = 16 * 1024;

/// Why a signature or its key was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigFault {
    /// Stable code: `signature-missing`, `signature-malformed`, `signature-wrong`, `key-malformed`,
    /// `key-unsupported` or `key-weak`.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
}

impl fmt::Display for SigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for SigFault {}

impl SigFault {
    pub(super) fn new(code: Code, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { code, what }
    }

    fn malformed(what: impl Into<String>) -> Self {
        Self::new(Code::SignatureMalformed, what)
    }
}

/// The bytes that an SSHSIG signature really signs: a prefix, the namespace, and SHA-512 of
/// `message`.
pub fn signed_bytes(namespace: Namespace, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(MAGIC);
    put(&mut out, namespace.as_str().as_bytes());
    put(&mut out, b"");
    put(&mut out, HASH);
    put(&mut out, &Sha512::digest(message));
    out
}

fn blob(namespace: Namespace, key: &PublicKey, signature: &Signature) -> Vec<u8> {
    let mut inner = Vec::with_capacity(83);
    put(&mut inner, ALGORITHM);
    put(&mut inner, &signature.0);
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    put(&mut out, &key.to_blob());
    put(&mut out, namespace.as_str().as_bytes());
    put(&mut out, b"");
    put(&mut out, HASH);
    put(&mut out, &inner);
    out
}

/// The armored block as ssh-keygen writes it, lines joined by `\n`, without a final line feed.
pub fn armor(namespace: Namespace, key: &PublicKey, signature: &Signature) -> String {
    let mut out = String::with_capacity(512);
    write_armor(&blob(namespace, key, signature), &mut out)
        .expect("a string takes all that is written");
    out
}

fn write_armor(blob: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = &*BASE64.encode(blob);
    out.write_str(BEGIN)?;
    while rest.len() > COLUMNS {
        let (line, more) = rest.split_at(COLUMNS);
        out.write_str(line)?;
        out.write_str("\n")?;
        rest = more;
    }
    out.write_str(rest)?;
    out.write_str(END)
}

/// Reads an armored block and returns the key it names and the raw signature. Nothing is verified
/// yet; see [`verify`].
///
/// # Errors
///
/// `key-unsupported` names the algorithm of a key that is not ed25519; every other deviation from
/// what [`armor`] writes is `signature-malformed`.
pub fn dearmor(namespace: Namespace, text: &str) -> Result<(PublicKey, Signature), SigFault> {
    if text.len() > ARMOR {
        let len = text.len();
        return Err(SigFault::malformed(format!(
            "expected at most {ARMOR} bytes of armor, found {len}"
        )));
    }
    let body = text.strip_prefix(BEGIN).and_then(|t| t.strip_suffix(END));
    let Some(body) = body else {
        return Err(SigFault::malformed(
            "expected one block from BEGIN SSH SIGNATURE to END SSH SIGNATURE and nothing around it",
        ));
    };
    let mut joined = Vec::with_capacity(body.len());
    for line in body.split('\n') {
        joined.extend_from_slice(line.as_bytes());
    }
    let Ok(bytes) = BASE64.decode(&joined) else {
        return Err(SigFault::malformed("expected base64 between the markers"));
    };
    let (key, signature) = parse_blob(namespace, &bytes)?;
    // The fields are known to be right; this holds the wrapping, and whatever was not thought of.
    let again = blob(namespace, &key, &signature);
    if !is_exact(text.as_bytes(), |out| write_armor(&again, out)) {
        return Err(SigFault::malformed(
            "expected the armor that ssh-keygen writes, found another spelling of it",
        ));
    }
    Ok((key, signature))
}

fn parse_blob(namespace: Namespace, bytes: &[u8]) -> Result<(PublicKey, Signature), SigFault> {
    let short = || SigFault::malformed("expected six fields, found the end of the block");
    let Some(fields) = bytes.strip_prefix(MAGIC.as_slice()) else {
        return Err(SigFault::malformed("expected SSHSIG at the start"));
    };
    let mut wire = Wire(fields);
    let version = wire.number().ok_or_else(short)?;
    if version != VERSION {
        let what = format!("expected version {VERSION}, found {version}");
        return Err(SigFault::malformed(what));
    }
    let key = parse_key(wire.string().ok_or_else(short)?)?;
    let wanted = namespace.as_str();
    if wire.string().ok_or_else(short)? != wanted.as_bytes() {
        let what = format!("expected namespace `{wanted}`, found another");
        return Err(SigFault::malformed(what));
    }
    if !wire.string().ok_or_else(short)?.is_empty() {
        return Err(SigFault::malformed("expected an empty reserved field"));
    }
    if wire.string().ok_or_else(short)? != HASH {
        return Err(SigFault::malformed("expected hash sha512, found another"));
    }
    let mut inner = Wire(wire.string().ok_or_else(short)?);
    if inner.string() != Some(ALGORITHM) {
        return Err(SigFault::malformed("expected an ssh-ed25519 signature"));
    }
    let raw = inner.string().and_then(|raw| raw.try_into().ok());
    match raw {
        Some(raw) if inner.0.is_empty() && wire.0.is_empty() => Ok((key, Signature(raw))),
        _ => Err(SigFault::malformed(
            "expected 64 bytes of signature and nothing after them",
        )),
    }
}

fn parse_key(blob: &[u8]) -> Result<PublicKey, SigFault> {
    if let Some(name) = Wire(blob).string().and_then(unsupported) {
        let what = format!("expected an ed25519 key, found one of type {name}");
        return Err(SigFault::new(Code::KeyUnsupported, what));
    }
    PublicKey::from_blob(blob)
        .ok_or_else(|| SigFault::malformed("expected an ssh-ed25519 public key in the block"))
}

fn usable(key: &PublicKey) -> Result<VerifyingKey, SigFault> {
    let fault = |code, what: &str| Err(SigFault::new(code, what));
    let Ok(point) = VerifyingKey::from_bytes(&key.0) else {
        let what = "expected 32 bytes that name a point of the curve";
        return fault(Code::KeyMalformed, what);
    };
    if point.is_weak() {
        let what = "expected a key of full order, found one of the eight small-order points";
        return fault(Code::KeyWeak, what);
    }
    // A coordinate of p = 2^255 - 19 or more would give one key two names.
    let [low, middle @ .., high] = key.0;
    if low >= 0xed && middle == [0xff; 30] && high | 0x80 == 0xff {
        let what = "expected the canonical encoding of the point";
        return fault(Code::KeyMalformed, what);
    }
    Ok(point)
}

/// Checks that a key may be used at all.
///
/// # Errors
///
/// `key-malformed` when the bytes are no point of the curve or not its canonical encoding,
/// `key-weak` when it is of small order.
pub fn check_key(key: &PublicKey) -> Result<(), SigFault> {
    usable(key).map(|_| ())
}

/// Verifies a raw signature over `message`, strictly: `S` must be reduced and no point weak.
///
/// # Errors
///
/// Those of [`check_key`], and `signature-wrong`.
pub fn verify(
    key: &PublicKey,
    namespace: Namespace,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SigFault> {
    let message = signed_bytes(namespace, message);
    if strict::verify(key, &message, &signature.0, usable)? {
        return Ok(());
    }
    let what = format!(
        "expected a signature of {} over these bytes for `{}`, found one that does not verify",
        fingerprint(key),
        namespace.as_str()
    );
    Err(SigFault::new(Code::SignatureWrong, what))
}

/// The OpenSSH fingerprint: `SHA256:` and 43 characters of unpadded base64.
pub fn fingerprint(key: &PublicKey) -> String {
    let digest = Sha256::digest(key.to_blob());
    format!("SHA256:{}", BASE64_NOPAD.encode(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Sign;
    use crate::crypto::keyfile::KeyPair;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    const GIT: Namespace = Namespace::Git;

    /// Made with `ssh-keygen -Y sign -n git` over `hello\n`, with the key of seed 7, 7, 7, ...
    const BY_SSH_KEYGEN: &str = include_str!("testdata/hello.sig");

    fn signed() -> (PublicKey, Signature, String) {
        let pair = KeyPair::from_seed([7; 32]);
        let signature = pair.sign(GIT, b"hello\n").unwrap();
        let text = armor(GIT, &pair.public_key(), &signature);
        (pair.public_key(), signature, text)
    }

    /// Armors a blob as ssh-keygen would.
    fn wrap(blob: &[u8]) -> String {
        let base64 = BASE64.encode(blob);
        let lines: Vec<&str> = base64
            .as_bytes()
            .chunks(COLUMNS)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!("{BEGIN}{}{END}", lines.join("\n"))
    }

    fn code(text: &str) -> Code {
        dearmor(GIT, text).expect_err("must be refused").code
    }

    #[test]
    fn equal_to_what_ssh_keygen_writes() {
        let (key, signature, text) = signed();
        assert_eq!(text, BY_SSH_KEYGEN.trim_end());
        assert_eq!(dearmor(GIT, &text), Ok((key, signature)));
        assert_eq!(verify(&key, GIT, b"hello\n", &signature), Ok(()));
        let other = verify(&key, GIT, b"hello", &signature).unwrap_err();
        assert_eq!(other.code, Code::SignatureWrong);
    }

    #[test]
    fn other_spellings_are_refused() {
        let (_, _, text) = signed();
        let body = &text[BEGIN.len()..text.len() - END.len()];
        let one_line = body.replace('\n', "");
        let wide: Vec<_> = one_line
            .as_bytes()
            .chunks(76)
            .map(String::from_utf8_lossy)
            .collect();
        for bad in [
            String::new(),
            format!("{text}\n"),
            format!("{text}\nmore"),
            format!("\n{text}"),
            format!("{text}\n{text}"),
            format!("{BEGIN}{one_line}{END}"),
            format!("{BEGIN}{}{END}", wide.join("\n")),
            text.replace('\n', "\r\n"),
            format!("{BEGIN}{END}"),
            format!("{BEGIN}{}{END}", &body[..body.len() - 4]),
            format!("{BEGIN}{body}\n{END}"),
            text.replace("SSH SIGNATURE", "PGP SIGNATURE"),
            "A".repeat(ARMOR + 1),
        ] {
            assert_eq!(code(&bad), Code::SignatureMalformed, "{bad}");
        }
    }

    /// A blob with everything free, to alter one field at a time.
    fn alter(version: u32, fields: [&[u8]; 4], inner: [&[u8]; 2], tail: &[u8]) -> String {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&version.to_be_bytes());
        fields.iter().for_each(|field| put(&mut out, field));
        let mut last = Vec::new();
        inner.iter().for_each(|field| put(&mut last, field));
        put(&mut out, &last);
        out.extend_from_slice(tail);
        wrap(&out)
    }

    #[test]
    fn every_field_has_one_value() {
        let (key, signature, text) = signed();
        let (key, sig) = (key.to_blob(), &signature.0[..]);
        let (key, name) = (&key[..], &b"ssh-ed25519"[..]);
        let fields = [key, b"git", b"", b"sha512"];
        assert_eq!(alter(1, fields, [name, sig], b""), text);
        let mut rsa = Vec::new();
        put(&mut rsa, b"ssh-rsa");
        put(&mut rsa, b"\x01\0\x01");
        for bad in [
            alter(0, fields, [name, sig], b""),
            alter(2, fields, [name, sig], b""),
            alter(1, [key, b"file", b"", b"sha512"], [name, sig], b""),
            alter(1, [key, b"", b"", b"sha512"], [name, sig], b""),
            alter(1, [key, b"git", b"x", b"sha512"], [name, sig], b""),
            alter(1, [key, b"git", b"", b"sha256"], [name, sig], b""),
            alter(1, [&key[..50], b"git", b"", b"sha512"], [name, sig], b""),
            alter(1, fields, [b"ssh-rsa", sig], b""),
            alter(1, fields, [name, &sig[..63]], b""),
            alter(1, fields, [name, sig], b"\0"),
        ] {
            assert_eq!(code(&bad), Code::SignatureMalformed, "{bad}");
        }
        let foreign = alter(1, [&rsa, b"git", b"", b"sha512"], [name, sig], b"");
        let fault = dearmor(GIT, &foreign).unwrap_err();
        assert_eq!(fault.code, Code::KeyUnsupported);
        assert!(fault.what.contains("RSA"), "{fault}");
    }

    #[test]
    fn unreduced_s_is_refused() {
        let (key, signature, _) = signed();
        // S + L, where L is the order of the group, little endian.
        let order = HEXLOWER
            .decode(b"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
            .unwrap();
        let mut altered = signature.0;
        let mut carry = 0u16;
        for (byte, add) in altered[32..].iter_mut().zip(order) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert_eq!(carry, 0);
        let fault = verify(&key, GIT, b"hello\n", &Signature(altered)).unwrap_err();
        assert_eq!(fault.code, Code::SignatureWrong);
    }

    #[test]
    fn small_order_keys_are_refused_in_every_encoding() {
        // The eight points of small order, then the encodings of them that are not canonical.
        const WEAK: [&str; 14] = [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ];
        for hex in WEAK {
            let key = PublicKey(HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap());
            assert_eq!(check_key(&key).unwrap_err().code, Code::KeyWeak, "{hex}");
            // R = A, S = 0 is the classic forgery that plain verification accepts.
            let mut forged = [0; 64];
            forged[..32].copy_from_slice(&key.0);
            let fault = verify(&key, GIT, b"anything", &Signature(forged)).unwrap_err();
            assert_eq!(fault.code, Code::KeyWeak, "{hex}");
        }
    }

    #[test]
    fn keys_off_the_curve_or_with_two_names_are_refused() {
        let mut seen = 0;
        for low in 0xed..=0xffu8 {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, 0x7f);
            let fault = check_key(&PublicKey(bytes)).unwrap_err();
            seen += usize::from(fault.what.contains("canonical"));
        }
        assert!(seen > 0, "no point with a second name was tried");
        let mut two = [0; 32];
        two[0] = 2;
        let fault = check_key(&PublicKey(two)).unwrap_err();
        assert_eq!(fault.code, Code::KeyMalformed);
        assert!(fault.what.contains("curve"), "{fault}");
    }

    proptest! {
        #[test]
        fn accepted_text_is_the_only_spelling(at in 0usize..300, byte in any::<u8>(), cut in any::<bool>()) {
            let (key, signature, text) = signed();
            let mut bytes = text.clone().into_bytes();
            let at = at % bytes.len();
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            if let Ok(found) = dearmor(GIT, &String::from_utf8_lossy(&bytes)) {
                prop_assert_eq!(armor(GIT, &found.0, &found.1).into_bytes(), bytes);
                // A changed byte that still parses is another key or signature: never the same pair.
                prop_assert!(found != (key, signature) || text.as_bytes()[at] == byte);
            }
        }

        #[test]
        fn arbitrary_blobs_never_panic(mut blob in prop::collection::vec(any::<u8>(), 0..300), magic in any::<bool>()) {
            if magic { blob.splice(..0, *b"SSHSIG\0\0\0\x01\0\0\0"); }
            let _ = dearmor(GIT, &wrap(&blob));
        }

        #[test]
        fn arbitrary_keys_and_signatures_never_panic(key: [u8; 32], half: [u8; 32]) {
            let mut raw = [0; 64];
            raw[..32].copy_from_slice(&key);
            raw[32..].copy_from_slice(&half);
            prop_assert!(verify(&PublicKey(key), GIT, b"", &Signature(raw)).is_err());
        }
    }
}
