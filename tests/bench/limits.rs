//! What the machine can do at all: the floor under everything else.

use folio::crypto::keyfile::KeyPair;
use folio::crypto::{Namespace, Sign as _, sshsig};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long each thing is done.
const LONG: Duration = Duration::from_millis(500);

/// Prints `limit <what> <number a second> <unit>` for each.
pub fn print(dir: &Path) {
    let mut log = File::create(dir.join("append")).expect("a file");
    let line = [b'x'; 400];
    rate("append+fdatasync", 1.0, "writes", || {
        log.write_all(&line).expect("written");
        log.sync_data().expect("synced");
    });
    let block = vec![7u8; 1 << 20];
    rate("blake3", 1.0, "MiB", || {
        std::hint::black_box(blake3::hash(&block));
    });
    let pair = KeyPair::from_seed([7; 32]);
    let message = [5u8; 600];
    let signature = pair.sign(Namespace::Git, &message).expect("a signature");
    rate("ed25519-sign", 1.0, "signatures", || {
        pair.sign(Namespace::Git, &message).expect("a signature");
    });
    rate("ed25519-verify", 1.0, "checks", || {
        let key = pair.public_key();
        sshsig::verify(&key, Namespace::Git, &message, &signature).expect("a good one");
    });
    let text: Vec<u8> = (0..30_000u32)
        .flat_map(|n| format!("{n} {} ", n % 97).into_bytes())
        .collect();
    let size = text.len() as f64 / f64::from(1 << 20);
    rate("zlib-1", size, "MiB", || {
        let mut zip = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(1));
        zip.write_all(&text).expect("compressed");
        std::hint::black_box(zip.finish().expect("compressed"));
    });
}

/// On one core.
fn rate(what: &str, each: f64, unit: &str, mut work: impl FnMut()) {
    let started = Instant::now();
    let mut times = 0u32;
    while started.elapsed() < LONG {
        work();
        times += 1;
    }
    let second = f64::from(times) * each / started.elapsed().as_secs_f64();
    println!("limit {what} {second:.0} {unit}");
}
