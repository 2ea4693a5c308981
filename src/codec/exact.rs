//! Whether something is written as the bytes that it was read from: compared as it is written, so that the second text is
//! never there.

use std::fmt;

/// What is left of the bytes that are expected.
pub(crate) struct Exact<'e>(&'e [u8]);

/// Whether `write` writes these bytes and no others.
pub(crate) fn is_exact(expected: &[u8], write: impl FnOnce(&mut Exact<'_>) -> fmt::Result) -> bool {
    let mut left = Exact(expected);
    write(&mut left).is_ok() && left.0.is_empty()
}

impl fmt::Write for Exact<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part.as_bytes()).ok_or(fmt::Error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn only_the_same_bytes_are_the_same() {
        let written = |expected: &[u8]| is_exact(expected, |out| write!(out, "a{}c", 12));
        assert!(written(b"a12c"));
        for other in [&b""[..], b"a12", b"a12cc", b"a13c", b"\xff12c"] {
            assert!(!written(other), "{other:?}");
        }
    }
}
