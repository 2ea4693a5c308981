//! The `folio` command: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    folio::cli::main()
}
