"""The simulation report: its numbers are those of `simtrial simulate`, and its programs and checks hold."""

import io
import json
import math
import re
import shlex
import zipfile
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from matplotlib.figure import Figure
from scipy import stats

from simtrial.cli.app import main
from simtrial.conduct import simulation as conduct_simulation
from simtrial.conduct.outcomes import OUTCOMES
from simtrial.documents import simulation, simulation_checks, simulation_models, simulation_planning
from simtrial.documents.simulation_reproduction import MadeFrom
from simtrial.files import code_digest
from simtrial.laws import laws
from simtrial.report import papers
from simtrial.report.page import document_html
from simtrial.show.document import Listing
from simtrial.show.picture import Picture
from simtrial.show.table import Table
from simtrial.trial import params
from simtrial.trial.case import Case

TRIALS, SEED = 400, 11
TITLE = "Trial <script>alert(1)</script> & more"
SCENARIOS = [
    {"label": "<b>in use</b>", "p": 0.35, "source": "Somebody <i>et al.</i>"},
    {"label": "assurance", "beta": [6, 6]},
]


def changed(text: str, **sections: object) -> dict[str, object]:
    """A parameter file with some of its sections replaced; of `conduct`, some of its keys."""
    trial = yaml.safe_load(text)["trial"]
    conduct = {**trial["conduct"], "simulation": {"trials": 60, "seed": SEED}, **sections.pop("conduct", {})}
    return {**trial, "conduct": conduct, **sections}


@pytest.fixture(scope="module")
def file(root, tmp_path_factory):
    trial = changed((root / "params/smoke.yaml").read_text(encoding="utf-8"))
    trial["study"]["title"] = TITLE
    trial["conduct"] |= {"scenarios": SCENARIOS, "simulation": {"trials": TRIALS, "seed": SEED}}
    path = tmp_path_factory.mktemp("it's here") / "a file's name.yaml"
    path.write_text(yaml.safe_dump({"trial": trial}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def written(file):
    """The case, the documents of its report, and the simulation report among them."""
    trial, source = params.read(file)
    case = Case.of(trial)
    made = papers.of(case, source)
    return case, made, made[-1]


@pytest.fixture(scope="module")
def report(written):
    return written[2]


@pytest.fixture(scope="module")
def answer(file):
    """What `simtrial simulate` prints."""
    with redirect_stdout(io.StringIO()) as shown:
        assert main(["simulate", str(file), "--json"]) == 0
    return json.loads(shown.getvalue())


def blocks(report, kind):
    return [block for chapter in report.chapters for block in chapter.blocks if isinstance(block, kind)]


def table(report, name):
    return next(one for one in blocks(report, Table) if one.name == name)


def words(report):
    return "\n".join([*report.lead, *(text for chapter in report.chapters for text in chapter.texts())])


def test_it_has_the_parts_of_ademp_under_the_headings_of_octave(report):
    headings = [chapter.title for chapter in report.chapters]
    assert [chapter.title for chapter in report.chapters if chapter.level == 1] == [
        "Planning", "Implementation", "Validation", "Results", "Conclusions and limits", "Reproduction", "References",
    ]  # fmt: skip
    ademp = ["Aims", "Data-generating mechanisms", "Estimands and targets", "Methods", "Performance measures"]
    assert [title for title in headings if title in ademp] == ademp
    assert report.to_complete() == []


def test_every_number_is_that_of_simulate_with_its_error_and_its_exact_value(report, answer):
    assert (answer["trials"], answer["seed"]) == (TRIALS, SEED)
    for k, scenario in enumerate(answer["scenarios"]):
        found = table(report, f"simulation_scenario_{k}").frame.set_index("outcome")
        asked = {name: value for name, value in scenario.items() if name in OUTCOMES and value["value"] is not None}
        assert set(asked) == set(found.index)
        for name, value in asked.items():
            row = found.loc[name]
            assert (row.simulated, row.mcse) == (value["value"], value["mcse"])
            assert row.exact == value["exact"] or (value["exact"] is None and math.isnan(row.exact))
            assert not math.isnan(row.mcse)


def test_the_answer_stands_at_the_top(written):
    case, _, report = written
    error, power = (laws.exact_values(case.plan, scenario)["reject"] for scenario in case.scenarios[:2])
    assert f"the type I error is {100 * error:.1f}%" in report.lead[1]
    assert f"the power {100 * power:.1f}%" in report.lead[1]


def test_no_simulated_value_stands_without_its_error(report):
    for k in range(2 + len(SCENARIOS)):
        view = table(report, f"simulation_scenario_{k}").view()
        assert (view["MCSE"] != "–").all()
        assert (view["Exact"] != "–").sum() >= 8


def test_the_first_program_prints_the_numbers_of_the_report(report, answer, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    _, program, _, _ = (one.text for one in blocks(report, Listing))
    with redirect_stdout(io.StringIO()) as shown:
        exec(program, {})
    lines = shown.getvalue().splitlines()
    expected = [
        f"{scenario['label']} {name} {value['value']} {value['mcse']} {value['exact']}"
        for scenario in answer["scenarios"]
        for name, value in scenario.items()
        if name in OUTCOMES
    ]
    assert lines == expected


def test_the_second_program_prints_the_example_trials(report, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    program = blocks(report, Listing)[2].text
    with redirect_stdout(io.StringIO()) as shown:
        exec(program, {})
    rows = table(report, "simulation_examples").frame
    printed = [line.split() for line in shown.getvalue().splitlines()]
    assert len(printed) == len(rows) == 10
    for line, row in zip(printed, rows.itertuples(), strict=True):
        label, number, enrolled, month, reject = line
        assert (label, int(number), int(enrolled), float(month)) == (
            row.scenario, row.trial, row.enrolled, row.decision_month,
        )  # fmt: skip
        assert row.reject == ("rejected" if reject == "True" else "not rejected")


def test_the_command_gives_the_same_answer(report, answer, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    name, *given = shlex.split(blocks(report, Listing)[0].text)
    assert name == "simtrial"
    with redirect_stdout(io.StringIO()) as shown:
        assert main(given) == 0
    assert json.loads(shown.getvalue()) == answer


def test_the_verdict_counts_the_differences_that_the_answer_shows(written, answer):
    case, _, report = written
    counted = []
    for scenario in answer["scenarios"]:
        for name, value in scenario.items():
            if name not in OUTCOMES or value["exact"] is None or not value["mcse"]:
                continue
            exact, n = value["exact"], TRIALS
            if OUTCOMES[name].kind == "share":
                if n * min(exact, 1 - exact) >= 10:
                    counted.append(abs(value["value"] - exact) / math.sqrt(exact * (1 - exact) / n))
            else:
                bins = case.simulated[scenario["label"]][name].bins
                if bins.sum() - bins.max() >= 10:
                    counted.append(abs(value["value"] - exact) / value["mcse"])
    said = report.lead[2]
    number, inside = len(counted), [sum(z <= limit for z in counted) for limit in (2, 3)]
    expected = [number * (2 * stats.norm.cdf(limit) - 1) for limit in (2, 3)]
    assert f"Of {number} standardised differences" in said
    assert f"{inside[0]} lie within 2 Monte Carlo standard errors ({expected[0]:.1f} expected)" in said
    assert f"and {inside[1]} within 3 ({expected[1]:.1f} expected)" in said
    assert f"The largest, {max(counted):.1f}," in said
    for name in ("simulation_checks_measures", "simulation_checks_scenarios"):
        rows = table(report, name).frame
        assert (rows.compared.sum(), rows.within_2.sum(), rows.within_3.sum()) == (number, *inside)
        assert rows.largest.max() == pytest.approx(max(counted), rel=1e-12)


@pytest.mark.parametrize(("largest", "number"), [(2.0, 1), (3.1, 60), (0.5, 4)])
def test_the_chance_of_the_largest_deviation_is_that_of_normal_ones(largest, number):
    assert simulation_checks.chance(largest, number) == pytest.approx(
        1 - (2 * stats.norm.cdf(largest) - 1) ** number, rel=1e-9
    )


def wrong(done, by):
    """The same run beside exact values that are off by some standard errors."""

    def moved(e):
        return e if e.exact is None or not e.mcse else replace(e, exact=e.exact + by * e.mcse)

    results = (
        replace(result, estimates={name: moved(e) for name, e in result.estimates.items()}) for result in done.results
    )
    return replace(done, results=tuple(results))


def test_a_deviation_beyond_chance_is_not_passed_over(written):
    done = written[0].simulated
    assert "larger than chance explains" not in simulation_checks.verdict(done)
    assert "larger than chance explains" in simulation_checks.verdict(wrong(done, 8))


def test_beside_a_deviation_beyond_chance_stands_the_command_of_a_repetition(written):
    done = written[0].simulated
    said = simulation_checks.verdict(wrong(done, 8), "my file.yaml")
    command = f"simtrial simulate 'my file.yaml' --trials {4 * done.trials} --seed {done.seed + 1}"
    assert f"repeat the simulation with another seed and more trials: {command}. If" in said
    assert "--seed" not in simulation_checks.verdict(done, "my file.yaml")
    last = replace(done, seed=2**63 - 1)
    assert simulation_checks.again(last, "x.yaml").endswith("--seed 0")


def test_the_example_trials_fit_the_width_of_a_page(written):
    assert len(table(written[2], "simulation_examples").shown) <= 8


def test_what_hardly_any_trial_shows_is_not_counted_as_a_deviation(written):
    plan, scenarios = written[0].plan, written[0].scenarios
    done = conduct_simulation.simulate(plan, scenarios[:2], 2, 1)
    said = simulation_checks.verdict(done)
    assert "standardised difference" not in said
    assert "further differences are not counted, because fewer than 10 trials" in said
    assert simulation_checks.of(done) == ()


@pytest.mark.parametrize("p", [0.05, 0.0312, 0.5, 0.8])
@pytest.mark.parametrize("error", [0.005, 0.001])
def test_the_number_of_trials_is_the_smallest_with_the_error(p, error):
    n = simulation_models.trials_for(p, error)
    assert math.sqrt(p * (1 - p) / n) <= error * (1 + 1e-9)
    assert math.sqrt(p * (1 - p) / (n - 1)) > error


def test_the_numbers_of_trials_are_those_of_the_exact_error_and_power(written):
    case, _, report = written
    rows = table(report, "simulation_numbers").frame
    exact = [laws.exact_values(case.plan, scenario)["reject"] for scenario in case.scenarios[:2]]
    assert rows["value"].tolist() == [*exact, 0.5]
    assert rows.mcse[0] == math.sqrt(exact[0] * (1 - exact[0]) / TRIALS)
    assert rows.trials_0.tolist() == [math.ceil(p * (1 - p) / 0.005**2) for p in (*exact, 0.5)]


def test_the_number_of_trials_is_named_as_stated_or_as_the_default(written, smoke_text):
    assert "The number of trials is that of the parameter file." in words(written[2])
    trial = changed(smoke_text)
    trial["conduct"]["simulation"] = {"seed": 3}
    case = Case.of(params.load(trial))
    said = " ".join(simulation_planning._why(case, written[0].simulated))
    assert said.startswith("The number of trials is the default of the program.")


def test_what_has_no_source_is_marked_as_assumed(written):
    _, _, report = written
    scenarios = table(report, "simulation_scenarios").frame.set_index("label")
    assert scenarios.source["<b>in use</b>"] == "Somebody <i>et al.</i>"
    assert scenarios.source["assurance"] == simulation_planning.NO_SOURCE
    assert scenarios.gives["assurance"] == "Assurance"
    assumed = table(report, "simulation_assumptions").frame.set_index("what").source
    assert assumed["Enrollment"] == simulation_planning.NO_SOURCE
    assert "The parameter file states no source for: Enrollment" in words(report)


def test_every_outcome_has_a_definition():
    assert set(simulation_planning.DEFINITIONS) == set(OUTCOMES)


def test_the_cases_of_validation_are_those_of_the_notebook(root):
    book = json.loads((root / "notebooks/06_validation.ipynb").read_text(encoding="utf-8"))
    headings = re.findall(r"^## (.+)$", "\n".join("".join(cell["source"]) for cell in book["cells"]), re.MULTILINE)
    assert set(simulation.CASES) <= set(headings)


def test_settings_name_file_hash_seed_generator_versions_and_code(report, file):
    rows = dict(table(report, "simulation_settings").frame.itertuples(index=False))
    source = params.read(file)[1]
    assert rows["Parameter file"] == "a file's name.yaml"
    assert rows["SHA-256 of the parameter file"] == source.sha256
    assert (rows["Seed"], rows["Trials per scenario"]) == (str(SEED), f"{TRIALS}")
    assert rows["Random number generator"].startswith("PCG64")
    assert rows["SHA-256 of the code of the package"] == code_digest()
    assert {"numpy", "scipy", "Python"} <= rows.keys()
    assert str(file.parent) not in words(report)


def test_html_holds_no_script_and_asks_no_network_whatever_the_file_says(report):
    page = document_html(report)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>in use" not in page
    assert "<i>et al" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)


@pytest.mark.long
def test_the_same_report_is_the_same_bytes_and_its_file_has_no_date(written, tmp_path):
    case, _, report = written
    files = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        # made again each time, because a figure is laid out again where it is drawn again
        papers.write((simulation.of(case, _made(report), report.origin),), folder)
        files.append({one.name: one.read_bytes() for one in folder.iterdir()})
    assert sorted(files[0]) == ["simulation_report.docx", "simulation_report.html"]
    assert files[0] == files[1]
    with zipfile.ZipFile(io.BytesIO(files[0]["simulation_report.docx"])) as held:
        assert {part.date_time[0] for part in held.infolist()} == {1980}


def test_figures_on_file_are_not_drawn_again(report, tmp_path, monkeypatch):
    figures = tmp_path / "figures"
    figures.mkdir()
    pixel = next(one.png() for one in blocks(report, Picture))
    for picture in blocks(report, Picture):
        (figures / f"{picture.name}.svg").write_text(f"<svg><title>{picture.name}</title></svg>", encoding="utf-8")
        (figures / f"{picture.name}.png").write_bytes(pixel)
    monkeypatch.setattr(Figure, "savefig", None)
    papers.write((report,), tmp_path)
    with zipfile.ZipFile(tmp_path / "simulation_report.docx") as held:
        media = [held.read(name) for name in held.namelist() if name.startswith("word/media/")]
    assert media == [pixel]  # the library keeps equal pictures once
    page = (tmp_path / "simulation_report.html").read_text(encoding="utf-8")
    assert all(f"<title>{picture.name}</title>" in page for picture in blocks(report, Picture))


def _made(report):
    """What the report says that it was made from."""
    rows = dict(table(report, "simulation_settings").frame.itertuples(index=False))
    first = list(rows).index("simtrial")
    return MadeFrom(
        file=rows["Parameter file"], sha256=rows["SHA-256 of the parameter file"],
        versions=dict(list(rows.items())[first:]),
    )  # fmt: skip


def test_figures_have_names_of_their_own_and_state_how_a_trial_is_repeated(report):
    names = [one.name for one in (*blocks(report, Picture), *blocks(report, Table))]
    assert len(set(names)) == len(names)
    trials = [one.caption for one in blocks(report, Picture) if one.caption.startswith("One simulated trial")]
    assert len(trials) == 2
    assert all(re.search(rf"Trial \d+ of block 0 of p[01], seed {SEED}\.", caption) for caption in trials)


def test_without_conduct_there_is_no_simulation_report_and_the_protocol_states_it(smoke_text, tmp_path, written):
    trial = changed(smoke_text)
    trial.pop("conduct")
    path = tmp_path / "paper.yaml"
    path.write_text(yaml.safe_dump({"trial": trial}), encoding="utf-8")
    read, source = params.read(path)
    (protocol,) = papers.of(Case.of(read), source)
    assert "All probabilities and sample sizes of this section are exact" in words(protocol)
    assert "simulation_report" not in words(protocol)
    assert "simulation report (simulation_report.docx)" in words(written[1][0])


SHAPES = {
    "one look": {"design": {"looks": "3/9"}},
    "three looks": {"design": {"looks": "0/4,2/8,5/12"}},
    "an efficacy bound": {"design": {"looks": "0:3/4,3/9"}},
    "a finished trial": {"analysis": {"responses": 5, "first_stage": 2}},
    "recalculated bounds": {
        "conduct": {
            "dropout": {"probability": 0.1, "handling": "exclude", "bounds": "recut"}, "interim": {"accrual": "hold"},
        }
    },
    "patients replaced": {
        "conduct": {"dropout": {"probability": 0.1, "handling": "replace", "responder_odds_ratio": 0.5}}
    },
    "centres without a variance": {
        "conduct": {
            "enrollment": {"model": "centres", "opens_months": [0, 0, 0], "mean_rate": 0.7, "shape": 0.5}
        }
    },
    "patients pending": {
        "conduct": {"interim": {"accrual": "hold", "pending": "conditional", "threshold": 0.3, "decision_weeks": 2}}
    },
    "rates of 0 and 1": {"conduct": {"scenarios": [{"label": "none", "p": 0}, {"label": "all", "p": 1}]}},
    "accrual that closes": {"conduct": {"enrollment": {"model": "constant", "rate": 2.0, "close_month": 7}}},
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_of_trial_has_its_report(shape, smoke_text):
    case = Case.of(params.load(changed(smoke_text, **SHAPES[shape])))
    report = simulation.of(case, MadeFrom(file="x.yaml", sha256="0" * 64, versions={}))
    assert report.to_complete() == []
    shown = document_html(replace(report, chapters=tuple(map(without_figures, report.chapters))))
    assert "nan" not in re.sub(r"<[^>]*>", " ", shown).split()
    looks = len(case.chosen.looks)
    assert ("Accrual at an analysis" in shown) == (looks > 1)
    if shape == "accrual that closes":
        assert "No simulated measure has an exact value" in shown
        assert "The type I error is simulated." in shown
    if shape == "centres without a variance":
        assert "Anisimov" in shown


def without_figures(chapter):
    return replace(chapter, blocks=tuple(one for one in chapter.blocks if not isinstance(one, Picture)))


def test_paths_of_this_machine_are_in_no_document(written, file):
    for document in written[1]:
        assert str(Path(file).parent) not in json.dumps(document.plain())
