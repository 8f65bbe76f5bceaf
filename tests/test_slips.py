"""What somebody who typed a wrong number or word probably meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtrial import slips


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("15%", "is a percentage; write 0.15 for 15%"),
        ("15,5 %", "is a percentage; write 0.155 for 15.5%"),
        ("10 percent", "is a percentage; write 0.1 for 10%"),
        ("-45%", "is a percentage; write it as a rate between 0 and 1"),
        ("0,15", "uses a decimal comma; write 0.15"),
        (",5", "uses a decimal comma; write 0.5"),
        ("1,000", "holds a separator of thousands; write 1000"),
        ("1/10", "is a fraction; write 0.1"),
        ("1/3", "is a fraction; write about 0.3333"),
        ("<=0.1", "holds a sign before the number; write 0.1"),
        (".1.", "is not a number; did you mean .1?"),
        ("O.1", "is not a number; did you mean 0.1?"),
        ("0\u00b71", "is not a number; did you mean 0.1?"),
        ("ten", "is not a number"),
        ("l", "is not a number"),
    ],
)
def test_a_number_is_refused_by_its_own_fault(text, said):
    assert slips.number(text) == said


@given(st.text(max_size=60))
def test_any_text_is_answered_in_one_line(text):
    said = slips.number(text)
    assert said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("p-0", "p0"),
        ("POWER", "power"),
        ("n-limit", "n_limit"),
        ("criterium", "criterion"),
        ("x", ""),
        ("alfa", "alpha"),
    ],
)
def test_the_nearest_word_is_found_whatever_its_case_and_hyphens(word, meant):
    assert slips.nearest(word, ["p0", "alpha", "power", "n_limit", "criterion"], 0.5) == meant
