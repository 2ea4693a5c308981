//! Manifests that claim very much, made while they are read: alone in its process, since its memory is measured.

#![allow(clippy::unwrap_used, reason = "a test")]

use folio::codec::manifest::{Entry, HEADER, ManifestFault, Reader, check_bytes};
use folio::model::{Code, limits};

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Feeds lines until one is refused: with what, and how many were taken.
fn feed(lines: impl Iterator<Item = String>) -> (ManifestFault, u64) {
    let (mut reader, mut taken) = (Reader::default(), 0);
    let mut each = |_: Entry| -> Result<(), ManifestFault> {
        taken += 1;
        Ok(())
    };
    reader.feed(HEADER.as_bytes(), &mut each).unwrap();
    let mut piece = String::new();
    for line in lines {
        piece += &line;
        if piece.len() > 60_000 {
            if let Err(fault) = reader.feed(piece.as_bytes(), &mut each) {
                return (fault, taken);
            }
            piece.clear();
        }
    }
    panic!("it was taken whole");
}

#[test]
fn ten_million_entries_are_refused_with_bounded_memory() {
    let before = peak();
    let most = limits::MANIFEST_NAMES as u64;
    let flat = (0..10_000_000).map(|n| format!("{{\"mode\":\"040000\",\"path\":\"{n:08}\"}}\n"));
    let (fault, taken) = feed(flat);
    assert_eq!(
        (fault.code, taken, fault.line),
        (Code::TooLarge, most, most + 2)
    );

    // A line without an end, and more bytes than a manifest has.
    let endless = (0..10_000_000).map(|_| "x".repeat(1000));
    let (fault, taken) = feed(endless);
    assert_eq!((fault.code, taken), (Code::ManifestMalformed, 0));
    assert_eq!(
        check_bytes(10_000_000 * 100).unwrap_err().code,
        Code::TooLarge
    );

    let grown = peak() - before;
    assert!(grown < 64 * 1024, "{grown} KiB");
    println!("{grown} KiB more");
}
