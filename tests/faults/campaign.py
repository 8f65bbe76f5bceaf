"""A campaign of faults against the program: hostile inputs, kills, damage, a full disk, interrupts.

    python tests/faults/campaign.py [--minutes M] [--seed S] [--only KIND [--case CASE]]

Random moments and damages come from the seed, so that the same one tries the same again. The numbers of tries are
those that two idle cores do in about M minutes. The exit code is 1 if one did not end as it should.
"""

import argparse
import random
import sys
import time

import figures
import hostile

KINDS = {
    "hostile": "hostile inputs, refused in one line or taken as plain text",
    "apart": "some of them as processes of their own",
}
"""Kinds of faults, and what is tried."""


def main():
    """Try all kinds, print the figures."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--minutes", type=float, default=2.0, help="about how long it may take on two idle cores")
    asked.add_argument("--seed", type=int, default=1, help="of random moments and damages")
    asked.add_argument("--only", choices=KINDS, help="one kind alone")
    asked.add_argument("--case", help="one case of that kind alone, as a failure names it")
    given = asked.parse_args()
    print(f"Faults with seed {given.seed}, about {given.minutes:g} minutes on two idle cores ...", flush=True)
    began = time.monotonic()
    found = [one for one in tried(given) if one.tried]
    print(figures.table(found))
    print(f"{time.monotonic() - began:.0f} s")
    for line in figures.repeats(found, given.seed, given.minutes):
        print(line)
    return int(any(one.failed for one in found) or not found)


def tried(given):
    """The figures of every kind that is asked for."""
    every = {kind: figures.Figure(kind, what) for kind, what in KINDS.items()}
    if given.only in (None, "hostile", "apart"):
        number = round(8 * given.minutes)
        draw = random.Random(f"{given.seed} apart")
        hostile.campaign(every["hostile"], every["apart"], only=given.case, number=number, draw=draw)
    return every.values()


if __name__ == "__main__":
    sys.exit(main())
