"""Long work: one request from input to result, with progress, cancelling and replay."""

from wholedose.jobs.ct import CtOutcome, CtRequest, run_ct

__all__ = ["CtOutcome", "CtRequest", "run_ct"]
