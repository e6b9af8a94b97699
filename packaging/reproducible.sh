# Sourced in the repository's root: what makes a release build the same bytes wherever things lie.

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
cargo_home=$(realpath -m "${CARGO_HOME:-$HOME/.cargo}")
export CARGO_TARGET_DIR=$target

# Panics name the file they come from; for a dependency that is a path in Cargo's home, for code its build script wrote
# one in the target folder. Our own files are named from the repository's root anyway. The separator is the one Cargo
# splits by: a folder's name may hold a space.
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f%s' \
  "--remap-path-prefix=$cargo_home=/cargo" "--remap-path-prefix=$target=/target")
export CARGO_ENCODED_RUSTFLAGS
# The C and assembly parts of the cryptography, for the same reason.
export CFLAGS="${CFLAGS:-} -ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$target=/target -g0"
