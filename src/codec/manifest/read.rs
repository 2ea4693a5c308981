//! Reading a manifest in the pieces in which its bytes come.

use super::{Entry, HEADER, ManifestFault, Names, check_bytes};
use crate::model::{Code, limits};

/// What was read so far: the names, and the beginning of a line.
#[derive(Default)]
pub struct Reader {
    names: Names,
    begun: Vec<u8>,
    lines: u64,
    bytes: u64,
}

impl Reader {
    /// Takes the next bytes and hands on the entries that end in them.
    ///
    /// # Errors
    ///
    /// The first fault of the manifest, or of whoever takes the entries. After one the reader is of no use.
    pub fn feed<F: From<ManifestFault>>(
        &mut self,
        piece: &[u8],
        each: &mut dyn FnMut(Entry) -> Result<(), F>,
    ) -> Result<(), F> {
        self.bytes += piece.len() as u64;
        check_bytes(self.bytes)?;
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            rest = after;
            let entry = if self.begun.is_empty() {
                self.line(line)?
            } else {
                self.keep(line)?;
                let line = std::mem::take(&mut self.begun);
                self.line(&line)?
            };
            if let Some(entry) = entry {
                each(entry)?;
            }
        }
        Ok(self.keep(rest)?)
    }

    /// Ends the manifest; how many entries it has.
    ///
    /// # Errors
    ///
    /// `manifest-malformed` where it ends within a line.
    pub fn finish(self) -> Result<u64, ManifestFault> {
        if self.lines == 0 || !self.begun.is_empty() {
            let what = "expected a line feed after the last line";
            return Err(self.malformed(what.into()));
        }
        Ok(self.lines - 1)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), ManifestFault> {
        self.check_length(self.begun.len() + bytes.len())?;
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    fn check_length(&self, bytes: usize) -> Result<(), ManifestFault> {
        let most = limits::MANIFEST_LINE;
        if bytes > most {
            return Err(self.malformed(format!("expected a line of at most {most} bytes")));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<Entry>, ManifestFault> {
        self.check_length(line.len())?;
        let text = std::str::from_utf8(line);
        let text = text.map_err(|_| self.malformed("expected UTF-8".into()))?;
        if self.lines == 0 {
            if text != HEADER.trim_end() {
                return Err(self.malformed(format!("expected `{}`", HEADER.trim_end())));
            }
            self.lines = 1;
            return Ok(None);
        }
        let entry = Entry::parse(text, self.lines + 1)?;
        self.lines += 1;
        self.names.take(&entry.path, self.lines)?;
        Ok(Some(entry))
    }

    fn malformed(&self, what: String) -> ManifestFault {
        ManifestFault::new(Code::ManifestMalformed, self.lines + 1, what)
    }
}
