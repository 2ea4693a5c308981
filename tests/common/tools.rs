//! Programs that a machine may lack.

/// Whether the program is missing by which git makes and checks SSH signatures; says that the test is
/// skipped where it is.
pub fn lacks_ssh_keygen() -> bool {
    let there = std::process::Command::new("ssh-keygen").arg("-?").output();
    if there.is_err() {
        eprintln!("skipped: there is no ssh-keygen here, by which git makes and checks signatures");
    }
    there.is_err()
}
