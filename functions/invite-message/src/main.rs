//! The Lambda function `invite-message`.

fn main() -> Result<(), platform::start::Error> {
    platform::start::run(invite_message::deps, &invite_message::handle)
}
