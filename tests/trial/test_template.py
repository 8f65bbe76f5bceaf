"""The template of a parameter file: one source, every section in it, and answers put where they belong."""

import re
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from simtrial.errors import InputError
from simtrial.trial import params, template
from simtrial.trial.trial import Trial

LEFT_TO_THE_SCHEMA = {
    "rivals", "source", "complete_share", "landmark_months", "loss_to_follow_up_per_year", "from_month",
    "hazard_per_month", "looks_months", "until_month",
}  # fmt: skip
"""Keys that few files need: the schema explains them."""

RATE = "trial.conduct.enrollment.rate"


def sections(kind):
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from sections(part)


def test_the_template_is_the_example_file(root):
    assert template.text() == (root / "params/example.yaml").read_text(encoding="utf-8")


def test_the_template_names_every_section_of_the_schema():
    named = set(re.findall(r"^ *(?:# *)*(\w+):", template.text(), flags=re.MULTILINE))
    assert set(Trial.model_fields) - LEFT_TO_THE_SCHEMA <= named


@pytest.mark.parametrize("section", ["study", "hypotheses", "design", "conduct", "stated", "report"])
def test_the_template_names_every_key_of_a_main_section(section):
    text = template.text()
    start = re.search(rf"^  (?:# )?{section}:", text, flags=re.MULTILINE).start()
    end = text.find("\n\n", start)
    mine = text[start : end if end > 0 else None]
    (kind,) = set(sections(Trial.model_fields[section].annotation))
    missing = {key for key in set(kind.model_fields) - LEFT_TO_THE_SCHEMA if not re.search(rf"\b{key}\b", mine)}
    assert section == "stated" or not missing
    assert section != "stated" or {"n", "looks", "p0", "p1", "alpha", "power"} <= set(re.findall(r"(\w+):", mine))


def test_the_template_is_a_valid_file_with_and_without_the_section_conduct():
    assert params.opened(template.text().encode(), "t.yaml").conduct is None
    made = template.filled(template.text(), {RATE: "2.50"})
    assert params.opened(made.encode(), "t.yaml").conduct.enrollment.rate == 2.5


def test_only_the_lines_of_the_answers_change():
    before = template.text().splitlines()
    after = template.filled(template.text(), {"trial.hypotheses.p0": "0.20", "trial.hypotheses.low_power": "true"})
    changed = [(a, b) for a, b in zip(before, after.splitlines(), strict=True) if a != b]
    assert changed == [
        ("    p0: 0.10                          # response rate not worth pursuing",
         "    p0: 0.20                          # response rate not worth pursuing"),
        ("    # low_power: true                 # a power below 0.5 is meant, and is not beta",
         "    low_power: true                   # a power below 0.5 is meant, and is not beta"),
    ]  # fmt: skip


def test_a_section_that_becomes_part_of_the_file_keeps_what_is_optional_as_remarks():
    made = template.filled(template.text(), {RATE: "2"})
    conduct = yaml.safe_load(made)["trial"]["conduct"]
    assert set(conduct) == {"enrollment", "assessments", "dropout", "interim", "follow_up"}
    assert "screening_success" not in conduct["enrollment"]
    for key in ("screening_success", "patients", "cost", "scenarios", "simulation", "pending"):
        assert re.search(rf"^ +# {key}:", made, flags=re.MULTILINE), key
    assert max(map(len, made.splitlines())) <= 124  # the longest remark of the template moves with its section


def test_every_optional_key_within_an_opened_section_can_be_used_by_removing_its_mark():
    made = template.filled(template.text(), {RATE: "2"})
    for key in ("patients", "cost", "scenarios", "simulation"):
        lines = made.splitlines()
        at = next(k for k, line in enumerate(lines) if line.startswith(f"    # {key}:"))
        lines[at] = lines[at].replace("# ", "", 1)
        for k in range(at + 1, len(lines)):
            if not lines[k].startswith("    #   "):
                break
            lines[k] = lines[k].replace("# ", "", 1)
        assert getattr(params.opened("\n".join(lines).encode(), "t.yaml").conduct, key) is not None


def test_a_key_that_the_template_does_not_have_is_an_error_of_the_program():
    with pytest.raises(KeyError):
        template.filled(template.text(), {"trial.hypotheses.beta": "0.2"})


def test_an_answer_that_is_no_number_does_not_get_past_the_reader():
    made = template.filled(template.text(), {"trial.hypotheses.p0": "x"})
    with pytest.raises(InputError, match=r"trial\.hypotheses\.p0"):
        params.opened(made.encode(), "t.yaml")


def test_the_template_has_a_placeholder_that_is_known_as_one():
    said = params.opened(template.text().encode(), "t.yaml").hypotheses.rationale
    assert said.strip() == template.UNTOUCHED[0]
