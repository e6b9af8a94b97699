//! The command as a user runs it, mostly against the whole stack on this machine.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod adopt;
mod aws_stack;
mod check;
mod check_stack;
mod command;
mod console_stack;
mod console_teams;
mod private_files;
mod team_files;
