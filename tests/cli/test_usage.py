"""Slips on the command line: each is told with what was probably meant."""

import pytest

from simtrial import InputError, files
from simtrial.cli.app import main
from simtrial.trial import params

ASKED = ["--p0", ".1", "--p1", ".3", "--alpha", ".05", "--power", ".8"]


def told(capsys, *words):
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    lines = shown.err.splitlines()
    assert all(line.startswith("simtrial: ") for line in lines)
    return [line.removeprefix("simtrial: ") for line in lines]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("design --beta .2", "write --power 0.8 for --beta 0.2 (power is 1 - beta)"),
        ("design --beta=0.1", "write --power 0.9 for --beta 0.1"),
        ("design --pnull .1", "did you mean --p0?"),
        ("design --palt .1", "did you mean --p1?"),
        ("design --pu .1", "did you mean --p0?"),
        ("design --pa .1", "did you mean --p1?"),
        ("check --p2 .1", "did you mean --p1? (p0 is the response rate not worth pursuing, p1"),
        ("design --type1 .05", "did you mean --alpha?"),
        ("design --sig-level .05", "did you mean --alpha?"),
        ("design --total 25", "simtrial reproduce --n 25"),
        ("design --n1 10", "simtrial oc --looks"),
        ("design --criterion minimax", "Missing options --p0, --p1, --alpha, --power"),
        ("design --alpha-sided 2", "alpha is one-sided"),
        ("design --pwoer .8", "did you mean --power?"),
        ("design --nlimit 50", "--n-limit"),
        *(
            (f"{command} --alfa .05", "did you mean --alpha?")
            for command in ("design", "check", "reproduce", "analyze")
        ),
        ("design --alhpa .05", "did you mean --alpha?"),
        ("analyze --resp 3", "did you mean --responses?"),
        ("check --att .8", "did you mean --attained-power?"),
        ("check --p .1", "options of check are --p0"),  # which of three is not known
        ("design -p0 .1", "write --p0"),
        ("design \u2013p0 .1", "begins with a dash in place of two hyphens: write --p0"),
        ("design \u2014alpha .1", "write --alpha"),
        ("check --total 30", "did you mean --n?"),
        (
            "check --n1 10",
            "did you mean --looks? (give all stages together",
        ),
        ("check --alpha_sided 2", "write --alpha-sided"),
        ("check --dropout-rate .1", "did you mean --dropout?"),
        ("analyze --conf-level .9", "did you mean --level?"),
        ("analyze --responders 3", "did you mean --responses?"),
        ("simulate --nsim 9", "did you mean --trials?"),
        ("simulate --random-seed 9", "did you mean --seed?"),
        ("report --output x", "did you mean --out?"),
        ("report --file x", "name the file alone: simtrial report FILE"),
        ("oc --zebra 1", "options of oc are --looks, --p, --json"),
        ("--zebra", "options follow the command"),
        ("--verison", "did you mean --version?"),
        ("simon", "did you mean simtrial design?"),
        ("power", "did you mean simtrial design?"),
        ("samplesize", "did you mean simtrial design?"),
        ("desing", "did you mean simtrial design?"),
        ("analyse", "did you mean simtrial analyze?"),
        ("import", "did you mean simtrial import-registry?"),
        ("params/smoke.yaml", "did you mean simtrial report params/smoke.yaml?"),
        ("zebra", "commands are design, oc, bounds, toxicity,"),
        ("report", "write simtrial report FILE"),
        ("design --p0 .1", "Missing options --p1, --alpha, --power; write simtrial design --p0 RATE"),
        ("design .1 .3 .05 .8", "write simtrial design --p0 RATE --p1 RATE --alpha RATE --power RATE"),
    ],
)
def test_a_slip_is_answered_with_its_remedy_in_one_line(capsys, words, remedy):
    (line,) = told(capsys, *words.split(" "))
    assert remedy in line


def test_every_unknown_option_is_told(capsys):
    first, *others = told(capsys, "design", "--pnull", ".1", "--palt", ".3", "--alpha", ".05", "--beta", ".2")
    assert first.endswith("(and 2 more mistakes)")
    assert [line.partition(";")[0] for line in others] == ["no such option: --palt", "no such option: --beta"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("15", "p0 (15) is not strictly between 0 and 1; write 0.15 for 15%"),
        ("15%", "'15%' is a percentage; write 0.15 for 15%"),
        ("0,15", "'0,15' uses a decimal comma; write 0.15"),
        (".1.", "'.1.' is not a number; did you mean .1?"),
    ],
)
def test_a_rate_in_another_notation_is_told_how_it_is_written(capsys, given, said):
    (line,) = told(capsys, "design", "--p0", given, *ASKED[2:])
    assert said in line


@pytest.mark.parametrize("given", ["1e-1", "0.1", ".1", "+.1", " 0.1 "])
def test_a_rate_is_read_as_people_type_it(capsys, given):
    assert main(["oc", "--looks", "5/25", "--p", given, "--json"]) == 0
    assert '"p": [0.1]' in capsys.readouterr().out


def test_all_numbers_of_a_command_in_percent_are_told_at_once(capsys):
    lines = told(capsys, "design", "--p0", "10", "--p1", "30", "--alpha", "5", "--power", "80")
    assert [line.split()[0] for line in lines] == ["--p0", "--p1", "--alpha", "--power"]


def test_a_low_power_is_designed_for_only_if_it_is_meant(capsys):
    (line,) = told(capsys, "design", *ASKED[:-1], ".2")
    assert line == "power (0.2) is below 0.5; did you mean 0.8 (1 - beta)? If 0.2 is meant, add --low-power"
    assert main(["design", *ASKED[:-1], ".2", "--low-power", "--json"]) == 0


@pytest.mark.parametrize(
    "tried",
    ["params/smok.yaml", "parms/smoke.yaml", "smoke.yaml", "params/smoke.yml", "params/smoke", "params/Smoke.yaml"],
)
def test_a_missing_file_is_answered_with_the_one_of_a_like_name(tmp_path, monkeypatch, smoke_text, tried):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params").mkdir()
    for name in ("smoke.yaml", "example.yaml"):
        (tmp_path / "params" / name).write_text(smoke_text, encoding="utf-8")
    monkeypatch.setattr("simtrial.project.ROOT", tmp_path)
    with pytest.raises(InputError, match=r"No such file or directory; did you mean params/smoke\.yaml\?$"):
        params.load(tried)


def test_nothing_is_suggested_where_nothing_is_like_it(tmp_path):
    assert files.meant(tmp_path / "no/such/place.yaml") is None
    (tmp_path / "a.yaml").write_text("")
    assert files.meant(tmp_path / "zebra.yaml") is None
