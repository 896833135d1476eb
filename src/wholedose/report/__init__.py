"""Documents: the physicist's report and the patient's letter, each one HTML file that needs nothing else."""

from wholedose.report import words
from wholedose.report.build import Report, build
from wholedose.report.words import reading_grade

__all__ = ["Report", "build", "reading_grade", "words"]
