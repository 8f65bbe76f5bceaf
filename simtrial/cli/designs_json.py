"""Designs as JSON: what `design` answers, whether its question comes from options or from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.cli.losses import Run
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import AnyFamily, Candidate, SingleStageSearch, TwoStageSearch
    from simtrial.search.formulas import Approximation
    from simtrial.search.parameters import RuleParameters
    from simtrial.search.record import Certificate


def on_paper(design: Design, asked: Requirements) -> Candidate:
    """A design with what it does if nobody is lost; the limits of its search may be those of the trial as it is run."""
    from simtrial.search import Candidate

    return design.on_paper(asked) if isinstance(design, Candidate) else Candidate(design, asked)


def of_search(
    asked: Requirements,
    single: SingleStageSearch,
    two: TwoStageSearch,
    rough: Sequence[Approximation],
    run: Run | None = None,
) -> dict[str, object]:
    """What the searches for one stage and for two found, with the certificate; of designs as run too where `run` is."""

    def figures(found: Candidate, keys: tuple[str, ...]) -> dict[str, object]:
        paper = on_paper(found, asked)
        return {key: getattr(paper, key) for key in keys} | ({} if run is None else run.json(found, asked))

    stage = ("r", "n", "type_i_error", "power")
    pair = ("r1", "n1", *stage, "pet_p0", "en_p0", "pet_p1", "en_p1", "q_low", "q_high")
    proof = ("n_lower", "n_upper", "n_minimax", "en_optimal", "en_beyond", "solved")
    return {
        "requirements": question(asked),
        "single_stage": {
            name: figures(found, stage) for name, found in (("first", single.first), ("sustained", single.sustained))
        },
        "two_stage": [{"kinds": list(c.kinds)} | figures(c, pair) for c in two.admissible],
        "approximations": [
            {key: getattr(a, key) for key in ("method", "n_raw", "n", "r", "type_i_error", "power")} for a in rough
        ],
        "certificate": {key: getattr(two.certificate, key) for key in proof}
        | {"n_single_stage_proven": single.n_proven},
    }


def of_family(family: AnyFamily, found: object, asked: Requirements, run: Run | None = None) -> dict[str, object]:
    """The designs of any other family, and the certificate of its search."""
    from simtrial.search.criteria import with_names

    attained = ("n", "type_i_error", "power", "en_p0", "en_p1", "pet_p0", "pet_p1")
    proof = family.certificate(found)
    return {
        "designs": [
            {"kinds": list(kinds), "looks": looks(design)}
            | {key: getattr(on_paper(design, asked), key) for key in attained}
            | ({} if run is None else run.json(design, asked))
            for kinds, design in with_names(family, found)
        ],
        "certificate": certificate(proof),
    }


def certificate(proof: Certificate | None) -> dict[str, object] | None:
    """A certificate, key by key; null where there is none."""
    if proof is None:
        return None
    return {key: getattr(proof, key) for key in ("n_lower", "n_upper", "value", "bound", "gap", "how", "cap")}


def parameters(found: RuleParameters | None) -> dict[str, object]:
    """The priors and the parameters of a rule that lead to a design; nothing where it follows from none."""
    if found is None:
        return {}
    corners = {"corners": [list(corner) for corner in found.corners]} if found.corners else {}
    return {
        "parameters": {
            "one": dict(found.one),
            "ranges": {one.name: [one.low, one.high] for one in found.ranges},
            **{name: list(prior) for name, prior in found.priors.items()},
            **corners,
        }
    }


def question(asked: Requirements) -> dict[str, float]:
    """The four numbers of a question."""
    return {"p0": asked.p0, "p1": asked.p1, "alpha": asked.alpha, "power": asked.power}


def looks(design: Design) -> list[dict[str, int | None]]:
    """The looks of a design, bounds that are absent as null."""
    return [{"n": look.n, "r": look.r, "e": look.e} for look in design.looks]
