//! The Lambda function `start-job`.

fn main() -> Result<(), platform::start::Error> {
    platform::start::run(start_job::deps, &start_job::handle)
}
