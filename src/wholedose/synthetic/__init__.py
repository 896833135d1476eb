"""Simulated studies with known truth, as a scanner would write them."""

from wholedose.synthetic.study import StudyTruth, simulate_study

__all__ = ["StudyTruth", "simulate_study"]
