"""The rows of the Bayesian table, with their rules, for the cases on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simtrial.search.bayesian.bop2_rule import bop2
from simtrial.search.bayesian.lee_liu_rule import lee_liu
from simtrial.search.bayesian.posterior import BetaPrior, parse_prior, usual_prior
from simtrial.search.bayesian.thall_simon import RateComparison
from simtrial.validation.cases import reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design


class RuleRow(NamedTuple):
    """A row of the table with its rule.

    Attributes
    ----------
    what : str
        The rule with its parameters.
    row : dict
        As in the table.
    prior : BetaPrior
        Of the response rate.
    looks_at : tuple of int
        All looks of the rule.
    """

    what: str
    row: dict[str, Any]
    prior: BetaPrior
    looks_at: tuple[int, ...]

    @property
    def rates(self) -> tuple[float, float]:
        """p0 and p1."""
        return self.row["p0"], self.row["p1"]

    @property
    def final(self) -> int:
        """The last bound in the table."""
        return int(self.row["looks"].rsplit(",", 1)[-1].partition("/")[0])

    def design(self) -> Design:
        """The bounds that the package gives."""
        row, p0 = self.row, self.row["p0"]
        if row["family"] == "lee-liu":
            return lee_liu(self.looks_at, p0, self.prior, row["theta_l"], row["theta_t"], row["theta_u"])
        return bop2(self.looks_at, p0, row["lam"], row["gam"])


def rules() -> Iterator[RuleRow]:
    """Lee and Liu's rule and that of BOP2, each with its parameters."""
    table = reference("families/bayesian")
    for row in table[table.family == "lee-liu"].to_dict("records"):
        last = int(row["N"])
        looks_at = (*range(int(row["first_look"]), last, int(row["step"])), last)
        thetas = ", ".join(f"{row[name]:g}" for name in ("theta_l", "theta_t", "theta_u"))
        what = f"Lee-Liu, p0 {row['p0']:g}, {row['prior']}, {looks_at[0]} to {last} by {row['step']:g}, thetas {thetas}"
        yield RuleRow(what, row, prior_of(row["prior"]), looks_at)
    for row in table[table.family == "bop2"].to_dict("records"):
        looks_at = tuple(int(n) for n in row["look_n"].split())
        what = f"BOP2, p0 {row['p0']:g}, looks at {row['look_n']}, lambda {row['lam']:g}, gamma {row['gam']:g}"
        yield RuleRow(what, row, usual_prior(row["p0"]), looks_at)


def prior_of(text: str) -> BetaPrior:
    """The prior that the table writes ``Beta(a,b)``."""
    return parse_prior(text.removeprefix("Beta(").removesuffix(")"))


def compared_rates() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Bounds of Thall and Simon at every patient, as the table writes them."""
    table = reference("families/bayesian")
    for row in table[table.family == "thall-simon"].to_dict("records"):
        superior = row["kind"] == "superiority"
        rates = RateComparison(
            new=prior_of(row["prior_e"]), standard=prior_of(row["prior_s"]), delta=float(row["delta"])
        )
        found = (rates.promising_from if superior else rates.futile_to)(int(row["N"]), row["theta"])
        what = f"Thall-Simon, {row['kind']}, theta {row['theta']:g}, delta {row['delta']:g}, {row['prior_e']}"
        yield f"{what} v {row['prior_s']}", row, " ".join("-" if one is None else f"{one}" for one in found)
