"""The answers: designs that meet the limits, each family with the proof that nothing better exists."""

from simtrial.search.aim import Aim
from simtrial.search.bounds import LEAST_ERROR, LEAST_RATE, can_have_power, score_n, smallest_r
from simtrial.search.calendar import CALENDAR, CalendarCriterion
from simtrial.search.candidate import Candidate, TwoStageCandidate
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.criteria import CRITERIA, USUAL, choose, family, named
from simtrial.search.families import FAMILIES
from simtrial.search.record import AnyCriterion, AnyFamily, Certificate, Criterion, Family, SearchResult
from simtrial.search.simon import TwoStageCertificate, TwoStageSearch, two_stage
from simtrial.search.single import SawTooth, SingleStageSearch, saw_tooth, single_stage

__all__ = [
    "single_stage",
    "two_stage",
    "choose",
    "Candidate",
    "TwoStageCandidate",
    "SingleStageSearch",
    "TwoStageSearch",
    "TwoStageCertificate",
    "SawTooth",
    "saw_tooth",
    "smallest_r",
    "score_n",
    "can_have_power",
    "LEAST_RATE",
    "LEAST_ERROR",
    "CRITERIA",
    "USUAL",
    "CALENDAR",
    "CalendarCriterion",
    "named",
    "FAMILIES",
    "Criterion",
    "Family",
    "AnyCriterion",
    "AnyFamily",
    "Certificate",
    "SearchResult",
    "Aim",
    "Constraints",
    "FREE",
    "family",
]
