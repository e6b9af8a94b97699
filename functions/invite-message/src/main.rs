//! The Lambda function `invite-message`.

fn main() -> Result<(), lambda::start::Error> {
    lambda::start::run(invite_message::deps, &invite_message::handle)
}
