#!/usr/bin/env python3
"""Makes the pictures of examples/pictures again: twelve PNGs of 96 by 96 pixels, each with one shape in one colour.

Every byte is computed here, so that the pictures belong to this repository alone. Needs Python alone.
"""

import pathlib
import struct
import zlib

SIDE = 96
PAPER = (250, 248, 242)
COLOURS = {"blue": (46, 96, 170), "green": (62, 140, 84), "red": (190, 64, 56), "yellow": (214, 164, 40)}
MIDDLE = (SIDE - 1) / 2


def circle(x, y):
    return (x - MIDDLE) ** 2 + (y - MIDDLE) ** 2 <= 34**2


def square(x, y):
    return abs(x - MIDDLE) <= 30 and abs(y - MIDDLE) <= 30


def triangle(x, y):
    return 16 <= y <= 78 and abs(x - MIDDLE) <= (y - 16) * 0.58


def png(pixel):
    """8-bit RGB, no filter: the signature, then the chunks IHDR, IDAT and IEND (PNG specification, 5)."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(SIDE)) for y in range(SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def main():
    folder = pathlib.Path(__file__).parent / "pictures"
    shapes = [circle, square, triangle]
    pictures = [(shape, colour) for colour in COLOURS for shape in shapes]
    for number, (inside, colour) in enumerate(pictures, start=1):
        # The name does not say what is in the picture.
        path = folder / f"picture-{number:02}.png"
        path.write_bytes(png(lambda x, y: COLOURS[colour] if inside(x, y) else PAPER))


if __name__ == "__main__":
    main()
