//! The Lambda function `assign-worker`.

fn main() -> Result<(), platform::start::Error> {
    platform::start::run(assign_worker::deps, &assign_worker::handle)
}
