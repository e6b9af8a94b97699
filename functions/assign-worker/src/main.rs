//! The Lambda function `assign-worker`.

fn main() -> Result<(), lambda::start::Error> {
    lambda::start::run(assign_worker::deps, &assign_worker::handle)
}
