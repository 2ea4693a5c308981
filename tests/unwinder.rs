//! What unwinds the stack is part of the program where the C compiler has it as a library of its own: see `src/build/`.

use std::path::Path;
use std::process::Command;

#[test]
fn no_library_is_loaded_to_unwind_and_panics_are_caught_all_the_same() {
    let caught = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new("asked for")));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"asked for"));
    let asked = Command::new("cc")
        .arg("-print-file-name=libgcc_eh.a")
        .output();
    let has_it = asked.is_ok_and(|asked| {
        let path = String::from_utf8_lossy(&asked.stdout).trim_end().to_owned();
        Path::new(&path).is_absolute() && Path::new(&path).is_file()
    });
    if !has_it || !cfg!(all(target_os = "linux", target_env = "gnu")) {
        eprintln!("skipped: the C compiler here has no such library");
        return;
    }
    // The names of the libraries that a program loads stand in it.
    let program = std::fs::read(env!("CARGO_BIN_EXE_folio")).unwrap();
    let names = |name: &[u8]| program.windows(name.len()).any(|part| part == name);
    assert!(names(b"libc.so.6"));
    assert!(!names(b"libgcc_s.so"));
}
