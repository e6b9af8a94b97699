//! The Lambda function `build-manifest`.

fn main() -> Result<(), platform::start::Error> {
    platform::start::run(build_manifest::deps, &build_manifest::handle)
}
