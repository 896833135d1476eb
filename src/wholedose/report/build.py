"""From results to a document. Defines `build` and `Report`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wholedose._version import __version__
from wholedose.base import UnknownName
from wholedose.base.files import write_atomically
from wholedose.report.case import gather
from wholedose.report.risks import summarise

if TYPE_CHECKING:
    from jinja2 import Environment

Audience = Literal["physicist", "patient"]
AUDIENCES = ("physicist", "patient")
LANGUAGES = ("en",)
SOFTWARE = f"wholedose {__version__}"


@dataclass(frozen=True)
class Report:
    """A finished document.

    Attributes
    ----------
    html : str
        One file that holds all it needs: no script, no request to anywhere.
    title : str
    audience : {"physicist", "patient"}
    language : str
    """

    html: str
    title: str
    audience: Audience
    language: str = "en"

    def save(self, path: str | Path) -> Path:
        """Write the document whole or not at all.

        Raises
        ------
        OutputFailed
            The disk is full or the place cannot be written; nothing half-written is left.
        """
        return write_atomically(path, self.html)


def build(
    result: Any,
    appraisal: Any = None,
    *,
    audience: Audience = "physicist",
    language: str = "en",
    results: Iterable[Any] = (),
    evidence: Sequence[Mapping[str, Any]] = (),
    findings: Sequence[tuple[str, str]] = (),
    heading: str = "",
    sender: str = "",
    contact: str = "",
    benefit: str = "",
) -> Report:
    """Make a document about a person's dose.

    Parameters
    ----------
    result : Ledger or xray.CtDose
        A ledger's document sums its contributions; a CT result brings its images and inputs as well.
    appraisal : risk.Appraisal, optional
        Without one no risk is stated.
    audience : {"physicist", "patient"}
    language : str
        ``"en"``.
    results : iterable of CtDose, optional
        With a ledger: the results whose images and inputs to show.
    evidence : sequence of mappings, optional
        Rows of ``validation-results.json``, for the section on evidence.
    findings : sequence of (severity, sentence), optional
        More findings, such as those of the reader; severity ``"warning"`` or ``"note"``.
    heading : str, optional
        Title of the physicist's report; by default the procedures.
    sender, contact, benefit : str, optional
        For the letter: who sends it, whom to ask, and why this person was examined, in plain words.

    Returns
    -------
    Report

    Raises
    ------
    UnknownName
        No such audience or language.
    InvalidInput
        The result is of another kind, or holds no dose.
    """
    if audience not in AUDIENCES:
        raise UnknownName("audience", audience, AUDIENCES)
    if language not in LANGUAGES:
        raise UnknownName("language", language, LANGUAGES)
    case = gather(result, results, findings)
    risks = summarise(appraisal)
    if audience == "patient":
        from wholedose.report import letter

        context = letter.context(case, risks, sender=sender, contact=contact, benefit=benefit)
    else:
        from wholedose.report import physicist

        context = physicist.context(case, risks, evidence=evidence, heading=heading)
    page = _environment().get_template(f"{audience}.{language}.html.j2")
    html = page.render(case=case, css=_style(), language=language, software=SOFTWARE, **context)
    return Report(html, context["title"], audience, language)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("wholedose.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _style() -> Any:
    from markupsafe import Markup

    return Markup((files("wholedose.report") / "templates" / "style.css").read_text(encoding="utf-8"))
