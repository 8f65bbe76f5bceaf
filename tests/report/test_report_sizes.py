"""A report for every size of trial: the notebooks of each, run in this process, for kernels take most of the time."""

import ast
import json
import re
from functools import cache

import pytest

from simtrial import InputError, looks_text, project, search
from simtrial.phrases import agreeing
from simtrial.report import run as report_run
from simtrial.review import routes
from simtrial.trial import params
from simtrial.trial.case import Case

pytestmark = pytest.mark.long

CONDUCT = {
    "enrollment": {"model": "constant", "rate": 12.0, "screening_success": 0.8},
    "assessments": {"readout_months": 2.0},
    "dropout": {"probability": 0.1, "handling": "nonresponder"},
    "interim": {"accrual": "hold"},
    "follow_up": {"months_after_last_patient": 6.0},
    "simulation": {"trials": 100, "seed": 1},
}
WHOLE = CONDUCT | {
    "assessments": {"interval_weeks": 6.0, "window_weeks": 24.0, "median_weeks_to_response": 6.0},
    "patients": {
        "dcr": {"rate": 0.7, "at_orr": 0.3},
        "pfs": {"median_months": 4.0, "hazard_ratio": 0.5},
        "os": {"median_months": 10.0, "hazard_ratio": 0.6},
        "toxicity": {"rate": 0.3, "limit": 0.45},
    },
    "interim": {"accrual": "continue", "extra_patients": 3, "decision_weeks": 2.0},
}


def trial(limits, design, conduct=None, enrollment=None):
    """A trial by its four numbers and its design."""
    p0, p1, alpha, power = limits
    study = {"id": "SIZE", "title": "A trial"} | ({"registered_enrollment": enrollment} if enrollment else {})
    numbers = {"p0": p0, "p1": p1, "alpha": alpha, "power": power, "basis": "assumed"}
    plain = {"study": study, "hypotheses": numbers, "design": design}
    return params.load(plain | ({"conduct": conduct} if conduct else {}))


REVIEW = "04_reproduce_sample_size"
ONLY = {"554 registered": (REVIEW,), "100000 registered": (REVIEW,)}
"""All that depends on the registered number."""

WITHOUT_REVIEW = ("2", "3 looks with efficacy", "single stage without interim")
"""Sizes that other cases trace back as well, for the sake of time."""

OWN_LIMITS = ("708",)
"""Sizes traced back to questions with alpha and power of the trial alone: other cases are traced to all usual ones,
and here the size is what is new.
"""

TEXTBOOK = (0.1, 0.3, 0.05, 0.8)
STOPPING = {
    "rule": "pocock",
    "acceptable_rate": 0.2,
    "unacceptable_rate": 0.4,
    "crossing_probability": 0.1,
    "window_weeks": 6.0,
}
CASES = {
    # with the dropout in the search it would have 629 patients, for whom the review alone takes a minute
    "229": (trial((0.3, 0.4, 0.05, 0.9), {"criterion": "optimal", "losses": "paper"}, WHOLE), "29/91,79/229"),
    "708": (trial((0.5, 0.55, 0.05, 0.8), {"criterion": "optimal"}), "137/267,374/708"),
    "554 registered": (trial(TEXTBOOK, {"criterion": "minimax"}, enrollment=554), "1/15,5/25"),
    "100000 registered": (trial(TEXTBOOK, {"criterion": "minimax"}, enrollment=100_000), "1/15,5/25"),
    "1": (trial((0.05, 0.95, 0.1, 0.9), {"looks": "0/1"}, CONDUCT), "0/1"),
    "2": (trial((0.05, 0.95, 0.1, 0.9), {"looks": "0/1,1/2"}, CONDUCT), "0/1,1/2"),
    "3 looks with efficacy": (
        trial(TEXTBOOK, {"looks": "0:4/8,2:6/16,5/26", "toxicity": STOPPING}, CONDUCT),
        "0:4/8,2:6/16,5/26",
    ),
    "single stage without interim": (
        trial(TEXTBOOK, {"criterion": "single_stage_first"}, {k: v for k, v in CONDUCT.items() if k != "interim"}),
        "6/32",  # that of p1 (1 - d) = .27
    ),
}


@pytest.fixture(scope="module", autouse=True)
def fast():
    """The same searches asked again by other notebooks and other sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "two_stage", cache(search.two_stage))
        patch.setattr(search, "single_stage", cache(search.single_stage))
        yield


def shown(given, parts):
    """What the notebooks of a report show: by their names, the outputs by theirs."""
    found = {}
    for notebook in parts:
        if given.conduct is None and notebook in (report_run.CONDUCT, report_run.ANALYSIS):
            continue  # they need results, or a conduct by which a synthetic trial is made
        if given.design.toxicity is None and notebook == report_run.TOXICITY:
            continue
        text = (project.ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8")
        names, outputs = {}, []
        for cell in json.loads(text)["cells"]:
            if cell["cell_type"] != "code":
                continue
            if "parameters" in cell["metadata"].get("tags", ()):
                names["trial"] = given.plain()
                continue
            *lines, last = ast.parse("".join(cell["source"])).body
            exec(compile(ast.Module(lines, []), notebook, "exec"), names)
            if not isinstance(last, ast.Expr):
                exec(compile(ast.Module([last], []), notebook, "exec"), names)
                continue
            value = eval(compile(ast.Expression(last.value), notebook, "eval"), names)
            if value is not None:
                data, metadata = value._repr_mimebundle_()
                outputs.append((metadata["simtrial"]["name"], data))
        found[notebook] = dict(outputs)
    return found


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """One size: its trial, the design expected, and what its notebooks show."""
    given, looks = CASES[request.param]
    parts = ONLY.get(request.param, report_run.NOTEBOOKS)
    parts = [part for part in parts if part != REVIEW or request.param not in WITHOUT_REVIEW]
    with pytest.MonkeyPatch.context() as patch:
        if request.param in OWN_LIMITS:
            patch.setattr(routes, "ALPHAS", (given.requirements.alpha,))
            patch.setattr(routes, "POWERS", (given.requirements.power,))
        return request.param, given, looks, shown(given, parts)


def test_every_part_of_a_report_has_its_tables_and_figures(case):
    name, given, looks, found = case
    wanted = {
        "01_design": {"candidates", "near", "statement"},
        "02_operating_characteristics": {"endings", "decisions"},
        REVIEW: {"routes", "map", "readings", "memo"},
    }
    if given.design.toxicity is not None:
        wanted[report_run.TOXICITY] = {"toxicity_counts", "toxicity_price", "toxicity_months"}
    if given.conduct is not None:
        wanted |= {"03_enrollment_and_dropout": {"conduct_p1", "swimmer", "tornado", "inflation"}}
    assert all(names <= found[part].keys() for part, names in wanted.items() if part in found), name
    assert wanted.keys() - found.keys() <= {REVIEW} or name in ONLY
    if "01_design" in found:
        assert looks.replace(",", ", ") in found["01_design"]["statement"]["text/plain"]


def test_no_figure_is_higher_than_two_pages_and_no_table_longer(case):
    *_, found = case
    for outputs in found.values():
        for name, data in outputs.items():
            if "image/svg+xml" in data and name != "swimmer_patients":  # the patients of a real trial are all shown
                points = float(re.search(r'height="([\d.]+)pt"', data["image/svg+xml"])[1])
                assert points < 72 * 24, name
            # a registry's record has a row for every field of every endpoint, however many there are
            assert data.get("text/html", "").count("<tr>") < (200 if name == "results_to_post" else 120), name


def test_a_number_that_is_not_traced_back_says_so_and_the_memo_goes_on(case):
    _, given, looks, found = case
    n = given.study.registered_enrollment or int(looks.rsplit("/", 1)[1])
    review = found.get(REVIEW)
    if review is None:
        return
    said = review["routes_by_method"]["text/plain"]
    if n > 1000:
        assert f"Calculations that give {n:,} patients are not listed: the list ends at 1000 patients" in said
    memo = review["memo"]["text/markdown"]
    assert f"Sample size of SIZE: {n:,} {agreeing(n, 'patient')}" in memo
    assert "Questions to the sponsor" in memo


def test_229_patients_are_traced_back_to_the_optimal_design(case):
    name, *_, found = case
    if name == "229":
        # .3/.4, alpha .05, power .9: Simon's optimal design has 229 patients
        first = found[REVIEW]["routes"]["text/csv"].splitlines()[1]
        assert first.startswith("optimal,0.3,0.4,0.05,0.9,229,0.0,none,")


def test_a_design_given_outright_is_reported_where_no_search_can_be_made():
    # rates so near that every search is refused; only parts that search are left out
    given = trial((0.5, 0.505, 0.05, 0.8), {"looks": "20/40"})
    case = Case.of(given)
    assert (looks_text(case.chosen), case.plan) == ("20/40", None)
    with pytest.raises(InputError, match="too near"):
        search.single_stage(given.requirements)
    from simtrial.review import tables as review_tables
    from simtrial.search import tables

    assert len(tables.decisions(case.chosen).frame) == 2
    assert review_tables.side_by_side(case).frame.looks.tolist() == ["20/40"]


def test_bounds_that_nobody_recalculates_at_so_many_patients_leave_out_the_conduct_alone(tmp_path):
    recut = CONDUCT | {"dropout": {"probability": 0.1, "handling": "exclude", "bounds": "recut"}}
    source = params.Source(tmp_path / "x.yaml", "")
    small = trial(TEXTBOOK, {"criterion": "optimal"}, recut)
    assert report_run._runnable(small, source) == (small, [])
    large, (why,) = report_run._runnable(trial((0.3, 0.4, 0.05, 0.9), {"criterion": "optimal"}, recut), source)
    assert large.conduct is None
    assert why.why.startswith("trial.conduct.dropout.bounds (recut) is for at most 150 patients, not 229; write fixed")


def test_a_report_left_without_its_conduct_runs_without_that_part_or_is_refused(tmp_path, monkeypatch):
    jobs = []
    monkeypatch.setattr(report_run, "_run", lambda job, final, _progress, *_more: jobs.append(job) or final)
    recut = CONDUCT | {"dropout": {"probability": 0.1, "handling": "exclude", "bounds": "recut"}}
    large = trial((0.3, 0.4, 0.05, 0.9), {"criterion": "optimal"}, recut)
    plain = large.plain() | {"report": {"parts": ["design", "conduct"]}}
    source = params.Source(tmp_path / "x.yaml", "")
    report_run.of_trial(params.load(plain), source, tmp_path, print)
    (job,) = jobs
    assert [notebook for _, notebook in job.steps] == [
        name for name in report_run.OF_PART["design"] if name != report_run.TOXICITY
    ]
    params.load(job.parameters["trial"])  # as each notebook does
    for wish in (report_run.Wish(("conduct",)), report_run.Wish(None, preview=True)):
        with pytest.raises(InputError, match=r"x\.yaml: trial\.conduct\.dropout\.bounds \(recut\) is for at most 150"):
            report_run.of_trial(large, source, tmp_path, print, wish=wish)
