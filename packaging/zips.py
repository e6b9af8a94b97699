"""Puts each function's binary into a zip of its own, the same bytes for the same binary: one name, one time, one mode."""

import hashlib
import sys
import zipfile
from pathlib import Path

# The earliest time a zip can hold; the real one would differ with every build.
TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3
EXECUTABLE_FILE = 0o100755


def pack(binary, into):
    entry = zipfile.ZipInfo("bootstrap", date_time=TIME)
    entry.create_system = UNIX
    entry.external_attr = EXECUTABLE_FILE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr(entry, binary.read_bytes(), compresslevel=9)


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
