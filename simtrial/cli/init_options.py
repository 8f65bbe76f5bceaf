"""The options of `init`: numbers are kept as they are typed, since they are written as such."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simtrial.cli import new_file, options


def _new(text: str) -> Path:
    """Read the name of the parameter file to be made."""
    path = new_file.read(text)
    if path.suffix.lower() not in (".yaml", ".yml"):
        if path.name in (".yaml", ".yml"):
            raise typer.BadParameter(f"({path}) has no name before its {path.name}; write my-trial.yaml")
        raise typer.BadParameter(f"({path}) does not end in .yaml; write {path.with_suffix('.yaml')}")
    return path


NewFile = Annotated[
    Path | None,
    typer.Argument(parser=_new, metavar="FILE", help="The file to be written, such as my-trial.yaml."),
]
TypedNull = Annotated[
    str | None, options.number_option("rate", "Response rate not worth pursuing; it goes with --p1.", "text")
]
TypedWorth = Annotated[str | None, options.number_option("rate", "Response rate worth finding.", "text")]
TypedAlpha = Annotated[
    str | None, options.number_option("error", "Largest type I error, one-sided.  [default: 0.05]", "text")
]
TypedPower = Annotated[str | None, options.number_option("error", "Smallest power at p1.  [default: 0.80]", "text")]
TypedEnrollment = Annotated[
    str | None,
    options.number_option(
        "enrollment_rate", "Patients screened per month; it goes with --dropout and --handling.", "text"
    ),
]
TypedDropout = Annotated[
    str | None,
    options.number_option("dropout", "Share of patients who drop out before their first assessment.", "text"),
]
StatedHandling = Annotated[
    str | None,
    typer.Option(help="How patients who drop out count: nonresponder, replace or exclude. It has no default."),
]
StatedBounds = Annotated[
    str | None, typer.Option(help="With exclude: 'fixed' bounds, or 'recut': recalculated.  [default: fixed]")
]
StatedAccrual = Annotated[
    str | None,
    typer.Option(help="Accrual while an interim analysis is pending: hold or continue.  [default: hold]"),
]
ShortName = Annotated[
    str | None, typer.Option("--id", help="Short name of the study.  [default: from the name of the file]")
]
FullTitle = Annotated[str | None, typer.Option(help="Title of the study.")]
LowPowerMeant = Annotated[bool, typer.Option("--low-power", help="A power below 0.5 is meant.")]
SavedRecord = Annotated[
    Path | None,
    typer.Option("--from", metavar="RECORD", help="Saved record of ClinicalTrials.gov, as for import-registry."),
]
StudyOfRecord = Annotated[
    str | None, typer.Option(metavar="NCT...", help="With --from: the study, if the record holds several.")
]
ExampleName = Annotated[
    str | None, typer.Option(metavar="NAME", help="Copy an example that comes with simtrial, such as toxicity.")
]
