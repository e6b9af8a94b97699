"""Runs the parts that are named, or all of them. Exits 1 at the first thing that is not as it should be."""

import sys

import against_moto
import figures
import journeys
from stack import Stack

PARTS = {"journeys": journeys.run, "moto": against_moto.run, "figures": figures.run}


def main(names):
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"{unknown[0]} is not one of: {', '.join(PARTS)}")
    for name in names or PARTS:
        print(f"\n=== {name}", flush=True)
        with Stack() as stack:
            PARTS[name](stack)


if __name__ == "__main__":
    main(sys.argv[1:])
