"""`simtrial init`: a file that works at once, with the answers as they were typed, and nothing but a whole file."""

import io
import re
import shlex

import pytest
import yaml

from simtrial.cli import app, init, questions, template
from simtrial.sweep import file
from simtrial.trial import params
from simtrial.trial import template as trial_template

SEVEN = ["--p0", "0.10", "--p1", ".3", "--alpha", "5e-2", "--power", "0.80", "--rate", "2", "--dropout", "0.10"]

SMALL = ["--p0", "0.2", "--p1", "0.6", "--alpha", "0.1", *SEVEN[6:], "--handling", "nonresponder"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(capsys, *words):
    """What is said of a mistake; it has to be one, and nothing is written."""
    code = app.main(["init", *words])
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    return shown.err.splitlines()


@pytest.fixture
def answering(monkeypatch):
    """Answers a person types at a terminal, one a line."""

    def answer(*typed):
        monkeypatch.setattr(questions, "possible", lambda: True)
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{one}\n" for one in typed)))

    return answer


@pytest.mark.parametrize("handling", ["nonresponder", "replace", "exclude"])
def test_the_file_has_the_numbers_as_they_were_typed_and_is_read_as_the_same(here, handling):
    assert app.main(["init", "my-trial.yaml", *SEVEN, "--handling", handling]) == 0
    made = (here / "my-trial.yaml").read_text(encoding="utf-8")
    for line in ("    p0: 0.10 ", "    p1: .3 ", "    alpha: 5e-2 ", "    power: 0.80 ", "      probability: 0.10 "):
        assert f"\n{line}" in made
    trial = params.load(here / "my-trial.yaml")
    assert (trial.study.id, trial.hypotheses.p1, trial.hypotheses.alpha) == ("my-trial", 0.3, 0.05)
    assert (trial.conduct.enrollment.rate, trial.conduct.enrollment.screening_success) == (2.0, 1.0)
    assert (trial.conduct.dropout.handling, trial.conduct.interim.accrual) == (handling, "hold")


@pytest.mark.parametrize("words", [[], ["--p0", ".2", "--p1", ".4"], SMALL])
def test_the_file_works_at_once(capsys, words):
    assert app.main(["init", "t.yaml", *words]) == 0
    following = re.search(r"Next: (.*)", capsys.readouterr().out)[1].split(", ")
    for one in following:
        program, command, name = one.split()
        assert (program, name) == ("simtrial", "t.yaml")
        if command == "report":
            continue  # tests/report makes reports of every shipped file, this one's source among them
        few = ["--trials", "200"] if command == "simulate" else []
        assert app.main([command, name, *few, "--json"]) == 0


def test_what_nobody_stated_is_named(capsys):
    assert app.main(["init", "t.yaml", "--p0", ".2", "--p1", ".4", "--power", ".9", "--title", "Ours"]) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "Taken from the template" in one]
    assert line == "Taken from the template, for you to check: alpha, the criterion and the rationale."


def test_without_answers_the_file_is_the_template_under_its_own_name(here, root):
    assert app.main(["init", "t.yaml"]) == 0
    ours, theirs = ((place / name).read_text(encoding="utf-8").splitlines()
                    for place, name in ((here, "t.yaml"), (root, "params/example.yaml")))  # fmt: skip
    (pair,) = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    assert [yaml.safe_load(line) for line in pair] == [{"id": "t"}, {"id": "EXAMPLE-1"}]


HOSTILE = [
    'x: "y" # z', "{a: [1, *b, &c]}", "- item", "it's \\n \\u0041 %", "a\u2028b\u2029c", "no", "12", "~",
    "!!python/name:os.system", "\u202ereversed", "\xa0", "\u3000", "\ufeff", "\U000e0041",
    "  ", ": #", "'", '"', "|", ">-", "@", "`", "%", "\U0001f9ea", "e\u0301",
]  # fmt: skip


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_stays_what_it_was_whatever_is_in_it(here, capsys, title):
    code = app.main(["init", "t.yaml", "--title", title])
    said = capsys.readouterr().err
    if code == 0:
        assert params.load(here / "t.yaml").study.title == title
        assert set(yaml.safe_load((here / "t.yaml").read_text(encoding="utf-8"))["trial"]) == {
            "study", "hypotheses", "design"
        }  # fmt: skip
    else:
        assert (code, said.count("\n")) == (2, 1)
        assert "--title" in said
        assert not (here / "t.yaml").exists()


@pytest.mark.parametrize("title", ["a\nb", "a\x00b", "a\x1b[2J", "a\x85b", "\udcff", "", "x" * 301])
def test_a_title_that_no_file_can_hold_is_refused(here, capsys, title):
    (line,) = lines(capsys, "t.yaml", "--title", title)
    assert line.startswith("simtrial: --title ")
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("stem", "name"),
    [("null", "null"), ("1e5", "1e5"), ("2026-01-01", "2026-01-01"), ("A b", "A-b"), ("validation", "validation-trial"),
     ("\u8bd5\u9a8c", "TRIAL-1"), ("x" * 80, "x" * 64), ("a.failed", "a.failed-trial"), ("-x", "x"), ("0x10", "0x10")],
)  # fmt: skip
def test_the_short_name_of_the_study_comes_from_the_name_of_the_file(here, stem, name):
    assert app.main(["init", f"./{stem}.yaml"]) == 0
    assert params.load(here / f"{stem}.yaml").study.id == name


def test_a_number_with_a_zero_too_many_is_written_as_files_take_it(here):
    assert app.main(["init", "t.yaml", "--p0", "00.10", "--p1", "+0.30"]) == 0
    assert params.load(here / "t.yaml").hypotheses.p0 == 0.1


def test_all_mistakes_are_told_at_once(here, capsys):
    told = lines(capsys, "--p0", "30", "--alpha", "5", "--handling", "none", "--rate", "0")
    assert [line.split()[1] for line in told] == [
        "FILE",
        "--p0",
        "--alpha",
        "--rate",
        "--handling",
        "--p1",
        "--dropout",
    ]
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--p0", ".3", "--p1", ".1"], "--p0 (0.3) is not below p1 (0.1)"),
        (["--alpha", ".95"], "--alpha (0.95) exceeds 0.5; did you mean 0.05 (1 - confidence level)?"),
        (["--power", ".2"], "If 0.2 is meant, add --low-power"),
        (["--p0", ".2"], "--p1 is missing; to state the two response rates, add --p1, or leave out --p0"),
        (["--rate", "2"], "--dropout and --handling are missing; to state how the trial is run"),
        (["--accrual", "hold"], "--rate, --dropout and --handling are missing"),
        ([*SEVEN, "--handling", "replace", "--bounds", "fixed"], "goes with --handling exclude only, not with replace"),
        ([*SEVEN[:-1], ".7", "--handling", "nonresponder"], "--dropout (0.7) is too large"),
        (["--p0", ".2", "--p1", ".4", *SEVEN[8:-1], ".45", "--handling", "nonresponder"], "--dropout (.45) is too"),
        (["--p0", ".2", "--p1", ".201"], "--p1 (0.201) is too near p0 (0.2)"),
        (["--id", "a/b"], "--id ('a/b') is not a name"),
        (["--id", "validation"], "--id ('validation') is reserved"),
        (["--nct", "NCT00000001"], "--nct goes with --from RECORD only"),
        (["--example", "toxicty"], "did you mean toxicity?"),
        (["--example", "smoke", "--p0", ".1"], "--p0 does not go with --example"),
        (["--example", "smoke", "--from", "x.json"], "--from and --example exclude each other"),
        (["--from", "x.json", "--p0", ".3", "--p1", ".1"], "--p0 (0.3) is not below p1 (0.1)"),
        (["--from", "x.json", "--power", ".2"], "add this power and the key low_power (true) to the file"),
        (["--from", "x.json", "--rate", "2"], "--from, which takes --p0, --p1, --alpha and --power only"),
        (["--from", "x.json", "--low-power"], "--low-power does not go with --from"),
    ],
)  # fmt: skip
def test_answers_that_do_not_go_together_are_refused_in_a_line(here, capsys, words, says):
    (line,) = lines(capsys, "t.yaml", *words)
    assert says in line
    assert not list(here.iterdir())


def test_a_file_that_is_there_stays_as_it_is(here, capsys):
    (here / "t.yaml").write_text("mine")
    (line,) = lines(capsys, "t.yaml", *SEVEN, "--handling", "replace")
    assert "exists already; choose another name" in line
    assert (here / "t.yaml").read_text() == "mine"


def test_a_file_made_meanwhile_stays_as_it_is(here, capsys, monkeypatch):
    text = template.text

    def slow(answers, name):
        (here / name).write_text("theirs")
        return text(answers, name)

    monkeypatch.setattr(template, "text", slow)
    (line,) = lines(capsys, "t.yaml")
    assert "exists already" in line
    assert [one.name for one in here.iterdir()] == ["t.yaml"]
    assert (here / "t.yaml").read_text() == "theirs"


def test_a_file_that_is_no_yaml_by_its_name_is_refused(capsys):
    (line,) = lines(capsys, "my-trial")
    assert line.endswith("(my-trial) does not end in .yaml; write my-trial.yaml")


def test_questions_have_their_defaults_in_brackets_and_are_asked_again_at_once(here, capsys, answering):
    answering(
        "0,2", "0.20", "0.1", "0.20", "0.4", "", "80", "0.90", "yes", "3", "", "", "excl", "exclude", "", "continue"
    )
    assert app.main(["init", "t.yaml"]) == 0
    shown = capsys.readouterr()
    assert "p0 [0.10]: " in shown.out
    assert [line.split(" (")[0] for line in shown.err.splitlines()] == [
        "simtrial: p0", "simtrial: p0", "simtrial: power", "simtrial: handling", "simtrial: handling",
    ]  # fmt: skip
    made = params.load(here / "t.yaml")
    assert (made.hypotheses.p0, made.hypotheses.p1, made.hypotheses.alpha, made.hypotheses.power) == (
        0.2,
        0.4,
        0.05,
        0.9,
    )
    assert (made.conduct.enrollment.rate, made.conduct.dropout.probability) == (3.0, 0.1)
    assert (made.conduct.dropout.handling, made.conduct.dropout.bounds) == ("exclude", "fixed")
    assert made.conduct.interim.accrual == "continue"


def test_only_what_options_leave_open_is_asked(here, answering):
    answering("no")
    assert app.main(["init", "t.yaml", *SEVEN[:8]]) == 0
    assert params.load(here / "t.yaml").conduct is None


def test_a_dropout_that_leaves_no_design_is_asked_again(here, capsys, answering):
    answering("yes", "2", "0.7", "nonresponder", "hold", "0.1")
    assert app.main(["init", "t.yaml", *SEVEN[:8]]) == 0
    assert "--dropout (0.7) is too large" in capsys.readouterr().err
    assert params.load(here / "t.yaml").conduct.dropout.probability == 0.1


def test_the_end_of_the_answers_leaves_no_file(here, capsys, answering):
    answering("0.1")
    assert app.main(["init", "t.yaml"]) == 1
    assert capsys.readouterr().err == "simtrial: interrupted; no file is left incomplete\n"
    assert not list(here.iterdir())


def test_a_registry_record_gives_what_import_registry_gives(here, root, capsys):
    record = str(root / "tests/reference/registry/NCT06008288.json")
    assert app.main(["import-registry", record]) == 0
    theirs = capsys.readouterr().out
    assert app.main(["init", "--from", record]) == 0
    assert capsys.readouterr().out == theirs
    assert app.main(["init", "t.yaml", "--from", record]) == 0
    assert (here / "t.yaml").read_text(encoding="utf-8") == theirs


def test_the_numbers_that_no_record_has_are_filled_with_those_that_are_given(here, root, capsys):
    record = str(root / "tests/reference/registry/NCT06008288.json")
    assert app.main(["init", "t.yaml", "--from", record, "--p0", "0.10", "--p1", ".3", "--alpha", "5e-2"]) == 0
    made = (here / "t.yaml").read_text(encoding="utf-8")
    assert "power must be given before" in " ".join(made.replace("#", "").split())
    assert re.search(r"^    # power: TO FILL$", made, flags=re.MULTILINE)
    assert app.main(["init", "u.yaml", "--from", record, *SEVEN[:8]]) == 0
    asked = params.load(here / "u.yaml").hypotheses
    assert (asked.p0, asked.p1, asked.alpha, asked.power) == (0.1, 0.3, 0.05, 0.8)
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == [
        "Wrote u.yaml.", "Next: replace what is marked TO FILL in it, then simtrial report u.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["-x.yaml", "a b.yaml", "it's.yaml"])
def test_the_next_commands_can_be_typed_as_they_stand(here, capsys, name):
    assert app.main(["init", *SEVEN[:8], "--", name]) == 0
    (next_,) = re.findall(r"Next: (.*)", capsys.readouterr().out)
    for one in next_.split(", "):
        command = shlex.split(one)
        assert (here / command[2]).samefile(here / name)
        assert not command[2].startswith("-")


def test_a_file_that_is_printed_is_followed_by_how_it_is_written(here, capsys):
    assert app.main(["init", "--example", "smoke"]) == 0
    said = capsys.readouterr().err
    assert said == "To write it to a file, add its name: simtrial init my-trial.yaml --example smoke\n"
    assert app.main(shlex.split(said.partition(": simtrial ")[2])) == 0
    assert params.load(here / "my-trial.yaml").study.id == "SMOKE"


@pytest.mark.parametrize("words", [[], ["--example", "smoke"]])
def test_quiet_leaves_nothing_but_the_file(here, capsys, words):
    assert app.main(["--quiet", "init", "t.yaml", *words]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err, (here / "t.yaml").exists()) == ("", "", True)


def test_no_default_is_offered_that_would_be_refused(capsys, answering):
    answering("0.4", "0.6", "", "", "no")
    assert app.main(["init", "t.yaml"]) == 0
    said = capsys.readouterr().out
    assert "p0 [0.10]: " in said
    assert "Response rate worth finding, p1: " in said
    answering("0.02", "", "", "no")
    assert app.main(["init", "u.yaml", "--p1", "0.05"]) == 0
    assert "pursuing, p0: " in capsys.readouterr().out


def test_accrual_is_held_by_enter_and_every_wrong_word_names_its_question(here, capsys, answering):
    answering("maybe", "yes", "2", "", "", "replace", "often", "")
    assert app.main(["init", "t.yaml", *SEVEN[:8]]) == 0
    shown = capsys.readouterr()
    assert "hold or continue [hold]: " in shown.out
    assert shown.err.splitlines() == [
        "simtrial: answer ('maybe') is unknown; write yes or no",
        "simtrial: handling ('') is unknown; write nonresponder, replace or exclude",
        "simtrial: accrual ('often') is unknown; write hold or continue",
    ]
    assert params.load(here / "t.yaml").conduct.interim.accrual == "hold"


def test_options_that_no_answer_can_mend_are_refused_before_any_question(capsys, answering):
    answering("0.1", "0.3")
    for words, says in (
        (["--alpha", ".95"], "--alpha (0.95) exceeds 0.5"), (["--handling", "foo"], "--handling ('foo') is"),
    ):  # fmt: skip
        (line,) = lines(capsys, "t.yaml", *words)
        assert says in line


def test_a_name_that_is_nothing_but_an_ending_is_refused(capsys):
    (line,) = lines(capsys, ".yaml")
    assert line.endswith("(.yaml) has no name before its .yaml; write my-trial.yaml")


def test_every_example_that_comes_with_simtrial_can_be_had(here, root, capsys):
    for one in sorted((root / "params").glob("*.yaml")):
        assert app.main(["init", one.name, "--example", one.stem]) == 0
        assert (here / one.name).read_bytes() == one.read_bytes()
        assert app.main(["init", "--example", one.name]) == 0
        assert capsys.readouterr().out.endswith(one.read_text(encoding="utf-8"))


def test_a_sweep_says_which_file_it_needs_beside_it(capsys):
    assert app.main(["init", "s.yaml", "--example", "sweep_NCT07022301"]) == 0
    (needs,) = re.findall(r"simtrial (init .*)", capsys.readouterr().out)
    assert app.main(needs.split()) == 0
    assert file.read("s.yaml").base.study.id == "NCT07022301"


def test_every_answer_has_its_option_and_its_key():
    trial = params.opened(trial_template.filled(trial_template.text(), {template.KEYS["rate"]: "2"}).encode(), "t.yaml")
    for place in template.KEYS.values():
        at = trial
        for part in place.split(".")[1:]:
            assert part in type(at).model_fields, place
            at = getattr(at, part)
    assert {name.removesuffix("_") for name in init.init.__annotations__} >= set(template.KEYS)
