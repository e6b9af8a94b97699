//! The Lambda function `build-manifest`.

fn main() -> Result<(), lambda::start::Error> {
    lambda::start::run(build_manifest::deps, &build_manifest::handle)
}
