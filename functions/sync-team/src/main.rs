//! The Lambda function `sync-team`.

fn main() -> Result<(), lambda::start::Error> {
    lambda::start::run(sync_team::deps, &sync_team::handle)
}
