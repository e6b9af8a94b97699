//! The Lambda function `notify`.

fn main() -> Result<(), lambda::start::Error> {
    lambda::start::run(notify::deps, &notify::handle)
}
