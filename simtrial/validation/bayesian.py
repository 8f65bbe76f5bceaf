"""Validation cases for Bayesian rules and their searches; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simtrial import search
from simtrial.design import exact
from simtrial.design.designs import looks_text, parse_looks
from simtrial.design.requirements import Requirements
from simtrial.search.bayesian.bop2_search import Bop2Search
from simtrial.search.bayesian.lee_liu_rule import final_bound
from simtrial.search.bayesian.predictive import Predictive
from simtrial.search.constraints import Constraints
from simtrial.validation.bayesian_rows import RuleRow, compared_rates, prior_of, rules
from simtrial.validation.cases import Comparison, case_of, reference, same_digits, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    Rows = Iterator[tuple[str, str, str, bool]]

DIGITS = 1e-9
"""Relative difference allowed: the table has ten significant digits."""


def _shown(looks: str) -> str:
    """A list of looks, of a long one its ends."""
    parts = looks.split(",")
    return ", ".join(parts if len(parts) <= 4 else [*parts[:2], "...", parts[-1]])


def _same(found: float, printed: float) -> bool:
    return abs(found - printed) <= DIGITS * abs(printed)


def bounds() -> Comparison:
    """Bounds, exact errors and predictive probabilities of the table."""

    def rows() -> Rows:
        for rule in rules():
            yield _as_printed(rule)
        table = reference("families/bayesian")
        for row in table[table.family == "predictive probability"].to_dict("records"):
            n, x, last = (int(row[name]) for name in ("n", "x", "N"))
            r = final_bound(prior_of(row["prior"]), row["p0"], last, row["theta_t"])
            found = float(Predictive(prior_of(row["prior"]), (n,), last, r).success[0, x])
            agrees = r == row["final_r"] and _same(found, row["pp"])
            yield f"P(X > {r:g} of {last} | {x} of {n}), {row['prior']}", f"{row['pp']:.10g}", f"{found:.10g}", agrees
        for what, row, got in compared_rates():
            yield what, row["bounds"], got, got == row["bounds"]

    source = "Lee and Liu 2008, tables 1 and 3; the settings of R ph2bayes; independent enumeration"
    return case_of("Bayesian bounds", source, rows())


def _as_printed(rule: RuleRow) -> tuple[str, str, str, bool]:
    """Bounds and errors of one rule beside those of the table."""
    row, design = rule.row, rule.design()
    oc = exact.operating_characteristics(design, rule.rates)
    found = [*oc.reject.tolist(), *oc.en.tolist()]
    printed = [row[name] for name in ("type_i_error", "reject_p1", "en_p0", "en_p1")]
    looks, expected = looks_text(design), row["looks"]
    ended = isinstance(row["corner"], str)  # the table continues where no count continues
    same = _begins_alike(looks, expected) if ended else looks == expected
    shown = [", ".join(f"{value:.5g}" for value in values) for values in (printed, found)]
    agrees = same and all(_same(a, b) for a, b in zip(found, printed, strict=True))
    return rule.what, f"{_shown(expected)}; {shown[0]}", f"{_shown(looks)}; {shown[1]}", agrees


def _begins_alike(looks: str, expected: str) -> bool:
    """Whether a design that ends early has the looks of a longer one up to its end."""
    mine, theirs = looks.split(","), expected.split(",")
    last = parse_looks(looks).looks[-1]
    return mine[:-1] == theirs[: len(mine) - 1] and theirs[len(mine) - 1] == f"{last.r}:{(last.r or 0) + 1}/{last.n}"


def searches() -> Comparison:
    """The designs that complete searches take, and the number of boundaries that there are."""

    def rows() -> Rows:
        table = reference("families/bayesian")
        for row in table[table.family == "lee-liu search"].to_dict("records"):
            asked = Requirements(*(row[name] for name in ("p0", "p1", "alpha", "power")))
            kind = "lee_liu_most_power" if "most power" in row["criterion"] else "lee_liu_least_en"
            prior = prior_of(row["prior"])
            constraints = Constraints(prior=(prior.a, prior.b), first_look=int(row["first_look"]))
            result = search.family(asked, kind, constraints)
            assert result.parameters is not None  # a design by a rule follows from some
            found, theta = result.best, result.parameters.ranges[0]
            ends = same_digits(theta.low, row["theta_l_above"], 9) and same_digits(theta.high, row["theta_l_to"], 9)
            agrees = looks_text(found) == row["looks"] and ends and result.certificate.how == "proved"
            agrees &= _same(found.en_p0, row["en_p0"]) and _same(found.power, row["reject_p1"])
            what = f"Lee-Liu, {row['criterion']}, {row['prior']}: {setting(asked)}"
            yield what, _found(row["looks"], row["en_p0"]), _found(looks_text(found), found.en_p0), agrees
        for row in table[table.family == "bop2 search"].to_dict("records"):
            yield _on_grid(row)

    return case_of("Bayesian searches", "complete enumeration of bounds and of the published grid", rows())


def _found(looks: str, en: float) -> str:
    return f"{_shown(looks)}; EN(p0) {en:.5f}"


def _on_grid(row: dict[str, Any]) -> tuple[str, str, str, bool]:
    """BOP2 on the published grid, and that no boundary off it has more power."""
    looks_at = tuple(int(n) for n in row["look_n"].split())
    asked = Requirements(row["p0"], row["p1"], row["alpha"], 0.5)
    found = Bop2Search(asked, looks_at, grid=True).result().best
    whole = Bop2Search(asked, looks_at).result().best
    boundaries = len(Bop2Search(asked, looks_at, grid=True).at_looks.grid().lower)
    agrees = looks_text(found) == row["looks"] and _same(found.power, row["reject_p1"])
    agrees &= whole.power >= found.power - 1e-12 and boundaries == row["distinct_boundaries"]
    what = f"BOP2, most power on the grid, looks at {row['look_n']}, p0 {row['p0']:g}, p1 {row['p1']:g}"
    what += f", alpha {row['alpha']:g}"
    expected = f"{_shown(row['looks'])}; power {row['reject_p1']:.6f}; boundaries: {row['distinct_boundaries']:g}"
    return what, expected, f"{_shown(looks_text(found))}; power {found.power:.6f}; boundaries: {boundaries}", agrees
