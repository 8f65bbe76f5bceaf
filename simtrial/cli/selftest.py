"""The self-test of two seconds: a published design, an exact fraction, and a simulation beside its exact value."""

from __future__ import annotations

import time
from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING

from simtrial import csv_files, files, project
from simtrial.cli.surroundings import REINSTALL, Finding
from simtrial.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P0, P1, ALPHA, BETA = "0.1", "0.3", "0.05", "0.2"
"""The question of the published designs that are looked up."""

TRIALS = 2000
LARGEST = 5.0
"""Standard errors between a simulated mean and its exact value: more happens once in 1.7 million seeds."""

ERROR = 1e-12
"""Largest relative error of a double beside its fraction; sums of some dozen terms have ten times less."""

MOST_BYTES = 1_048_576


def all_results() -> Iterator[Finding]:
    """Every result of the self-test; one that cannot be computed is a failure as well."""
    for name, test in (("published designs", _published), ("exact fraction", _fraction), ("simulation", _simulated)):
        yield _run(name, test)


def _run(name: str, test: Callable[[], tuple[bool, str]]) -> Finding:
    began = time.monotonic()
    try:
        agrees, said = test()
    except (InputError, ArithmeticError, ImportError, LookupError, TypeError, ValueError, OSError) as error:
        agrees, said = False, f"not computed ({type(error).__name__}: {error})"
    said += f" ({time.monotonic() - began:.1f} s)"
    remedy = f"{REINSTALL}; simtrial validate shows every result beside its reference"
    return Finding(f"self-test: {name}", "ok" if agrees else "failed", said, "" if agrees else remedy)


def _published() -> tuple[bool, str]:
    """Simon's optimal and minimax designs, searched for again."""
    from simtrial import search
    from simtrial.design.designs import looks_text
    from simtrial.design.requirements import Requirements

    table = project.folder("tests/reference") / "simon1989_table1.csv"
    head, *cells = csv_files.read(files.read(table, MOST_BYTES).data.decode("utf-8"))
    rows = [dict(zip(head, row, strict=True)) for row in cells]
    table2 = table.with_name("simon1989_table2.csv")
    head, *cells = csv_files.read(files.read(table2, MOST_BYTES).data.decode("utf-8"))
    rows += [dict(zip(head, row, strict=True)) for row in cells]
    asked = Requirements(float(P0), float(P1), float(ALPHA), 1 - float(BETA))
    agree, told = True, []
    for criterion in ("optimal", "minimax"):
        row = next(one for one in rows if (one["criterion"], *_question(one)) == (criterion, *_question(None)))
        published = f"{row['r1']}/{row['n1']}, {row['r']}/{row['n']}"
        found = looks_text(search.choose(asked, criterion), ", ")
        agree &= found == published
        told.append(f"{criterion} {found}" + ("" if found == published else f", published {published}"))
    return agree, f"{'; '.join(told)} for p0 {P0}, p1 {P1} ({row['source'].partition(', Table')[0]})"


def _question(row: dict[str, str] | None) -> tuple[float, ...]:
    asked = (P0, P1, ALPHA, BETA) if row is None else (row["p0"], row["p1"], row["alpha"], row["beta"])
    return tuple(map(float, asked))


def _fraction() -> tuple[bool, str]:
    """P(reject H0) of 1/10, 5/29 at p0 = 1/10, by the program and as a sum of fractions."""
    from simtrial.design.designs import parse_looks
    from simtrial.design.exact import operating_characteristics

    def law(x: int, n: int) -> Fraction:
        return comb(n, x) * Fraction(1, 10) ** x * Fraction(9, 10) ** (n - x)

    exact = sum((law(x, 10) * law(y, 19) for x in range(2, 11) for y in range(20) if x + y > 5), Fraction(0))
    found = float(operating_characteristics(parse_looks("1/10,5/29"), [0.1]).reject[0])
    apart = abs(found / float(exact) - 1)
    return apart <= ERROR, f"type I error of 1/10, 5/29 is {found:.6f}, {apart:.0e} from its fraction"


def _simulated() -> tuple[bool, str]:
    """The small trial of the tests, simulated beside its exact law."""
    from simtrial.conduct import simulation
    from simtrial.trial import params
    from simtrial.trial.case import Case

    trial = params.load(project.folder("params") / "smoke.yaml")
    plan = Case.of(trial).plan
    assert plan is not None  # the file has the section conduct
    done = simulation.simulate(plan, trial.scenarios, TRIALS, 1)
    apart = [
        abs(one.value - one.exact) / one.mcse
        for result in done.results
        for one in (result["reject"], result["n_enrolled"])
        if one.value is not None and one.exact is not None and one.mcse
    ]
    power = done["p1"]["reject"]
    said = f"power {power.value:.3f} in {TRIALS:,} trials, exactly {power.exact:.4f}; {max(apart):.1f} standard errors"
    return len(apart) == 2 * len(done.results) and max(apart) < LARGEST, f"{said} at most in {len(apart)} means"
