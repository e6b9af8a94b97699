"""Puts each function's binary into a zip of its own, the same bytes for the same binary: one name, one time, one mode."""

import hashlib
import re
import sys
import zipfile
from pathlib import Path

# The earliest time a zip can hold; the real one would differ with every build.
TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3
EXECUTABLE_FILE = 0o100755


# provided.al2023 has glibc 2.34; a binary that was linked against a newer one would not start there.
GLIBC = (2, 34)


def pack(binary, into):
    content = binary.read_bytes()
    # A binary that is linked statically asks for none.
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", content)
    asked = max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))
    if asked > GLIBC:
        sys.exit(f"{binary} needs glibc {asked[0]}.{asked[1]}, and Lambda's provided.al2023 has {GLIBC[0]}.{GLIBC[1]}: "
                 "build it with cargo-lambda, or on a system that is no newer")
    entry = zipfile.ZipInfo("bootstrap", date_time=TIME)
    entry.create_system = UNIX
    entry.external_attr = EXECUTABLE_FILE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr(entry, content, compresslevel=9)


def main(release, packages, *functions):
    packages = Path(packages)
    packages.mkdir(parents=True, exist_ok=True)
    sums = []
    for function in functions:
        into = packages / f"{function}.zip"
        pack(Path(release) / function, into)
        digest = hashlib.sha256(into.read_bytes()).hexdigest()
        sums.append(f"{digest}  {into.name}\n")
        print(f"{function:<16} {into.stat().st_size / 1e6:>6.2f} MB  {digest}")
    (packages / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main(*sys.argv[1:])
