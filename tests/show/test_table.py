"""Tables: what a notebook is given of them."""

from simtrial import Requirements, search
from simtrial.search import tables as search_tables


def test_tables_carry_full_precision_as_csv():
    asked = Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
    single, two = search.single_stage(asked), search.two_stage(asked)
    data, metadata = search_tables.candidates(single, two, two.minimax)._repr_mimebundle_()
    assert metadata == {"simtrial": {"name": "candidates"}}
    assert repr(two.minimax.power) in data["text/csv"]
