"""Parameter files: what is read, and every way in which a wrong one is refused in one line."""

import json

import pytest
import yaml

from simtrial import InputError, Requirements, TwoStage, slips
from simtrial.trial import params


@pytest.fixture
def write(tmp_path):
    def to_file(text, name="x.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return to_file


@pytest.mark.parametrize("name", ["NCT07022301", "NCT07022301_p20_p40", "example", "smoke"])
def test_every_shipped_file_is_read(name, root):
    trial = params.load(root / "params" / f"{name}.yaml")
    assert trial.hypotheses.rationale
    assert params.load(trial.plain()) == trial
    assert json.loads(json.dumps(trial.plain())) == trial.plain()


def test_the_seed_trial_says_that_its_hypotheses_are_assumed(root):
    for name in ("NCT07022301", "NCT07022301_p20_p40"):
        trial = params.load(root / "params" / f"{name}.yaml")
        assert trial.study.registered_enrollment == 25
        assert trial.hypotheses.basis == "assumed"
        assert "no sample-size rationale" in trial.hypotheses.rationale
        assert trial.evidence


def test_the_seed_trial_asks_for_the_minimax_design(root):
    trial = params.load(root / "params/NCT07022301.yaml")
    assert trial.requirements == Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
    assert trial.wish == "minimax"


def test_what_was_read_is_fingerprinted(write, smoke_text):
    import hashlib

    path = write(smoke_text)
    _, source = params.read(path)
    assert source.path == path
    assert source.sha256 == hashlib.sha256(smoke_text.encode()).hexdigest()


def test_looks_are_taken_as_a_design(write, smoke_text):
    trial = params.load(write(smoke_text.replace("criterion: minimax", "looks: 1/10,5/29")))
    assert trial.wish == TwoStage(r1=1, n1=10, r=5, n=29)


def test_a_relative_path_counts_from_the_clone_where_it_is_not_found_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert params.load("params/smoke.yaml").study.id == "SMOKE"


@pytest.mark.parametrize("number", ["2e-1", "0.2", ".2", "+0.20", "2E-1"])
def test_plain_numbers_are_numbers(write, smoke_text, number):
    assert params.load(write(smoke_text.replace("p0: 0.2", f"p0: {number}"))).hypotheses.p0 == 0.2


@pytest.mark.parametrize("word", ["no", "yes", "on", "2025-07-31", "12:30:00"])
def test_plain_words_stay_words(write, smoke_text, word):
    title = "A small design for the tests"
    assert params.load(write(smoke_text.replace(title, word))).study.title == word


REFUSED = {
    "unknown key": ("p0: 0.2", "p0: 0.2\n    beta: 0.1", "trial.hypotheses.beta is not a known key; write power: 0.9"),
    "misspelt key": ("p0: 0.2", "po: 0.2", "trial.hypotheses.po is not a known key; did you mean p0?"),
    "unknown section": (
        "  design:",
        "  desing: {}\n  design:",
        "trial.desing is not a known key; did you mean design?",
    ),
    "foreign key": (
        "p0: 0.2",
        "p0: 0.2\n    zebra: 1",
        "trial.hypotheses.zebra is not a known key; known keys are p0, p1, alpha, power, basis, rationale,",
    ),
    "key of another section": (
        "criterion: minimax",
        "criterion: minimax\n    rationale: x",
        "trial.design.rationale is not a known key here; it belongs to trial.hypotheses",
    ),
    "another name of a key": ("p0: 0.2", "p_null: 0.2", "trial.hypotheses.p_null is not a known key; did you mean p0?"),
    "key in capitals": ("p0: 0.2", "P0: 0.2", "trial.hypotheses.P0 is not a known key; did you mean p0?"),
    "rate in percent": ("p0: 0.2", "p0: 15", "(15) is not strictly between 0 and 1; write 0.15 for 15%"),
    "percent sign": ("p0: 0.2", "p0: 15%", "trial.hypotheses.p0 ('15%') is a percentage; write 0.15 for 15%"),
    "decimal comma": ("p0: 0.2", "p0: 0,15", "trial.hypotheses.p0 ('0,15') uses a decimal comma; write 0.15"),
    "decimal comma in braces": ("p0: 0.2", "x: {p0: 0,05}", "line 8: p0 (0,05) uses a decimal comma; write 0.05"),
    "first of several in braces": ("p0: 0.2", "x: {p0: 0,1, p1: 0,1}", "line 8: p0 (0,1) uses a decimal comma; write"),
    "comma of thousands in braces": (
        "p0: 0.2",
        "x: {n: 1,000}",
        "n (1,000) holds a separator of thousands; write 1000",
    ),
    "number for a key": (
        "p0: 0.2",
        "p0: 0.2\n    5: 1",
        "trial.hypotheses.5 (5) stands where a key is expected, which",
    ),
    "point too many": ("p0: 0.2", "p0: .1.", "trial.hypotheses.p0 ('.1.') is not a number; did you mean .1?"),
    "beta for power": ("power: 0.8", "power: 0.2", "power (0.2) is below 0.5; did you mean 0.8 (1 - beta)? If 0.2 is"),
    "confidence for alpha": ("alpha: 0.1", "alpha: 0.95", "alpha (0.95) exceeds 0.5; did you mean 0.05"),
    "alpha and power swapped": (
        "alpha: 0.1\n    power: 0.8",
        "alpha: 0.8\n    power: 0.1",
        "trial.hypotheses.alpha (0.8) exceeds power (0.1); are the two swapped?",
    ),
    "tab": ("    p0: 0.2", "\tp0: 0.2", "line 8: is indented with a tab; indent with spaces"),
    "tabs": (
        "    p0: 0.2\n    p1: 0.6",
        "\tp0: 0.2\n\tp1: 0.6",
        "line 8: is indented with a tab (and line 9); indent with spaces",
    ),
    "colon in a title": (
        "A small design",
        "Small: a design",
        "mapping values are not allowed here; write text that holds a colon in quotes, and begin the keys of",
    ),
    "keys out of line": ("    p0: 0.2", "   p0: 0.2", "the keys of a section in one column"),
    "half as a whole number": (
        "registered_enrollment: 14",
        "registered_enrollment: 14.0",
        "(14.0) is written as a decimal number; write 14",
    ),
    "repeated key": ("p0: 0.2", "p0: 0.2\n    p0: 0.3", "line 9: the key 'p0' is given twice"),
    "missing key": ("    alpha: 0.1\n", "", "trial.hypotheses.alpha is missing"),
    "octal look": ("p0: 0.2", "p0: 010", "line 8: p0 (010) starts with a zero"),
    "nan": ("p0: 0.2", "p0: .nan", "trial.hypotheses.p0 (nan) is not a finite number"),
    "inf": ("p1: 0.6", "p1: .inf", "trial.hypotheses.p1 (inf) is not a finite number"),
    "word for number": ("p0: 0.2", "p0: no", "trial.hypotheses.p0 ('no') is not a number"),
    "text for number": ("p0: 0.2", "p0: '0.2'", "trial.hypotheses.p0 ('0.2') is text; write the number without quotes"),
    "true for number": ("p0: 0.2", "p0: true", "trial.hypotheses.p0 (True) is not a number"),
    "null for number": ("p0: 0.2", "p0: null", "trial.hypotheses.p0 (None) is not a number"),
    "endless number": ("p0: 0.2", f"p0: 0.{'2' * 50}", "a number has more than 40 characters"),
    "p0 not below p1": ("p0: 0.2", "p0: 0.7", "trial.hypotheses.p0 (0.7) is not below p1 (0.6)"),
    "p0 zero": ("p0: 0.2", "p0: 0", "trial.hypotheses.p0 (0) is not strictly between 0 and 1"),
    "power one": ("power: 0.8", "power: 1", "trial.hypotheses.power (1) is not strictly between 0 and 1"),
    "alpha in percent": (
        "alpha: 0.1",
        "alpha: 10",
        "trial.hypotheses.alpha (10) is not strictly between 0 and 1; write 0.1 for 10%",
    ),
    "r1 not below n1": ("criterion: minimax", "looks: 10/10,12/29", "trial.design.looks r1 (10) is not below n1 (10)"),
    "n1 not below n": ("criterion: minimax", "looks: 1/29,5/29", "trial.design.looks n1 (29) is not below n (29)"),
    "r not below n": ("criterion: minimax", "looks: 1/10,29/29", "trial.design.looks r (29) is not below n (29)"),
    "looks misshapen": (
        "criterion: minimax",
        "looks: 1-10",
        "trial.design.looks ('1-10') does not have the form R/N or R:E/N; write looks as 1/10,5/29",
    ),
    "unknown criterion": ("minimax", "best", "trial.design.criterion ('best') is unknown; write 'minimax', 'optimal'"),
    "both wishes": ("minimax", "minimax\n    looks: 5/25", "trial.design needs exactly one of criterion and looks"),
    "no wish": ("criterion: minimax", "{}", "trial.design needs exactly one of criterion and looks"),
    "half a patient": ("registered_enrollment: 14", "registered_enrollment: 14.5", "(14.5) is not a whole number"),
    "no such day": (
        "registered_enrollment: 14",
        "start: 2025-02-30",
        "trial.study.start ('2025-02-30') is not a date; write it as 2025-07-31",
    ),
    "ends before it starts": (
        "registered_enrollment: 14",
        "start: 2026-01-01\n    completion: 2025-01-01",
        "trial.study.completion (2025-01-01) is not after start (2026-01-01)",
    ),
    "a path for an id": (
        "id: SMOKE",
        "id: ../../etc",
        "trial.study.id ('../../etc') is not a name of at most 64 letters, digits, '.', '_' or '-' that",
    ),
    "terminal escape": (
        "A small design for the tests",
        '"\\e[31mred"',
        "title holds the control character",
    ),
    "endless title": ("A small design for the tests", "x" * 400, "trial.study.title"),
    "alias": ("id: SMOKE", "id: &a SMOKE\n    source: *a", "line 5: aliases are not allowed; write the value out"),
    "python tag": ("id: SMOKE", "id: !!python/name:os.system", "line 4: the tag 'tag:yaml.org,2002:python/name"),
    "octal by tag": (
        "p0: 0.2",
        "p0: !!int 010",
        "the tag 'tag:yaml.org,2002:int' is not allowed; write the value plainly",
    ),
    "nonsense by tag": ("p0: 0.2", "p0: !number abc", "the tag '!number' is not allowed; write the value plainly"),
    "escape in a key": (
        "p0: 0.2",
        'p0: 0.2\n    "a\\nb\\e[31m": 1',
        "trial.hypotheses.a\\nb\\x1b[31m is not a known key",
    ),
    "two lines for one": (
        "A small design for the tests",
        '"a\\nb"',
        "trial.study.title has more than one line; write it in one",
    ),
    "week date": (
        "registered_enrollment: 14",
        "start: 2025-W01-1",
        "start ('2025-W01-1') is not a date; write it as 2025-07-31",
    ),
    "the name of the handout": (
        "id: SMOKE",
        "id: Teaching",
        "('Teaching') is reserved for simtrial's own results; choose another",
    ),
    "a name that is taken": (
        "id: SMOKE",
        "id: validation",
        "('validation') is reserved for simtrial's own results; choose another",
    ),
    "a failed name": (
        "id: SMOKE",
        "id: SMOKE.failed",
        "('SMOKE.failed') is reserved for simtrial's own results; choose another",
    ),
    "contradicting evidence": (
        "  design:",
        "  evidence:\n    - {treatment: a, setting: b, n: 10, responders: 5, orr_percent: 5, source: c}\n  design:",
        "trial.evidence.0.orr_percent (5) contradicts 5 of 10, which is 50.0",
    ),
    "limit too high": (
        "criterion: minimax",
        "criterion: minimax\n    n_limit: 9000",
        "trial.design.n_limit (9000) is not a whole number from 1 to 3,000",
    ),
    "second document": ("  design:", "---\n  design:", "line"),
    "code in a key": ("trial:", "trial = 1; import os; x: 3\ntrial:", "trial = 1; import os; x is not a known key"),
}


@pytest.mark.parametrize(("old", "new", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_file_is_refused_in_one_line_that_names_it(write, smoke_text, old, new, message):
    assert old in smoke_text
    path = write(smoke_text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        params.load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}")
    assert message in said
    assert "\n" not in said
    assert len(said) < len(str(path)) + 300


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not hold the one key trial:"),
        (b"- 1\n- 2\n", "does not hold the one key trial:"),
        (b"trial: 3\n", "trial (3) is not a section with keys"),
        (b"a: b: c\n", "mapping values are not allowed"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"trial: \x00", "is not YAML"),
        (b"[" * 5000, "is nested too deeply"),
        (b"# " + b"x" * 300_000, "is larger than 262,144 bytes"),
        (b"? [a]\n: 1\n", "found unhashable key"),
        (rb'a: "\UFFFFFFFF"', "holds an escape (\\U or \\u) that stands for no character"),
        (rb'a: "\U00110000"', "holds an escape (\\U or \\u) that stands for no character"),
        (rb'a: "\uD83D\uDE00"', r"line 1: '\ud83d' is half of a character; write the character itself"),
        (rb'"\uD800": 1', r"line 1: '\ud800' is half of a character"),
        (b"\n\na: \xc2\x9b1\n", r"line 3: is not YAML: it holds the control character '\x9b'; leave it out"),
        (b"- " * 5000, "is nested too deeply"),
        (b"{a: " * 60, "is nested too deeply"),
        (b"? " * 50_000, "is nested too deeply"),
        (b"trial: {a: 1}\n---\ntrial: {a: 1}\n", "found another document"),
        (b"%YAML 9.9\n---\na: 1\n", "found incompatible YAML document"),
        (b"? {a: 1}\n: 1\n", "found unhashable key"),
        ("trial: 1".encode("utf-16"), "is not UTF-8 text"),
        (b"trial: \xed\xa0\x80", "is not UTF-8 text"),
        (b"trial: 1e99999", "trial (inf) is not a section"),
    ],
    ids=lambda v: v[:20].decode("latin-1") if isinstance(v, bytes) else None,
)
def test_what_is_no_parameter_file_is_refused_in_one_line(write, content, message):
    with pytest.raises(InputError) as caught:
        params.load(write(content))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_many_keys_is_refused_before_they_are_compared(write, monkeypatch):
    monkeypatch.setattr(params, "MAX_NODES", 50)
    with pytest.raises(InputError, match=r"line 3: holds more than 50 keys and values; no more are read$"):
        params.load(write("trial:\n  [1, 2, 3,\n" + "4, " * 50 + "]"))


def test_of_very_many_unknown_keys_only_those_listed_are_looked_up(write, smoke_text, monkeypatch):
    looked = []
    monkeypatch.setattr(slips, "nearest", lambda *words: looked.append(words) or "")
    with pytest.raises(InputError, match=r"and 299 more mistakes\)"):
        params.load(write(smoke_text + "".join(f"  key{k}: 1\n" for k in range(300))))
    assert len(looked) < 30


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read: No such file"):
        params.load(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="is a folder; name a regular file"):
        params.load(tmp_path)


def test_a_mapping_is_held_to_the_same_rules(smoke_text):
    trial = yaml.safe_load(smoke_text)["trial"]
    assert params.load(trial).study.id == "SMOKE"
    trial["hypotheses"]["p0"] = "2e-1"
    with pytest.raises(InputError, match=r"^trial\.hypotheses\.p0 \('2e-1'\) is text; write the number without quotes"):
        params.load(trial)


def test_a_pasted_title_may_hold_a_no_break_space(write, smoke_text):
    text = smoke_text.replace("A small design", "A\u00a0small \u2264 design")
    assert params.load(write(text)).study.title == "A\u00a0small \u2264 design for the tests"


def test_the_trial_is_frozen(root):
    trial = params.load(root / "params/smoke.yaml")
    with pytest.raises(ValueError, match="frozen"):
        trial.hypotheses.p0 = 0.5


def test_the_schema_knows_every_key_and_forbids_others():
    schema = params.json_schema()
    hypotheses = schema["$defs"]["Hypotheses"]
    assert set(hypotheses["required"]) == {"p0", "p1", "alpha", "power", "basis"}
    assert hypotheses["additionalProperties"] is False
    assert hypotheses["properties"]["p0"]["maximum"] < 1
    assert schema["required"] == ["trial"]


def test_every_mistake_of_a_file_is_told_in_a_line_of_its_own(write, smoke_text):
    wrong = smoke_text.replace("p0: 0.2", "p0: 20").replace("p1: 0.6", "p1: 60%").replace("minimax", "minmax")
    with pytest.raises(InputError) as caught:
        params.load(write(wrong.replace("trials: 2000", "trails: 2000")))
    first, *others = caught.value.lines
    assert first.endswith(
        "trial.conduct.simulation.trails is not a known key; did you mean trials? (and 3 more mistakes)"
    )
    assert "trial.hypotheses.p0 (20) is not strictly between 0 and 1; write 0.2 for 20%" in others[0]
    assert "trial.hypotheses.p1 ('60%') is a percentage; write 0.6 for 60%" in others[1]
    assert "trial.design.criterion ('minmax') is unknown; write 'minimax'" in others[2]
    assert all(line.startswith(str(caught.value.field.partition(":")[0])) for line in caught.value.lines)


def test_all_four_numbers_in_percent_are_told_at_once(write, smoke_text):
    wrong = smoke_text
    for old, new in (("p0: 0.2", "p0: 20"), ("p1: 0.6", "p1: 60"), ("alpha: 0.1", "alpha: 10"), ("0.8\n", "80\n")):
        wrong = wrong.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        params.load(write(wrong))
    assert [line.rpartition("; ")[2] for line in caught.value.lines] == [
        "write 0.2 for 20% (and 3 more mistakes)", "write 0.6 for 60%", "write 0.1 for 10%", "write 0.8 for 80%",
    ]  # fmt: skip


def test_a_low_power_that_is_meant_is_taken(write, smoke_text):
    said = smoke_text.replace("power: 0.8", "power: 0.4\n    low_power: true")
    assert params.load(write(said)).requirements.power == 0.4
    assert "low_power" not in json.dumps(params.load(write(smoke_text)).plain())  # a sweep's fingerprint stays


def test_a_confidence_level_given_as_its_complement_is_refused(write, smoke_text):
    results = smoke_text + "  analysis: {responses: 3, level: 0.05}\n"
    with pytest.raises(InputError, match=r"trial\.analysis\.level \(0\.05\) is below 0\.5; did you mean 0\.95"):
        params.load(write(results))


def test_a_file_without_its_root_key_is_told_to_indent(write, smoke_text):
    bare = "\n".join(line[2:] for line in smoke_text.splitlines()[2:])
    with pytest.raises(InputError, match="lacks the key trial: above study, hypotheses, design, conduct"):
        params.load(write(bare))


def test_a_sweep_file_is_no_parameter_file(root):
    with pytest.raises(InputError, match=r"is a sweep file, not a parameter file; run it with: simtrial sweep FILE"):
        params.load(root / "params/sweep_NCT07022301.yaml")
