"""What every room speaks: estimates, grids, provenance, errors, executors."""

from wholedose.base.errors import (
    Cancelled,
    InvalidInput,
    MissingInput,
    OutputFailed,
    OutsideDomain,
    UnknownName,
    WholedoseError,
    reading_record,
)
from wholedose.base.estimate import (
    AbsorbedDose,
    Activity,
    Cause,
    EffectiveDose,
    EquivalentDose,
    Estimate,
    Kerma,
    estimate_from_json,
)
from wholedose.base.executor import Executor, SerialExecutor, ThreadExecutor, available_cores
from wholedose.base.files import check_writable, write_atomically, write_folder_atomically
from wholedose.base.finding import Finding, Severity
from wholedose.base.grid import Grid, Volume, from_ras, ras_to_lps
from wholedose.base.provenance import Assumption, Provenance, digest_of
from wholedose.base.tagged import Tag, Tagged

__all__ = [
    "AbsorbedDose",
    "Activity",
    "Assumption",
    "Cancelled",
    "Cause",
    "EffectiveDose",
    "EquivalentDose",
    "Estimate",
    "Executor",
    "Finding",
    "Grid",
    "InvalidInput",
    "Kerma",
    "MissingInput",
    "OutputFailed",
    "OutsideDomain",
    "Provenance",
    "SerialExecutor",
    "Severity",
    "Tag",
    "Tagged",
    "ThreadExecutor",
    "UnknownName",
    "Volume",
    "WholedoseError",
    "available_cores",
    "check_writable",
    "digest_of",
    "estimate_from_json",
    "from_ras",
    "ras_to_lps",
    "reading_record",
    "write_atomically",
    "write_folder_atomically",
]
