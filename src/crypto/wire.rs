//! SSH wire fields (RFC 4251), and the names of key algorithms.

/// Appends an RFC 4251 string: its length as 4 bytes, big endian, then its bytes.
pub(super) fn put(out: &mut Vec<u8>, field: &[u8]) {
    let len = u32::try_from(field.len()).expect("fields written here have under 100 bytes");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(field);
}

/// Takes RFC 4251 fields off the front; `None` where the bytes end too early.
pub(super) struct Wire<'a>(pub(super) &'a [u8]);

impl<'a> Wire<'a> {
    pub(super) fn number(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*head))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (field, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(field)
    }
}

/// The name of a key algorithm that OpenSSH knows and Folio does not use, if `name` is one. A name
/// from this list is safe to print; the bytes it was compared with need not be.
pub(super) fn unsupported(name: &[u8]) -> Option<&'static str> {
    const NAMES: &[(&str, &str)] = &[
        ("ssh-rsa", "RSA (ssh-rsa)"),
        ("ssh-dss", "DSA (ssh-dss)"),
        ("ecdsa-sha2-nistp256", "ECDSA (ecdsa-sha2-nistp256)"),
        ("ecdsa-sha2-nistp384", "ECDSA (ecdsa-sha2-nistp384)"),
        ("ecdsa-sha2-nistp521", "ECDSA (ecdsa-sha2-nistp521)"),
        ("ssh-ed448", "Ed448 (ssh-ed448)"),
        (
            "sk-ssh-ed25519@openssh.com",
            "hardware-backed ed25519 (sk-ssh-ed25519)",
        ),
        (
            "sk-ecdsa-sha2-nistp256@openssh.com",
            "hardware-backed ECDSA (sk-ecdsa-sha2-nistp256)",
        ),
    ];
    if name.ends_with(b"-cert-v01@openssh.com") {
        return Some("certificate (-cert-v01@openssh.com)");
    }
    let found = NAMES.iter().find(|(wire, _)| wire.as_bytes() == name);
    found.map(|(_, words)| *words)
}
