"""Sweeps over a rule for toxicity and the rates of toxicity."""

import pytest
import yaml
from sweeps import run

from simtrial.months import WEEK
from simtrial.sweep import file as sweep_file
from simtrial.sweep import results, tables
from simtrial.toxicity.joint import endings


def test_a_rule_for_toxicity_is_swept_by_its_limit_its_window_and_the_rates_of_toxicity(root, tmp_path):
    base = yaml.safe_load((root / "params/NCT07022301.yaml").read_text(encoding="utf-8"))
    base["trial"]["design"]["toxicity"] = {
        "rule": "pocock", "acceptable_rate": 0.2, "unacceptable_rate": 0.4, "crossing_probability": 0.1,
        "window_weeks": 8,
    }  # fmt: skip
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    toxicity = "conduct.patients.toxicity"
    axes = [
        {"path": "design.toxicity.crossing_probability", "values": [0.05, 0.2]},
        {"path": "design.toxicity.window_weeks", "values": [2, 26]},
        {"path": f"{toxicity}.rate", "values": [0.15, 0.45]},
        {"path": f"{toxicity}.odds_ratio", "values": [0.5, 4.0]},
    ]
    wanted = ["reject", "toxicity_stopped", "pet", "duration_months", "toxicities"]
    text = {"base": str(tmp_path / "base.yaml"), "axes": axes, "outcomes": wanted, "trials": 1500, "seed": 7}
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump({"sweep": text}), encoding="utf-8")
    run(path, tmp_path / "out")
    sweep = sweep_file.read(path)
    found = results.stored(tmp_path / "out", range(len(sweep)))
    limit, window, rate, ratio = (axis["path"] for axis in axes)
    assert len(sweep) == 32
    mine = found[found.outcome == "reject"].set_index("scenario")
    for index in (0, 13, 31):
        plan, p = sweep.cell(index).plan, sweep.cell(index).scenario.p
        assert plan.toxicity_rule.limit == mine[limit][index]
        assert plan.toxicity_rule.window == pytest.approx(mine[window][index] * WEEK)
        seen = float(plan.dropout.seen(p))
        joint = endings(
            plan.design, plan.toxicity_rule.boundary, p=seen, toxicity=mine[rate][index], odds_ratio=mine[ratio][index]
        )
        assert mine.exact[index]
        assert mine.value[index] == pytest.approx(joint.reject, abs=1e-12)
    # what crosses does not depend on when; who is stopped before his trial's decision does
    assert mine.groupby([limit, rate, ratio, "p"]).value.nunique().eq(1).all()
    stops = found[found.outcome == "toxicity_stopped"]
    assert (stops.groupby([window, rate, ratio, "p"]).value.diff().dropna() > 0).all()  # with the limit
    high, low = (stops[stops[rate] == at].value.to_numpy() for at in (0.45, 0.15))
    assert (high > low + 0.2).all()
    months = found[found.outcome == "duration_months"]
    assert (months[months[rate] == 0.45].value.to_numpy() < months[months[rate] == 0.15].value.to_numpy()).all()
    heads = [head for head, _ in tables.every(sweep, found).shown.values()]
    assert {"P(stop for toxicity)", "PET (by responses)", "patients with toxicity"} <= set(heads)
    axes_of_toxicity = {"crossing probability", "window weeks", "rate", "odds ratio"}
    assert {f"toxicity {name}" for name in axes_of_toxicity} <= set(heads)
