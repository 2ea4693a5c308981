//! Has what unwinds the stack after a panic linked into the program, where it can be.
//!
//! Rust asks the linker for `libgcc_s`, a shared library: in every process the loader finds it, maps it and puts it right before
//! `main` begins, which is 0.1 ms, a twentieth of what a question takes. `libgcc_eh.a` holds the same and comes with every gcc, for
//! `-static-libgcc`. That option says nothing to a linker which is asked for `libgcc_s` by name; a file of this name that it
//! finds first does, and says what is to be taken in its place ("Implicit Linker Scripts" in the manual of GNU ld).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tells the linker, on Linux with the GNU C library. Where gcc's files are not found, or another system is compiled for,
/// all stays as it is.
pub fn link() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let is_gnu = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if !is_gnu || env::var("HOST") != env::var("TARGET") {
        return;
    }
    let [Some(unwinder), Some(rest)] = ["libgcc_eh.a", "libgcc.a"].map(of_gcc) else {
        return;
    };
    let dir = env::var_os("OUT_DIR").expect("cargo says where");
    let dir = Path::new(&dir).join("unwinder");
    let script = format!("GROUP(\"{}\" \"{}\")\n", unwinder.display(), rest.display());
    let written =
        fs::create_dir_all(&dir).and_then(|()| fs::write(dir.join("libgcc_s.so"), script));
    written.expect("cargo made the directory");
    println!("cargo::rustc-link-search=native={}", dir.display());
}

/// Where the C compiler has one of its own libraries; it repeats the name where there is none.
fn of_gcc(name: &str) -> Option<PathBuf> {
    let asked = Command::new("cc")
        .arg(format!("-print-file-name={name}"))
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim_end());
    (path.is_absolute() && path.is_file()).then_some(path)
}
