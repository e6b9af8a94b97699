//! The Lambda function `notify`.

fn main() -> Result<(), platform::start::Error> {
    platform::start::run(notify::deps, &notify::handle)
}
