"""The validation case for response and toxicity agrees, and can fail."""

from simtrial.validation import bryant_day, cases


def test_the_case_agrees_and_fails_where_a_number_or_a_bound_is_another(monkeypatch):
    found = bryant_day.two_endpoints()
    assert found.passed
    assert len(found.frame) == 108  # 18 designs, and 90 rows of probabilities

    def changed(name):
        table = cases.reference(name).head(5)
        table.loc[0, "c_r"] += 1
        table.loc[1, "recommend_R1T0"] += 1e-8
        return table

    monkeypatch.setattr(bryant_day, "reference", changed)
    wrong = bryant_day.two_endpoints()
    assert wrong.frame.agrees.tolist() == [False, False, False, True, True, True]
