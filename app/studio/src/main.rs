//! The program `longtake`; see the library beside this file.

use std::process::ExitCode;

fn main() -> ExitCode {
    longtake::main()
}
