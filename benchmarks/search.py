"""How fast the exact engines are, beside R clinfun's compiled ph2simon in the same run where it is installed.

What is timed is the computing itself: the public functions keep their last answers, and would be asked the same again.

    make bench                      or: .venv/bin/python benchmarks/search.py [--quick]

The classes are in the style of airspeed velocity: `params`, `setup` and methods named `time_...`, which hold what is
timed and nothing else. Run as a program, this file times each in turn; each figure is the least of several repetitions,
in one process, after import. These machines are shared, so compare the ratios, not the milliseconds. R finds clinfun by
its own rules (R_LIBS). The third setting takes R about a minute; --quick leaves it out.
"""

import shutil
import subprocess
import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from simtrial import Requirements, looks_text, parse_looks, search
from simtrial.design import binomial, exact
from simtrial.design.requirements import N_LIMIT
from simtrial.laws import recalculated
from simtrial.laws.evaluable import Evaluable
from simtrial.laws.losses import AMONG, AsRun
from simtrial.plan.dropout import Dropout
from simtrial.search import bounds, efficacy, simon, single
from simtrial.search.two_looks import looks as two_looks

Limits = tuple[float, float, float, float]


class TwoStageSearch:
    """The complete search: minimax, optimal, admissible, certificate."""

    params = ((0.1, 0.3, 0.05, 0.8), (0.3, 0.4, 0.05, 0.9), (0.5, 0.55, 0.05, 0.9))
    repetitions = (200, 20, 5)

    def setup(self, limits: Limits) -> None:
        """Build the question."""
        self.asked = Requirements(*limits)

    def time_two_stage(self, _: Limits) -> None:
        """Search."""
        simon._two_stage(self.asked)


class SingleStageSearch:
    """First and sustained n."""

    params = ((0.1, 0.3, 0.05, 0.8), (0.5, 0.55, 0.05, 0.9))
    repetitions = (50, 20)

    def setup(self, limits: Limits) -> None:
        """Build the question."""
        self.asked = Requirements(*limits)

    def time_single_stage(self, _: Limits) -> None:
        """Search."""
        single._single_stage(self.asked, bounds.chernoff_n(self.asked))


class RecalculatedSearch:
    """Single and two stages as run, with 10% dropout and bounds recalculated at the numbers evaluable."""

    params = ((0.1, 0.3, 0.05, 0.8), (0.2, 0.4, 0.05, 0.8), (0.3, 0.5, 0.05, 0.8))
    repetitions = (20, 10, 5)

    def setup(self, limits: Limits) -> None:
        """Build the question."""
        self.asked, self.loss = Requirements(*limits), Dropout(0.1)

    def time_recalculated(self, _: Limits) -> None:
        """Search."""
        n_lower = recalculated._n_lower(Evaluable.of(self.asked, self.loss), N_LIMIT)
        recalculated._single_stage.__wrapped__(self.asked, self.loss)
        recalculated._two_stage.__wrapped__(self.asked, self.loss, n_lower)


class EfficacySearch:
    """Two stages with an efficacy stop: six criteria, certificates included."""

    params = ((0.1, 0.3, 0.05, 0.9), (0.3, 0.5, 0.05, 0.9), (0.4, 0.6, 0.05, 0.9))
    repetitions = (30, 10, 10)

    def setup(self, limits: Limits) -> None:
        """Build the question."""
        self.asked = Requirements(*limits)

    def time_six_criteria(self, _: Limits) -> None:
        """Search, and pick by each criterion."""
        found = two_looks.TwoLooksSearch(self.asked, search.FREE, efficacy.TOGETHER)
        for aim in efficacy.TOGETHER:
            found.result(aim)


class PlainEfficacy:
    """The same designs by loops over n1, r and e1 up to the certificate's n_upper: what the search is compared with."""

    params = EfficacySearch.params[:1]
    repetitions = (1,)

    def setup(self, limits: Limits) -> None:
        """Make the tables, which are not timed."""
        self.asked = Requirements(*limits)
        self.last = efficacy.search(self.asked).result(efficacy.TOGETHER[0]).certificate.n_upper
        rates = (self.asked.p0, self.asked.p1)
        self.pmf = [[binomial.binomial_pmf(n, p) for n in range(self.last + 1)] for p in rates]
        self.tail = [[np.append(np.cumsum(pmf[::-1])[::-1], 0.0) for pmf in row] for row in self.pmf]

    def time_loops(self, _: Limits) -> None:
        """Every r1 and e1 at once for each n, n1 and r: C(e1) - C(r1 + 1) + P(X1 >= e1) with cumulative sums C."""
        self.least = np.inf
        for n in range(2, self.last + 1):
            for n1 in range(1, n):
                for r in range(1, n):
                    self._pick(n1, r, n)

    def _pick(self, n1: int, r: int, n: int) -> None:
        later = np.maximum(r - np.arange(n1 + 1) + 1, 0)
        reject = []
        for pmf, tail in zip(self.pmf, self.tail, strict=True):
            beyond = np.append(tail[n - n1], np.zeros(max(r + 1 - (n - n1), 0)))[later]
            sums = np.append(0.0, np.cumsum(pmf[n1] * beyond))
            reject.append(sums + tail[n1] - sums[:, np.newaxis])
        k, e = np.meshgrid(np.arange(n1 + 2), np.arange(n1 + 2), indexing="ij")
        fits = (k >= 1) & (k <= r) & (e > k) & (e <= min(r, n1) + 1)
        fits &= (reject[0] <= self.asked.alpha) & (reject[1] >= self.asked.power)
        if fits.any():
            en = n1 + (n - n1) * (self.tail[0][n1][k[fits]] - self.tail[0][n1][e[fits]])
            self.least = min(self.least, float(en.min()))


class OperatingCharacteristics:
    """A two-stage design at 1,001 values of p."""

    params = ("1/10,5/29", "40/120,110/300")
    repetitions = (50, 50)

    def setup(self, looks: str) -> None:
        """Build the design."""
        self.design, self.p = parse_looks(looks), np.linspace(0, 1, 1001)

    def time_operating_characteristics(self, _: str) -> None:
        """Evaluate."""
        exact._operating_characteristics(self.design.looks, (self.p.shape, self.p.tobytes()))


def least_ms(benchmark: type, number: int) -> float:
    """Least time of one call, in milliseconds, for the parameter of that number."""
    case, parameter = benchmark(), benchmark.params[number]
    case.setup(parameter)
    timed = next(getattr(case, name) for name in dir(case) if name.startswith("time_"))
    timed(parameter)
    times = []
    for _ in range(benchmark.repetitions[number]):
        began = time.perf_counter()
        timed(parameter)
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


UNDER_DROPOUT = ((0.1, 0.3, 0.05, 0.8), (0.15, 0.35, 0.05, 0.8), (0.2, 0.4, 0.05, 0.9), (0.3, 0.5, 0.05, 0.8))
"""Questions searched with patients counted as non-responders: the rates move together, and n grows."""


def both_on_paper_ms(limits: Limits) -> float:
    """Least time of the two searches on paper, in milliseconds."""
    total = 0.0
    for benchmark in (TwoStageSearch, SingleStageSearch):
        asked = type(benchmark.__name__, (benchmark,), {"params": (limits,), "repetitions": (20,)})
        total += least_ms(asked, 0)
    return total


def in_r(program: str) -> str | None:
    """What R prints, with clinfun loaded; None without R or clinfun."""
    if shutil.which("Rscript") is None:
        return None
    done = subprocess.run(
        ["Rscript", "-e", f"suppressMessages(library(clinfun)); {program}"], capture_output=True, text=True
    )
    return done.stdout.strip() if done.returncode == 0 else None


def clinfun_ms(limits: Limits, n_max: int, repetitions: int) -> float | None:
    """Least time of ph2simon, measured inside R after loading."""
    p0, p1, alpha, power = limits
    printed = in_r(f"""best <- Inf
        for (i in 1:{repetitions}) {{
          began <- as.numeric(Sys.time()); found <- ph2simon({p0}, {p1}, {alpha}, {1 - power:.10g}, {n_max})
          best <- min(best, as.numeric(Sys.time()) - began)
        }}
        cat(best * 1000)""")
    return None if printed is None else float(printed)


def main() -> None:
    """Print the tables."""
    table = Table(title="Complete two-stage search (clinfun: up to its nmax; simtrial: no limit on n)")
    for head in ("p0, p1, alpha, power", "optimal", "simtrial, ms", "clinfun, ms", "clinfun / simtrial"):
        table.add_column(head, justify="right")
    for k, (n_max, repetitions) in enumerate(((100, 9), (300, 3), (1000, 1))[: 2 if "--quick" in sys.argv else 3]):
        limits = TwoStageSearch.params[k]
        here, there = least_ms(TwoStageSearch, k), clinfun_ms(limits, n_max, repetitions)
        table.add_row(
            str(limits)[1:-1],
            looks_text(search.two_stage(Requirements(*limits)).optimal, " "),
            f"{here:.2f}",
            "not installed" if there is None else f"{there:.1f}",
            "" if there is None else f"{there / here:.1f}",
        )
    console = Console(width=120)
    console.print(table)
    other = Table(title="Other exact work, ms")
    other.add_column("what")
    other.add_column("ms", justify="right")
    for benchmark in (OperatingCharacteristics, SingleStageSearch):
        for k, parameter in enumerate(benchmark.params):
            other.add_row(f"{benchmark.__doc__} {parameter}", f"{least_ms(benchmark, k):.2f}")
    console.print(other)
    for limits in UNDER_DROPOUT:
        paper, ratios = both_on_paper_ms(limits), []
        for among in AMONG:
            asked = AsRun(loss=Dropout(0.1), handling="nonresponder", among=among).asked(Requirements(*limits))
            as_run = both_on_paper_ms((asked.p0, asked.p1, asked.alpha, asked.power))
            ratios.append(f"{as_run / paper:.2f} (p0 among the {among})")
        print(f"10% dropout as non-responders {limits}: times the searches on paper {', '.join(ratios)}")
    for k, limits in enumerate(RecalculatedSearch.params):
        here, paper = least_ms(RecalculatedSearch, k), both_on_paper_ms(limits)
        print(f"{RecalculatedSearch.__doc__} {limits}: {here:.0f} ms, {here / paper:.0f} times those on paper")
    for k, limits in enumerate(EfficacySearch.params):
        print(f"{EfficacySearch.__doc__} {limits}: {least_ms(EfficacySearch, k):.1f} ms")
    here, plain = least_ms(EfficacySearch, 0), least_ms(PlainEfficacy, 0)
    print(f"{PlainEfficacy.__doc__} {PlainEfficacy.params[0]}: {plain:.0f} ms, {plain / here:.0f} times the search")
    best = search.two_stage(Requirements(0.3, 0.45, 0.05, 0.9)).optimal
    print(in_r("print(ph2simon(.3, .45, .05, .1))") or "clinfun is not installed")
    print(f"\nsimtrial, no limit on n: {looks_text(best, ' ')}, EN(p0) {best.en_p0:.2f}")


if __name__ == "__main__":
    main()
