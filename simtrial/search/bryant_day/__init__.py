"""Two-stage designs for response and toxicity together (Bryant and Day), worst case over the association included.

>>> from simtrial.search import bryant_day
>>> asked = bryant_day.BothRates(r0=0.1, r1=0.4, t0=0.6, t1=0.9, alpha_r=0.1, alpha_t=0.1, power=0.8)
>>> found = bryant_day.search(asked)
>>> str(found.optimal.design), str(found.minimax.design)
('0 and 3 of 5, 3 and 12 of 17', '1 and 6 of 9, 3 and 11 of 15')
"""

from simtrial.search.bryant_day.law import BothLaw, law
from simtrial.search.bryant_day.question import CORNERS, BothBounds, BothRates
from simtrial.search.bryant_day.solution import BothCandidate, BothFound, search

__all__ = ["BothRates", "BothBounds", "BothLaw", "BothCandidate", "BothFound", "CORNERS", "law", "search"]
