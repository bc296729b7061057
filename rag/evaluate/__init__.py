"""Judged questions → measures. Knows no HTTP.

sets       public formats and our own → documents, questions, what is right
ranking    is the right document high in the list?      nDCG, reciprocal rank, recall
answers    is the answer right, rightly cited, rightly declined?
statistics how sure a mean is, and whether two settings differ
page       all of it as one HTML file
"""

from rag.evaluate.answers import Judged, Measures, Outcome, judge, load, measure, places, report, run, squeezed

__all__ = ["Judged", "Measures", "Outcome", "judge", "load", "measure", "places", "report", "run", "squeezed"]
