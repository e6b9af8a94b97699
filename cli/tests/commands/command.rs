//! Runs the command that was built with these tests.

use std::process::{Command, Output};

/// Without the environment of the person who runs the tests: no keys, no profile, no Region, no instance's role.
pub(crate) fn groundcrew(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groundcrew"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AWS_") || text.starts_with("GROUNDCREW_") || text == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    command
        .args(arguments)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

pub(crate) fn output_of(arguments: &[&str]) -> Output {
    groundcrew(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Whether the command succeeded, and what it printed.
pub(crate) async fn run(mut command: Command) -> (bool, String) {
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = run.await.unwrap();
    let text = stdout(&output) + &String::from_utf8(output.stderr).unwrap();
    (output.status.success(), text)
}
