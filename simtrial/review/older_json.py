"""A record of the older JSON of ClinicalTrials.gov, whose keys begin with a capital, brought to the version 2 API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.review import study_xml

if TYPE_CHECKING:
    from simtrial.review.record import StudyProtocol


def _at(section: StudyProtocol, *names: str) -> object:
    here: object = section
    for name in names:
        here = here.get(name) if isinstance(here, dict) else None
    return here


def _text(section: StudyProtocol, *names: str) -> str:
    found = _at(section, *names)
    return found if isinstance(found, str) else ""


def _listed(section: StudyProtocol, *names: str) -> list[object]:
    found = _at(section, *names)
    return found if isinstance(found, list) else []


def _outcomes(section: StudyProtocol, kind: str) -> list[StudyProtocol]:
    """The primary or the secondary outcomes."""
    return [
        {
            "measure": row.get(f"{kind}OutcomeMeasure"),
            "timeFrame": row.get(f"{kind}OutcomeTimeFrame"),
            "description": row.get(f"{kind}OutcomeDescription"),
        }
        for row in _listed(section, "OutcomesModule", f"{kind}OutcomeList", f"{kind}Outcome")
        if isinstance(row, dict)
    ]


def protocol(section: StudyProtocol) -> StudyProtocol:
    """Bring the ``ProtocolSection`` of a record to the ``protocolSection`` of the version 2 API."""
    status, design, info = "StatusModule", "DesignModule", "DesignInfo"
    phases = [
        study_xml.phases(phase) for phase in _listed(section, design, "PhaseList", "Phase") if isinstance(phase, str)
    ]
    return {
        "identificationModule": {
            "nctId": _text(section, "IdentificationModule", "NCTId"),
            "briefTitle": _text(section, "IdentificationModule", "BriefTitle"),
            "officialTitle": _text(section, "IdentificationModule", "OfficialTitle"),
        },
        "statusModule": {
            "startDateStruct": {"date": study_xml.day(_text(section, status, "StartDateStruct", "StartDate"))},
            "completionDateStruct": {
                "date": study_xml.day(_text(section, status, "CompletionDateStruct", "CompletionDate"))
            },
        },
        "descriptionModule": {
            "briefSummary": _text(section, "DescriptionModule", "BriefSummary"),
            "detailedDescription": _text(section, "DescriptionModule", "DetailedDescription"),
        },
        "designModule": {
            "studyType": study_xml.word(_text(section, design, "StudyType")),
            "phases": [phase for several in phases for phase in several],
            "designInfo": {
                "allocation": study_xml.word(_text(section, design, info, "DesignAllocation")),
                "interventionModel": study_xml.word(_text(section, design, info, "DesignInterventionModel")),
            },
            "enrollmentInfo": {
                "count": study_xml.whole(_text(section, design, "EnrollmentInfo", "EnrollmentCount")),
                "type": study_xml.enrolled(_text(section, design, "EnrollmentInfo", "EnrollmentType")),
            },
        },
        "armsInterventionsModule": {
            "armGroups": [
                {"label": arm.get("ArmGroupLabel")}
                for arm in _listed(section, "ArmsInterventionsModule", "ArmGroupList", "ArmGroup")
                if isinstance(arm, dict)
            ]
        },
        "outcomesModule": {
            "primaryOutcomes": _outcomes(section, "Primary"),
            "secondaryOutcomes": _outcomes(section, "Secondary"),
        },
    }
