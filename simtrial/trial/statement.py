"""What a protocol, registry or paper says of its sample size: any subset of the numbers, as stated."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from simtrial.design.designs import Look, MultiStage, SingleStage, TwoStage, parse_looks
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError
from simtrial.numbers import count, positive, probability
from simtrial.phrases import counted
from simtrial.search import CRITERIA, FAMILIES, simon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.search import AnyCriterion

TWO_STAGES, ONE_STAGE, FLEMING = "two_stage", "single_stage", "fleming"
"""What is said of the method where no criterion is named: two stages, one stage, or Fleming's name."""

SIMON = (simon.MINIMAX.key, simon.OPTIMAL.key, simon.ADMISSIBLE)
"""What is said in print of a two-stage design by Simon."""


class Methods(Collection[str]):
    """What may be said of the method: that of Simon, two stages, one stage, Fleming; any other criterion there is."""

    def __iter__(self) -> Iterator[str]:
        yield from (*SIMON, TWO_STAGES, ONE_STAGE, FLEMING)
        yield from (key for key in CRITERIA if key not in SIMON)

    def __contains__(self, word: object) -> bool:
        return any(word == method for method in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def usual(self) -> tuple[str, ...]:
        """Those that everybody knows by name, without the criteria of families that are searched on request."""
        return tuple(word for word in self if word not in CRITERIA or not FAMILIES[CRITERIA[word].family].on_request)


METHODS = Methods()


@dataclass(frozen=True, slots=True)
class Statement:
    """A stated sample size. None is: not stated.

    Parameters
    ----------
    p0, p1, alpha, power : float, optional
        As stated.
    alpha_sided : int, optional
        1 or 2.
    criterion : str, optional
        The method, as far as it is named: one of `METHODS`.
    r1, n1, r, n : int, optional
        Stages, cumulative: stop if X1 <= r1 of n1, reject H0 if X > r of n.
    total : int, optional
        Patients to be enrolled, dropout allowed for.
    dropout : float, optional
        Dropout allowed for.
    type_i_error, attained_power, en_p0, pet_p0 : float, optional
        Attained values, as printed.
    looks : tuple of Look, optional
        A rule with an efficacy bound or with more than two looks, whole, as `of_looks` reads it; r and n are then those
        of its last look, and r1 and n1 are left out.

    Raises
    ------
    InputError
        If a number cannot be one of its kind, or numbers contradict each other.
    """

    p0: float | None = None
    p1: float | None = None
    alpha: float | None = None
    power: float | None = None
    _: KW_ONLY
    alpha_sided: int | None = None
    criterion: str | None = None
    r1: int | None = None
    n1: int | None = None
    r: int | None = None
    n: int | None = None
    total: int | None = None
    dropout: float | None = None
    type_i_error: float | None = None
    attained_power: float | None = None
    en_p0: float | None = None
    pet_p0: float | None = None
    looks: tuple[Look, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("p0", "p1", "alpha", "power"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, probability(value, name))
        for name in ("dropout", "type_i_error", "attained_power", "pet_p0"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, probability(value, name, closed=True))
        for name, least in (("r1", 0), ("n1", 1), ("r", 0), ("n", 1), ("total", 1)):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, count(value, name, at_least=least))
        if self.alpha_sided not in (None, 1, 2):
            raise InputError(f"({self.alpha_sided}) is neither 1 nor 2", "alpha_sided")
        if self.criterion is not None and self.criterion not in METHODS:
            known = ", ".join(METHODS.usual)
            keys = [key for key, one in CRITERIA.items() if one.short == self.criterion]
            if keys:
                raise InputError(f"({self.criterion}) needs its family; write {' or '.join(keys)}", "criterion")
            said = f"({self.criterion!r:.40}) is unknown; write one of {known}, or a criterion of a family"
            said += ", such as three_stage_optimal or efficacy_en_p0"
            raise InputError(said, "criterion")
        if self.en_p0 is not None:
            object.__setattr__(self, "en_p0", positive(self.en_p0, "en_p0"))
        if self.p0 is not None and self.p1 is not None and self.p0 >= self.p1:
            if self.p0 == self.p1:
                raise InputError(f"({self.p0:g}) equals p1", "p0")
            if self.r is not None or self.r1 is not None:
                raise InputError(
                    f"({self.p0:g}) is not below p1 ({self.p1:g}), although a rule is stated; state the "
                    "rule in terms of failures",
                    "p0",
                )
        one_stage = self.criterion == ONE_STAGE or (self.named is not None and self.named.looks == 1)
        if (one_stage or self.criterion == FLEMING) and self.n1 is not None:
            raise InputError(
                f"({self.criterion}) does not go with two looks without their bounds"
                + ("; state them as looks, such as 3:7/15,8/25" if self.criterion == FLEMING else ""),
                "criterion",
            )
        if self.looks is not None:
            if one_stage:
                raise InputError(f"({self.criterion}) does not go with {counted(len(self.looks), 'look')}", "criterion")
            last = MultiStage(self.looks).looks[-1]
            if (self.r, self.n, self.r1, self.n1) != (last.r, last.n, None, None):
                raise InputError(
                    "do not end with r and n, or r1 and n1 are given beside them; state the looks alone", "looks"
                )
        if self.dropout == 1:
            raise InputError("(1) is not below 1, so no patient would be evaluable", "dropout")

    @classmethod
    def of_looks(cls, looks: str, **stated: object) -> Statement:
        """A statement whose stages are written ``1/10,5/29``."""
        design = parse_looks(looks)
        if isinstance(design, SingleStage):
            return cls(r=design.r, n=design.n, **stated)  # type: ignore[arg-type]  # checked by the class
        if isinstance(design, MultiStage) or design.e1 is not None or stated.get("criterion") == FLEMING:
            last = design.looks[-1]
            return cls(r=last.r, n=last.n, looks=design.looks, **stated)  # type: ignore[arg-type]  # as above
        return cls(r1=design.r1, n1=design.n1, r=design.r, n=design.n, **stated)  # type: ignore[arg-type]  # as above

    @property
    def stages(self) -> int:
        """How many, as far as can be told; a bare n is taken for one stage."""
        if self.looks is not None:
            return len(self.looks)
        if self.n1 is not None or self.r1 is not None or self.criterion in (*SIMON, TWO_STAGES):
            return 2
        return self.named.looks or 2 if self.named is not None else 1

    @property
    def named(self) -> AnyCriterion | None:
        """The criterion of the register that is named; None if none is."""
        return None if self.criterion is None else CRITERIA.get(self.criterion)

    @property
    def design(self) -> SingleStage | TwoStage | MultiStage | None:
        """The stated rule, if it is whole and possible; else None."""
        if self.looks is not None:
            return MultiStage(self.looks)
        try:
            if self.stages == 1 and self.r is not None and self.n is not None:
                return SingleStage(self.r, self.n)
            if self.r1 is not None and self.n1 is not None and self.r is not None and self.n is not None:
                return TwoStage(self.r1, self.n1, self.r, self.n)
        except InputError:
            return None
        return None

    @property
    def requirements(self) -> Requirements | None:
        """The four numbers, alpha on one side; None if one is missing or they ask for nothing."""
        if self.p0 is None or self.p1 is None or self.alpha is None or self.power is None:
            return None
        try:
            return Requirements(self.p0, self.p1, self.alpha / (self.alpha_sided or 1), self.power)
        except InputError:
            return None

    @property
    def missing(self) -> tuple[str, ...]:
        """Which of p0, p1, alpha and power are not stated; and n, if no size is."""
        gone = [name for name in ("p0", "p1", "alpha", "power") if getattr(self, name) is None]
        if self.n is None and self.total is None and self.n1 is None:
            gone.append("n")
        return tuple(gone)
