"""A campaign of faults against the program: hostile inputs, kills, damage, a full disk, interrupts.

    python tests/faults/campaign.py [--minutes M] [--seed S] [--only KIND [--case CASE]]

Random moments and damages come from the seed, so that the same one tries the same again. The numbers of tries are
those that two idle cores do in about M minutes. The exit code is 1 if one did not end as it should.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import damage
import disk
import figures
import hostile
import interrupts
import kills
import processes
import sweeping

KINDS = {
    "hostile": "hostile inputs, refused in one line or taken as plain text",
    "apart": "some of them as processes of their own",
    "kills": "sweeps killed and continued: the same digest, nothing lost, nothing computed twice",
    "damage": "sweeps damaged on disk: the same digest in the end, or refused in one line",
    "interrupts": "commands interrupted by Ctrl-C: one line, in time, nothing left running",
    "disk": "sweeps and records on a full disk: one line that names the place, then continued",
    "reports": "reports killed, damaged or on a full disk: the older one or a whole one, nothing left behind",
}
"""Kinds of faults, and what is tried."""

A_MINUTE = {"apart": 2, "kills": 2, "damage": 3, "interrupts": 6.5, "disk": 2, "reports": 1}
"""Tries that two idle cores do in a minute, all kinds together; the hostile inputs are tried once in any case."""


def main():
    """Try all kinds, print the figures."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument(
        "--minutes", type=float, default=2.0, help="about how long all but the hostile inputs take on two idle cores"
    )
    asked.add_argument("--seed", type=int, default=1, help="of random moments and damages")
    asked.add_argument("--only", choices=KINDS, help="one kind alone")
    asked.add_argument("--case", help="one case of that kind alone, as a failure names it")
    given = asked.parse_args()
    print(
        f"Faults with seed {given.seed}: hostile inputs, then about {given.minutes:g} minutes of others ...", flush=True
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an end that is asked for leaves nothing running
    began = time.monotonic()
    every = {kind: figures.Figure(kind, what) for kind, what in KINDS.items()}
    try:
        with tempfile.TemporaryDirectory(prefix="simtrial-faults-") as name:
            _campaign(given, every, Path(name))
    except KeyboardInterrupt:
        print("broken off")
        return 1
    found = [one for one in every.values() if one.tried]
    print(figures.table(found))
    print(f"{time.monotonic() - began:.0f} s")
    for line in figures.repeats(found, given.seed, given.minutes):
        print(line)
    return int(any(one.failed for one in found) or not found)


def numbers(minutes):
    """How many tries of each kind there are."""
    return {kind: round(number * minutes) for kind, number in A_MINUTE.items()}


def _campaign(given, every, folder):
    """Try what is asked for."""
    many = numbers(given.minutes)
    if given.only in (None, "hostile", "apart"):
        draw = random.Random(f"{given.seed} apart")
        number = many["apart"] if given.only != "hostile" else 0
        hostile.campaign(every["hostile"], every["apart"], only=given.case, number=number, draw=draw)
        print(f"  {every['hostile'].good} of {every['hostile'].tried} hostile inputs as expected", flush=True)
    kinds = [kind for kind in ("reports", "kills", "interrupts", "disk", "damage") if given.only in (None, kind)]
    cases = [(kind, k) for kind in kinds for k in range(many[kind])]
    if given.case and given.only in kinds:
        cases = [(given.only, int(given.case))]
    if not cases:
        return
    with processes.pool() as pool:
        ready = pool.submit(prepared, folder, reports="reports" in kinds).result()
        timed = [one for one in cases if one[0] == "interrupts"]  # with nothing else at work
        for some in ([one for one in cases if one not in timed], timed):
            asked = [pool.submit(tried, ready, kind, k, given.seed) for kind, k in some]
            for (kind, k), done in zip(some, asked, strict=True):
                every[kind].add(str(k), *done.result())
                if k == many[kind] - 1:
                    print(f"  {every[kind].good} of {every[kind].tried} {kind} as expected", flush=True)


def prepared(folder, *, reports):
    """What is disturbed, as it is where nothing disturbs it."""
    whole, in_parts = (sweeping.calm(folder, trials) for trials in (sweeping.WHOLE, sweeping.IN_PARTS))
    return whole, in_parts, kills.first(folder) if reports else None


def tried(ready, kind, k, seed):
    """One try of a kind, the same whenever its number and the seed are: what was wrong, and the seconds."""
    draw = random.Random(f"{seed} {kind} {k}")
    whole, in_parts, made = ready
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="simtrial-faults-") as name:
        folder = Path(name)
        if kind == "interrupts":
            return interrupts.one(interrupts.WAYS[k % len(interrupts.WAYS)], folder, draw)
        wrong = {
            "kills": lambda: kills.sweep((whole, in_parts)[k % 2], folder, draw),
            "damage": lambda: damage.sweep(whole, in_parts, folder, draw),
            "disk": lambda: _on_disk(k, whole, folder, draw),
            "reports": lambda: _report(k, made, folder, draw),
        }[kind]()
    return wrong, time.monotonic() - began


def _on_disk(k, calm, folder, draw):
    if k % 3 == 0 and disk.mounts():
        return disk.small_disk(calm, folder, draw)
    return disk.record(folder, draw) if k % 3 == 1 else disk.small_files(calm, folder, draw)


def _report(k, made, folder, draw):
    if k % 3 == 0:
        return kills.report(folder, draw, made)
    return damage.manifest_of_report(made, folder, draw) if k % 3 == 1 else disk.report(folder, draw)


if __name__ == "__main__":
    sys.exit(main())
