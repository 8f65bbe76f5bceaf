import numpy as np
import pytest

from simtrial import InputError, Look, MultiStage, SingleStage, TwoStage, looks_text, parse_looks


def test_the_bounds_stop_at_r_and_reject_above_it():
    look = Look(n=10, r=3)
    final = look.regions(np.arange(11), final=True)
    assert final.accept.tolist() == [True] * 4 + [False] * 7
    assert final.reject.tolist() == [False] * 4 + [True] * 7
    interim = look.regions(np.arange(11), final=False)
    assert not interim.reject.any()
    assert interim.go_on.tolist() == [False] * 4 + [True] * 7


def test_an_efficacy_bound_rejects_at_e_and_above():
    regions = Look(n=10, r=1, e=5).regions(np.arange(11), final=False)
    assert regions.reject.tolist() == [False] * 5 + [True] * 6
    assert regions.go_on.tolist() == [False] * 2 + [True] * 3 + [False] * 6


def test_every_count_leads_to_exactly_one_place():
    for look, final in ((Look(9, 2, 6), False), (Look(9, None, 6), False), (Look(9, None), False), (Look(9, 4), True)):
        assert (np.sum(look.regions(np.arange(10), final=final), axis=0) == 1).all()


@pytest.mark.parametrize(
    ("text", "design"),
    [
        ("5/25", SingleStage(r=5, n=25)),
        ("1/10,5/29", TwoStage(r1=1, n1=10, r=5, n=29)),
        (" 1/10 , 5/29 ", TwoStage(r1=1, n1=10, r=5, n=29)),
        ("1:5/10,5/29", TwoStage(r1=1, n1=10, r=5, n=29, e1=5)),
        ("0/5,2/12,7/40", MultiStage((Look(5, 0), Look(12, 2), Look(40, 7)))),
        (":5/10,5/29", MultiStage((Look(10, None, 5), Look(29, 5)))),
    ],
)
def test_looks_are_read_and_written_back(text, design):
    assert parse_looks(text) == design
    assert parse_looks(looks_text(design)) == design


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "looks ('') does not have the form R/N or R:E/N; write looks as 1/10,5/29"),
        ("5", "looks ('5') does not have the form R/N or R:E/N; write looks as 1/10,5/29"),
        ("-1/10,5/29", "looks ('-1/10') does not have the form R/N or R:E/N; write looks as 1/10,5/29"),
        ("1/10;5/29", "looks ('1/10;5/29') does not have the form R/N or R:E/N; write looks as 1/10,5/29"),
        ("10/10,12/29", "r1 (10) is not below n1 (10)"),
        ("1/29,5/29", "n1 (29) is not below n (29)"),
        ("1/30,5/29", "n1 (30) is not below n (29)"),
        ("1/10,29/29", "r (29) is not below n (29)"),
        ("6/10,5/29", "r1 (6) is above r (5), although bounds are cumulative"),
        ("1:2/10,5/29", "e1 (2) is not above r1 + 1 (2), so no trial could continue to the next stage"),
        ("1:11/10,5/29", "e1 (11) is above n1 (10)"),
        ("1/10,5:7/29", "e2 (7) has no meaning at the last look, which rejects H0 if X > r; leave it out"),
        ("1/10,/29", "r2 is missing; the last look rejects H0 if X > r"),
        ("0/5,2/12,1/40", "r2 (2) is above r3 (1), although bounds are cumulative"),
        ("0/0", "n (0) is below 1"),
        ("1/9999999", "n (9999999) is above 10,000"),
        ("01/10,5/29", "looks ('01/10') does not have the form R/N or R:E/N; write looks as 1/10,5/29"),
        (",".join(["1/10"] * 201), "looks has 201 looks"),
    ],
)
def test_impossible_looks_are_refused_in_one_line(text, message):
    with pytest.raises(InputError) as caught:
        parse_looks(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [1.0, "1", True, None, np.float64(1)])
def test_a_count_must_be_a_whole_number(bad):
    with pytest.raises(InputError, match=r"^r1 \(.*\) is not a whole number$"):
        TwoStage(r1=bad, n1=10, r=5, n=29)


def test_numpy_integers_become_plain_ones():
    design = TwoStage(r1=np.int64(1), n1=np.int32(10), r=np.uint8(5), n=np.int64(29))
    assert {type(v) for v in (design.r1, design.n1, design.r, design.n)} == {int}


def test_designs_are_frozen_and_hashable():
    design = SingleStage(r=5, n=25)
    with pytest.raises(AttributeError):
        design.n = 26
    assert len({design, SingleStage(5, 25)}) == 1
