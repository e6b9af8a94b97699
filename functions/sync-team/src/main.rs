//! The Lambda function `sync-team`.

fn main() -> Result<(), platform::start::Error> {
    platform::start::run(sync_team::deps, &sync_team::handle)
}
