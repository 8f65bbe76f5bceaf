"""Every figure of a report can be read, and has a caption that stands by itself and a text alternative."""

import re

import pytest
from drawn import unreadable

from simtrial.analysis import dossier
from simtrial.analysis import figures as analysis_figures
from simtrial.conduct import figures as conduct_figures
from simtrial.conduct import sensitivity
from simtrial.design.designs import looks_text
from simtrial.history import figures as history_figures
from simtrial.search import figures as search_figures
from simtrial.trial import allowance, params
from simtrial.trial import figures as trial_figures
from simtrial.trial.case import Case


def figures(case):
    """Every figure of a report but the map of n, which searches for seconds and has its own test."""
    asked, chosen, plan, seed = case.requirements, case.chosen, case.plan, case.size.seed
    done = dossier.of_trial(case.trial, chosen)
    p1 = case.scenarios[1]
    yield search_figures.flow(chosen, asked)
    yield search_figures.candidates(case.single, case.two, case.taken)
    yield search_figures.characteristics(search_figures.compared(chosen, case.two, case.single), asked)
    yield search_figures.endings(chosen, asked)
    yield search_figures.saw(case.single)
    yield conduct_figures.counting(seed)
    yield conduct_figures.swimmer(plan, p1, 1, seed)
    yield conduct_figures.tornado(sensitivity.analyse(plan, case.trial.truths, 200, seed))
    yield conduct_figures.inflation(allowance.to_inflate(case), asked, plan.dropout)
    yield trial_figures.enrollment_fan(case.trial, plan, p1, 1, seed, most=4096)
    yield history_figures.wrong_history(case)
    if case.trial.evidence:
        yield history_figures.forest(case)
    for draw in (analysis_figures.forest, analysis_figures.long_run, analysis_figures.survival,
                 analysis_figures.waterfall, analysis_figures.swimmer):  # fmt: skip
        picture = draw(done)
        if picture is not None:
            yield picture


@pytest.fixture(scope="module", params=["NCT07022301", "NCT07022301_p20_p40", "smoke"])
def case(root, request):
    return Case.of(params.load(root / f"params/{request.param}.yaml"))


@pytest.fixture(scope="module")
def pictures(case):
    return list(figures(case))


@pytest.mark.long
def test_no_text_of_a_figure_lies_on_another_or_is_cut_off(pictures):
    for picture in pictures:
        for mark in [text for text in picture.figure.texts if text.get_gid() == "watermark"]:
            mark.remove()
        assert not unreadable(picture.figure), picture.name


@pytest.mark.long
def test_every_figure_has_a_caption_and_a_text_alternative_in_sentences(pictures):
    assert len({picture.name for picture in pictures}) == len(pictures)
    for picture in pictures:
        for words in (picture.caption, picture.alt):
            assert len(words) > 40, picture.name
            assert re.match(r"[A-Z0-9]", words), picture.name
            assert words.endswith("."), picture.name
            assert not re.search(r"\b1 (patients|responses|trials|events)\b|  |\bnan\b|\bNone\b", words), picture.name


@pytest.mark.long
def test_captions_of_designs_name_the_design(case, pictures):
    looks = looks_text(case.chosen, ", ")
    for picture in pictures:
        if picture.name in ("flow", "operating_characteristics", "endings", "swimmer", "enrollment_fan", "long_run"):
            assert looks in picture.caption, picture.name
