"""Tables: what a notebook is given of them."""

from simtrial.search import tables as search_tables


def test_tables_carry_full_precision_as_csv(single, two):
    data, metadata = search_tables.candidates(single, two, two.minimax)._repr_mimebundle_()
    assert metadata["simtrial"]["name"] == "candidates"
    assert repr(two.minimax.power) in data["text/csv"]
