"""The section of texts that a protocol states beside its numbers: who does what, where, and with which software."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simtrial.trial.section import Section, Text

Provision = Annotated[Text, Field(max_length=1500)]
"""A sentence or a few, printed as they are."""


class ProtocolTexts(Section):
    """Texts of the protocol beside its numbers; what is left out is marked there as to be completed."""

    sap: Provision | None = Field(
        None,
        description="The statistical analysis plan: whether it is a separate document and when it is completed.",
    )
    software: Provision | None = Field(None, description="Software of the analysis, with its version.")
    baseline: Provision | None = Field(
        None, description="Analyses of demographics and baseline: the variables and how they are summarised."
    )
    missing_data: Provision | None = Field(
        None,
        description="What else is to be stated on missing response assessments, such as the reason for their handling.",
    )
    duration_of_response: bool | None = Field(
        None, description="true: the duration of response is a secondary endpoint."
    )
    secondary_events: Provision | None = Field(
        None,
        description="How intercurrent events are handled in the secondary endpoints, such as a new anticancer therapy "
        "before progression.",
    )
    safety_set: Provision | None = Field(
        None, description="Which patients are in the safety analyses, such as all who received at least one dose."
    )
    safety: Provision | None = Field(None, description="How safety is monitored during the trial, and by whom.")
    toxicity: Provision | None = Field(
        None,
        description="Definition of the toxicity that is counted, such as grade 3 or higher and related to treatment.",
    )
    stopping: Provision | None = Field(
        None, description="Reasons to stop the trial beside the number of responses, such as toxicity or slow accrual."
    )
    interim_performed_by: Provision | None = Field(None, description="Who performs the interim analyses.")
    interim_reviewed_by: Provision | None = Field(None, description="Who reviews the interim analyses.")
    interim_decided_by: Provision | None = Field(None, description="Who decides whether the trial continues.")
    interim_seen_by: Provision | None = Field(
        None, description="Who sees the data and the results of an interim analysis."
    )
    integrity: Provision | None = Field(
        None, description="How the integrity of the trial is kept at an interim analysis."
    )
