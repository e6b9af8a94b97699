//! The Lambda function `start-job`.

fn main() -> Result<(), lambda::start::Error> {
    lambda::start::run(start_job::deps, &start_job::handle)
}
