//! Key files: OpenSSH private keys, plain or with a passphrase, and `.pub` lines.

use super::sshsig::{self, SigFault};
use super::wire::{Wire, unsupported};
use super::{Namespace, Sign, SignFault, Signature};
use crate::model::{Code, PublicKey};
use data_encoding::BASE64;
use ed25519_dalek::{Signer, SigningKey};
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{Cipher, Kdf, LineEnding, PrivateKey};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a key file: read no more than this (and one, to notice) before calling [`load`] or
/// [`parse_public`]. A 16k RSA key has 13 KB; ours have under 500 bytes.
pub const KEY_FILE: usize = 16 * 1024;

/// How often [`load`] asks for a passphrase.
pub const ATTEMPTS: u32 = 3;

/// Rounds of bcrypt for new encrypted keys: the default of OpenSSH since 9.4.
const ROUNDS: u32 = 24;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFault {
    /// Stable code: `key-unsupported`, `key-malformed`, `key-weak` or `key-unusable`.
    pub code: Code,
    /// What was expected and found; an algorithm that is not ed25519 is named.
    pub what: String,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for KeyFault {}

impl From<SigFault> for KeyFault {
    fn from(fault: SigFault) -> Self {
        Self::new(fault.code, fault.what)
    }
}

impl KeyFault {
    pub(super) fn new(code: Code, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { code, what }
    }

    fn unsupported(kind: &str) -> Self {
        let what = format!("expected an ed25519 key, found one of type {kind}");
        Self::new(Code::KeyUnsupported, what)
    }

    fn malformed(what: &str) -> Self {
        Self::new(Code::KeyMalformed, what)
    }
}

/// A private key in memory, wiped when dropped; not after a panic, so the command line has no core dumps. `Debug` shows
/// the public half only.
#[derive(Clone)]
pub struct KeyPair(SigningKey);

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyPair").field(&self.public_key()).finish()
    }
}

impl Sign for KeyPair {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, namespace: Namespace, message: &[u8]) -> Result<Signature, SignFault> {
        let bytes = sshsig::signed_bytes(namespace, message);
        Ok(Signature(self.0.sign(&bytes).to_bytes()))
    }
}

impl KeyPair {
    /// The key of a seed that is known: for tests and the tour.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// A new key from 32 bytes of the system's randomness, which are wiped.
    pub fn generate(random: Zeroizing<[u8; 32]>) -> Self {
        Self(SigningKey::from_bytes(&random))
    }

    fn private(&self, comment: &str) -> PrivateKey {
        let seed = Zeroizing::new(self.0.to_bytes());
        let pair = KeypairData::from(Ed25519Keypair {
            public: Ed25519PublicKey(self.public_key().0),
            private: Ed25519PrivateKey::from_bytes(&seed),
        });
        PrivateKey::new(pair, comment).expect("the key pair is not encrypted")
    }

    /// The key as an OpenSSH private key file without a passphrase. Write it with mode 0600.
    pub fn to_openssh(&self, comment: &str) -> Zeroizing<String> {
        self.private(comment)
            .to_openssh(LineEnding::LF)
            .expect("an ed25519 key and a comment always encode")
    }

    /// The key as an OpenSSH private key file that needs `passphrase`; `random` is 20 bytes of the
    /// system's randomness, new for every file: 16 of salt, 4 for the check number.
    ///
    /// # Errors
    ///
    /// `key-unusable` when the passphrase is empty.
    pub fn to_openssh_encrypted(
        &self,
        comment: &str,
        passphrase: &str,
        random: [u8; 20],
    ) -> Result<Zeroizing<String>, KeyFault> {
        let [salt @ .., a, b, c, d] = random;
        let kdf = Kdf::Bcrypt {
            salt: salt.to_vec(),
            rounds: ROUNDS,
        };
        let check = u32::from_be_bytes([a, b, c, d]);
        self.private(comment)
            .encrypt_with(Cipher::Aes256Ctr, kdf, check, passphrase)
            .and_then(|key| key.to_openssh(LineEnding::LF))
            .map_err(|error| {
                KeyFault::new(Code::KeyUnusable, format!("encrypting failed: {error}"))
            })
    }
}

/// The line of a `.pub` file: the key, a space and the comment, and a line feed. What is not
/// printable in the comment is left out, so that it stays one line.
pub fn public_line(key: &PublicKey, comment: &str) -> String {
    let comment: String = comment.chars().filter(|c| !c.is_control()).collect();
    let line = format!("{key} {comment}");
    format!("{}\n", line.trim_end())
}

/// Reads a `.pub` file: one line, `ssh-ed25519 AAAA... comment`, the comment optional.
///
/// # Errors
///
/// `key-unsupported` names another algorithm, `key-weak`, and `key-malformed` for everything else.
pub fn parse_public(text: &str) -> Result<PublicKey, KeyFault> {
    let shape = || KeyFault::malformed("expected one line `ssh-ed25519 AAAA... comment`");
    if text.len() > KEY_FILE {
        return Err(too_large(text));
    }
    let line = text.trim();
    if line.contains('\n') {
        if line.contains("PRIVATE KEY") {
            let what = "expected a public key, found a private one; its `.pub` file is meant";
            return Err(KeyFault::malformed(what));
        }
        return Err(shape());
    }
    let mut words = line.split_ascii_whitespace();
    let (name, base64) = (words.next(), words.next());
    if let Some(kind) = name.and_then(|name| unsupported(name.as_bytes())) {
        return Err(KeyFault::unsupported(kind));
    }
    let key: PublicKey = match (name, base64) {
        (Some(name), Some(base64)) => format!("{name} {base64}").parse().map_err(|_| shape())?,
        _ => return Err(shape()),
    };
    sshsig::check_key(&key)?;
    Ok(key)
}

fn too_large(text: &str) -> KeyFault {
    let len = text.len();
    let what = format!("expected a key file of at most {KEY_FILE} bytes, found {len}");
    KeyFault::new(Code::KeyMalformed, what)
}

/// Reads an OpenSSH private key. For an encrypted one `passphrase` is asked up to [`ATTEMPTS`]
/// times with the number of the attempt, from 1; `None` gives up.
///
/// # Errors
///
/// `key-unsupported` names the algorithm or the file format, `key-malformed` when the file is
/// damaged or no private key, `key-unusable` without the right passphrase.
pub fn load(
    text: &str,
    passphrase: impl FnMut(u32) -> Option<Zeroizing<String>>,
) -> Result<KeyPair, KeyFault> {
    if text.len() > KEY_FILE {
        return Err(too_large(text));
    }
    let text = text.trim();
    recognise(text)?;
    let damaged = |error| {
        let what = format!("expected an OpenSSH private key, found a damaged one ({error})");
        KeyFault::new(Code::KeyMalformed, what)
    };
    let mut key = PrivateKey::from_openssh(&*rewrapped(text)).map_err(damaged)?;
    if key.is_encrypted() {
        key = decrypt(&key, passphrase)?;
    }
    pair_of(&key)
}

/// The pair in a file that is not encrypted, or not any more. The file states the public half too; signing with a false
/// one would leak the private half.
fn pair_of(key: &PrivateKey) -> Result<KeyPair, KeyFault> {
    let stated = public_in(key)?;
    let Some(pair) = key.key_data().ed25519() else {
        return Err(KeyFault::unsupported("something else"));
    };
    let seed = Zeroizing::new(pair.private.to_bytes());
    let loaded = KeyPair(SigningKey::from_bytes(&seed));
    match loaded.public_key() == stated {
        true => Ok(loaded),
        false => Err(KeyFault::malformed(
            "expected the two halves of one key, found two keys",
        )),
    }
}

/// The public half as it stands in a file.
fn public_in(key: &PrivateKey) -> Result<PublicKey, KeyFault> {
    let public = key.public_key().key_data().ed25519();
    let public = public.ok_or_else(|| KeyFault::unsupported("something else"))?;
    Ok(PublicKey(public.0))
}

/// The same file with its base64 wrapped at 70 columns, which is all that the reader takes; OpenSSH itself
/// reads any width, and some programs write 64.
fn rewrapped(text: &str) -> Zeroizing<String> {
    let mut lines = text.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    let body: Zeroizing<String> =
        Zeroizing::new(lines.clone().filter(|l| !l.starts_with("-----")).collect());
    let last = lines
        .find(|line| line.starts_with("-----"))
        .unwrap_or_default();
    let mut file = Zeroizing::new(format!("{first}\n"));
    for (at, c) in body.chars().enumerate() {
        if at > 0 && at % 70 == 0 {
            file.push('\n');
        }
        file.push(c);
    }
    file.push('\n');
    file.push_str(last);
    file.push('\n');
    file
}

/// The public half of a private key file. It stands there unencrypted, so no passphrase is asked for.
///
/// # Errors
///
/// As [`load`], except for the passphrase.
pub fn public_of(text: &str) -> Result<PublicKey, KeyFault> {
    if text.len() > KEY_FILE {
        return Err(too_large(text));
    }
    let text = text.trim();
    recognise(text)?;
    let key = PrivateKey::from_openssh(&*rewrapped(text)).map_err(|error| {
        let what = format!("expected an OpenSSH private key, found a damaged one ({error})");
        KeyFault::new(Code::KeyMalformed, what)
    })?;
    match key.is_encrypted() {
        true => public_in(&key),
        false => pair_of(&key).map(|pair| pair.public_key()),
    }
}

fn decrypt(
    key: &PrivateKey,
    mut passphrase: impl FnMut(u32) -> Option<Zeroizing<String>>,
) -> Result<PrivateKey, KeyFault> {
    for attempt in 1..=ATTEMPTS {
        let Some(words) = passphrase(attempt) else {
            let what = "the key has a passphrase, and none was given";
            return Err(KeyFault::new(Code::KeyUnusable, what));
        };
        // A wrong passphrase and damaged contents cannot be told apart.
        if let Ok(plain) = key.decrypt(words.as_bytes()) {
            return Ok(plain);
        }
    }
    let what = format!("the passphrase was wrong {ATTEMPTS} times");
    Err(KeyFault::new(Code::KeyUnusable, what))
}

/// Says what kind of key a text is, when it is not an OpenSSH ed25519 private key. The public half
/// stands unencrypted in the file, so no passphrase is needed for that.
fn recognise(text: &str) -> Result<(), KeyFault> {
    const OTHERS: &[(&str, &str)] = &[
        ("-----BEGIN RSA PRIVATE KEY-----", "RSA, in a PEM file"),
        ("-----BEGIN EC PRIVATE KEY-----", "ECDSA, in a PEM file"),
        ("-----BEGIN DSA PRIVATE KEY-----", "DSA, in a PEM file"),
        (
            "-----BEGIN PRIVATE KEY-----",
            "PKCS#8; `ssh-keygen -p -f FILE` may convert it",
        ),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----",
            "PKCS#8; `ssh-keygen -p -f FILE` may convert it",
        ),
        (
            "PuTTY-User-Key-File-",
            "PuTTY; `puttygen FILE -O private-openssh` converts it",
        ),
    ];
    if let Some((_, kind)) = OTHERS.iter().find(|(start, _)| text.starts_with(start)) {
        return Err(KeyFault::unsupported(kind));
    }
    if parse_public(text).is_ok() {
        let what = "expected a private key, found a public one; without `.pub` at the end is meant";
        return Err(KeyFault::malformed(what));
    }
    let Some(body) = text.strip_prefix(BEGIN) else {
        return Err(KeyFault::malformed(
            "expected BEGIN OPENSSH PRIVATE KEY at the start",
        ));
    };
    let Some(body) = body.strip_suffix(END) else {
        return Err(KeyFault::malformed(
            "expected END OPENSSH PRIVATE KEY at the end",
        ));
    };
    let joined: Zeroizing<Vec<u8>> =
        Zeroizing::new(body.bytes().filter(|b| !b.is_ascii_whitespace()).collect());
    let bytes = Zeroizing::new(BASE64.decode(&joined).unwrap_or_default());
    match algorithm(&bytes) {
        Some(name) if name == b"ssh-ed25519" => Ok(()),
        Some(name) => match unsupported(name) {
            Some(kind) => Err(KeyFault::unsupported(kind)),
            None => Err(KeyFault::unsupported("that OpenSSH does not list")),
        },
        None => Err(KeyFault::malformed(
            "expected an OpenSSH private key, found a damaged one",
        )),
    }
}

/// The algorithm of the first public key in an `openssh-key-v1` file.
fn algorithm(bytes: &[u8]) -> Option<&[u8]> {
    let mut wire = Wire(bytes.strip_prefix(b"openssh-key-v1\0")?);
    for _cipher_kdf_options in 0..3 {
        wire.string()?;
    }
    let _count = wire.number()?;
    Wire(wire.string()?).string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask_nobody(_: u32) -> Option<Zeroizing<String>> {
        panic!("a plain key needs no passphrase")
    }

    fn code(text: &str) -> Code {
        load(text, |_| None).expect_err("must be refused").code
    }

    #[test]
    fn other_widths_of_base64_are_read() {
        let pair = KeyPair::from_seed([9; 32]);
        let file = pair.to_openssh("a comment");
        let body: String = file
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        for width in [64, 76, 400] {
            let body: Vec<&str> = body
                .as_bytes()
                .chunks(width)
                .map(|c| std::str::from_utf8(c).unwrap())
                .collect();
            let (begin, end) = (
                "-----BEGIN OPENSSH PRIVATE KEY-----",
                "-----END OPENSSH PRIVATE KEY-----",
            );
            let file = format!("{begin}\n{}\n{end}\n", body.join("\n"));
            assert_eq!(
                load(&file, |_| None).unwrap().public_key(),
                pair.public_key(),
                "{width}"
            );
        }
    }

    #[test]
    fn plain_keys_round_trip() {
        let pair = KeyPair::from_seed([3; 32]);
        let text = pair.to_openssh("alice@example.org");
        assert!(text.starts_with(BEGIN) && text.ends_with("-----\n"));
        let loaded = load(&text, ask_nobody).unwrap();
        assert_eq!(loaded.public_key(), pair.public_key());
        assert!(!format!("{loaded:?}").contains("0303"));
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(
            load(&crlf, ask_nobody).unwrap().public_key(),
            pair.public_key()
        );
    }

    #[test]
    fn encrypted_keys_ask_three_times() {
        let pair = KeyPair::from_seed([3; 32]);
        let text = pair.to_openssh_encrypted("a", "secret", [9; 20]).unwrap();
        let mut asked = Vec::new();
        let loaded = load(&text, |attempt| {
            asked.push(attempt);
            let word = if attempt == 3 { "secret" } else { "wrong" };
            Some(Zeroizing::new(word.into()))
        });
        assert_eq!(loaded.unwrap().public_key(), pair.public_key());
        assert_eq!(asked, [1, 2, 3]);
        let wrong = load(&text, |_| Some(Zeroizing::new("wrong".into()))).unwrap_err();
        assert_eq!(wrong.code, Code::KeyUnusable);
        assert_eq!(code(&text), Code::KeyUnusable);
        let empty = pair.to_openssh_encrypted("a", "", [9; 20]).unwrap_err();
        assert_eq!(empty.code, Code::KeyUnusable);
    }

    #[test]
    fn other_files_are_named() {
        let pem = load("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", |_| None).unwrap_err();
        assert_eq!(pem.code, Code::KeyUnsupported);
        assert!(pem.what.contains("RSA"), "{pem}");
        let pair = KeyPair::from_seed([3; 32]);
        let text = pair.to_openssh("a");
        assert_eq!(code(&text[..200]), Code::KeyMalformed);
        assert_eq!(code(&text.replacen("AAAA", "AAAB", 1)), Code::KeyMalformed);
        assert_eq!(code("garbage"), Code::KeyMalformed);
        assert_eq!(code(""), Code::KeyMalformed);
        assert_eq!(code(&"x".repeat(KEY_FILE + 1)), Code::KeyMalformed);
        let public = load(&public_line(&pair.public_key(), "a"), |_| None).unwrap_err();
        assert!(public.what.contains("public"), "{public}");
    }

    #[test]
    fn halves_of_two_keys_are_refused() {
        let (a, b) = (KeyPair::from_seed([3; 32]), KeyPair::from_seed([4; 32]));
        let text = a.to_openssh("a");
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let mut bytes = BASE64.decode(body.as_bytes()).unwrap();
        let (old, new) = (a.public_key().0, b.public_key().0);
        for at in 0..bytes.len() - 32 {
            if bytes[at..at + 32] == old {
                bytes[at..at + 32].copy_from_slice(&new);
            }
        }
        let base64 = BASE64.encode(&bytes);
        let lines: Vec<_> = base64
            .as_bytes()
            .chunks(70)
            .map(String::from_utf8_lossy)
            .collect();
        let forged = format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"));
        assert_eq!(code(&forged), Code::KeyMalformed);
        assert_eq!(public_of(&forged).unwrap_err().code, Code::KeyMalformed);
        assert_eq!(public_of(&text), Ok(a.public_key()));
        let pair = KeypairData::from(Ed25519Keypair {
            public: Ed25519PublicKey(new),
            private: Ed25519PrivateKey::from_bytes(&[3; 32]),
        });
        let kdf = Kdf::Bcrypt {
            salt: vec![7; 16],
            rounds: 2,
        };
        let key = PrivateKey::new(pair, "a").unwrap();
        let key = key.encrypt_with(Cipher::Aes256Ctr, kdf, 1, "secret");
        let sealed = key.unwrap().to_openssh(LineEnding::LF).unwrap();
        let opened = load(&sealed, |_| Some(Zeroizing::new("secret".into())));
        assert_eq!(opened.unwrap_err().code, Code::KeyMalformed);
    }

    #[test]
    fn public_lines() {
        let key = KeyPair::from_seed([3; 32]).public_key();
        for good in [
            key.to_string(),
            public_line(&key, "alice on laptop"),
            public_line(&key, ""),
        ] {
            assert_eq!(parse_public(&good), Ok(key), "{good}");
        }
        assert_eq!(public_line(&key, "a\nb").lines().count(), 1);
        let code = |text: &str| parse_public(text).expect_err("must be refused").code;
        assert_eq!(code("ssh-rsa AAAAB3NzaC1yc2E= bob"), Code::KeyUnsupported);
        assert_eq!(
            code("sk-ssh-ed25519@openssh.com AAAA"),
            Code::KeyUnsupported
        );
        assert_eq!(code("ecdsa-sha2-nistp256 AAAA"), Code::KeyUnsupported);
        assert_eq!(code(&PublicKey([0; 32]).to_string()), Code::KeyWeak);
        assert_eq!(code(&format!("{key}\n{key}\n")), Code::KeyMalformed);
        assert_eq!(code("ssh-ed25519"), Code::KeyMalformed);
        assert_eq!(code(""), Code::KeyMalformed);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn damaged_files_never_panic(at in 0usize..400, byte in any::<u8>(), cut in any::<bool>()) {
            let text = KeyPair::from_seed([3; 32]).to_openssh("a");
            let mut bytes = text.as_bytes().to_vec();
            let at = at % bytes.len();
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            let _ = load(&String::from_utf8_lossy(&bytes), |_| None);
        }

        #[test]
        fn arbitrary_blobs_never_panic(mut blob in prop::collection::vec(any::<u8>(), 0..200)) {
            blob.splice(..0, *b"openssh-key-v1\0");
            let _ = load(&format!("{BEGIN}\n{}\n{END}\n", BASE64.encode(&blob)), |_| None);
        }
    }
}
