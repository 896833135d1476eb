"""Tests of whole documents."""

from __future__ import annotations

import errno
import itertools
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.report import fixtures
from tests.report.pages import Page

from wholedose.base import InvalidInput, OutputFailed, UnknownName
from wholedose.dose import Ledger
from wholedose.report import build
from wholedose.report.build import _style
from wholedose.risk import appraise


@cache
def appraisal(scale: float = 1.0, name: str = "") -> Any:
    """The risk of the made-up case."""
    made = fixtures.result(scale)
    ledger = Ledger(replace(made.body.person, name=name)).add(made)
    return appraise(ledger, models=["BEIR VII", "RadRAT central", "ICRP 103"], samples=500)


def write_report() -> str:
    """Build the physicist's report of the made-up case."""
    evidence = [
        {"suite": "tg195", "case": "5", "evidence": "published", "passed": True},
        {"suite": "coverage", "case": "1", "evidence": "own simulation", "passed": False},
    ]
    return build(fixtures.result(), appraisal(), evidence=evidence).html


@cache
def report() -> str:
    """The physicist's report, built once."""
    return write_report()


@cache
def letter(scale: float = 1.0) -> str:
    """The patient's letter, all doses scaled."""
    return build(fixtures.result(scale), appraisal(scale), audience="patient").html


PAGES = pytest.mark.parametrize("page", [report, letter], ids=["report", "letter"])


@PAGES
def test_pages_are_well_formed(page: Any) -> None:
    """Every element closes in order, ids are unique and inner links lead somewhere."""
    found = Page(page())
    assert found.faults == []
    assert len(found.ids) == len(set(found.ids))
    targets = {a["href"][1:] for a in found.all("a") if a["href"].startswith("#")}
    assert targets <= set(found.ids)


@PAGES
def test_pages_ask_nobody(page: Any) -> None:
    """No script, no address, no handler; images are data; the policy forbids the rest."""
    html = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", page())
    assert not re.search(r"https?:|//[a-z]|<script|javascript:|@import|url\((?!#)", html)
    found = Page(page())
    assert not [key for _, attrs in found.tags for key in attrs if key.startswith("on")]
    assert all(image["src"].startswith("data:image/png;base64,") for image in found.all("img"))
    assert any("default-src 'none'" in meta.get("content", "") for meta in found.all("meta"))


@PAGES
def test_pages_are_accessible(page: Any) -> None:
    """A language, one h1, no skipped heading level, alternatives for pictures, scopes and captions."""
    found = Page(page())
    assert found.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(len(image["alt"]) > 30 for image in found.all("img"))
    assert all("aria-label" in svg or svg.get("aria-hidden") == "true" for svg in found.all("svg"))
    assert all(cell.get("scope") in ("col", "row") for cell in found.all("th"))
    assert len(found.all("table")) == len(found.all("caption"))


@PAGES
def test_pages_say_what_they_are_not(page: Any) -> None:
    """Every document says that it is not a medical device, and its software version."""
    text = Page(page()).text
    assert re.search(r"not a medical device", text, re.IGNORECASE)
    assert re.search(r"wholedose \d+\.\d+\.\d+", text)


@PAGES
def test_same_input_same_bytes(page: Any) -> None:
    """Building again gives the same document to the byte."""
    again = write_report() if page is report else letter.__wrapped__()
    assert again == page()


def test_the_report_holds_the_numbers_of_the_result() -> None:
    """Effective dose and every organ's dose and uncertainty stand in the page, exact in the markup."""
    made, found = fixtures.result(), Page(report())
    values = set(found.values)
    assert made.effective is not None
    wanted = [made.effective.value, made.effective.u]
    for item in made.organs.values():
        wanted += [item.dose.value, item.dose.u]
    wanted += [1e4 * reading.total.value for reading in appraisal().readings.values()]
    assert all(any(value == pytest.approx(number, rel=1e-12) for value in values) for number in wanted)


def test_the_printed_text_rounds_the_exact_value() -> None:
    """What a reader sees is the exact value to within half of its last printed digit."""
    seen = re.findall(r'<data value="([^"]+)">([^<]+)</data>', report())
    assert len(seen) > 40
    for exact, text in seen:
        if text.startswith("&lt;"):
            continue
        plain = text.replace(",", "").replace("−", "-")
        place = 10.0 ** -len(plain.partition(".")[2])
        assert float(plain) == pytest.approx(float(exact), abs=0.51 * place)


def test_the_report_shows_tags_causes_evidence_and_provenance() -> None:
    """Tags, every cause, every assumption, seed, digests, evidence and the replay command are printed."""
    made, text = fixtures.result(), Page(report()).text
    for word in (
        "extracted",
        "derived",
        "assumed",
        "wholedose rerun result.json",
        "own simulation",
        "published",
    ):
        assert word in text
    for cause in made.effective.by_name() if made.effective else ():
        assert cause in text
    for assumption in made.provenance.assumptions:
        assert assumption.why in text
    for digest in (*made.provenance.inputs.values(), *made.provenance.tables.values()):
        assert digest in text
    assert "12,800,000 histories in 64 batches, seed 1" in text


def test_long_options_are_left_to_the_result_file() -> None:
    """A list of hundreds of numbers in the options does not fill pages."""
    made = fixtures.result()
    options = {"curve": list(range(500)), "target": 0.01}
    text = Page(build(replace(made, provenance=made.provenance.with_(options=options))).html).text
    assert "curve see result.json" in text
    assert "target 0.01" in text


def test_warnings_stand_first() -> None:
    """A warning is listed before a note, and keeps its sentence."""
    text = Page(report()).text
    assert text.index("cut off at the edge") < text.index("reaches beyond the image")


def test_organs_outside_are_set_apart() -> None:
    """Organs without any part in the scan follow a divider and carry their own style."""
    html = report()
    divider = html.index("Outside the scanned range")
    assert html.index(">lungs</th>") < divider < html.index(">brain</th>")
    assert html.count('<tr class="outside">') == sum(
        o.in_scan == 0 for o in fixtures.result().organs.values()
    )


@pytest.mark.parametrize("audience", ["physicist", "patient"])
def test_names_cannot_become_markup(audience: Any) -> None:
    """A person named like a script is printed as text; so are findings and the sender."""
    made = fixtures.result()
    evil = "<script>alert('x')</script>"
    ledger = Ledger(replace(made.body.person, name=evil)).add(made)
    page = build(ledger, audience=audience, findings=[("warning", evil)], sender=evil, contact=evil).html
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_ledger_is_summed_with_its_contributions() -> None:
    """Two scans show their sum, both lines and both dates, and say how many there are."""
    made = fixtures.result()
    ledger = Ledger(made.body.person).add(made).add(fixtures.result(0.5, what="CT abdomen"))
    found = Page(build(ledger).html)
    assert ledger.effective_total().value in found.values
    assert "CT abdomen" in found.text
    assert "2 contributions" in found.text
    assert not found.all("img")


def test_a_result_without_effective_dose_says_so() -> None:
    """The report prints no effective dose and says why; the letter prints no comparison with nature."""
    made = fixtures.result(effective=None)
    assert "No effective dose is given" in Page(build(made).html).text
    text = Page(build(made, audience="patient").html).text
    assert "life on Earth" not in text
    assert "not one number for the whole body" in text


def test_no_image_no_uncertainty_no_risk_still_make_a_report() -> None:
    """A ledger of bare organ doses gives a document without empty sections."""
    made = fixtures.result()
    item = replace(made.contribution(), what="typed")
    found = Page(build(Ledger(made.body.person, [item])).html)
    assert "Lifetime risk" not in found.text
    assert found.faults == []


def test_unknown_words_are_refused_with_the_list() -> None:
    """A wrong audience, language or kind of result is refused, naming what there is."""
    with pytest.raises(UnknownName, match="did you mean 'patient'"):
        build(fixtures.result(), audience="patients")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="Known: en"):
        build(fixtures.result(), language="fr")
    with pytest.raises(InvalidInput, match="from a Ledger or a dose result, not from dict"):
        build({})
    with pytest.raises(InvalidInput, match="holds no dose to report"):
        build(Ledger(fixtures.body().person))


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the old file stays, nothing half-written lies beside it, and the error says so."""
    page = build(fixtures.result(), audience="patient")
    place = page.save(tmp_path / "letter.html")
    assert place.read_text(encoding="utf-8") == page.html

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputFailed, match="No space left on device"):
        page.save(place)
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.html"]
    assert place.read_text(encoding="utf-8") == page.html


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_has_enough_contrast(theme: int) -> None:
    """Every text colour reaches 4.5 to 1 (WCAG AA) on every ground that it stands on, in each theme."""
    blocks = re.findall(r":root \{(.*?)\}", str(_style()), re.DOTALL)
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6}|#fff);", blocks[theme]))
    colours = {name: "#ffffff" if value == "#fff" else value for name, value in colours.items()}
    pairs = [(text, ground) for text in ("ink", "muted", "accent") for ground in ("paper", "wash", "page")]
    pairs += [("warn", "warn-wash"), ("ink", "warn-wash"), ("good", "good-wash"), ("paper", "accent")]
    for text, ground in pairs:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


def test_importing_the_room_is_light() -> None:
    """The room imports neither matplotlib nor jinja2 nor scipy until a document is built."""
    heavy = "('matplotlib', 'jinja2', 'scipy', 'numba')"
    code = f"import sys, wholedose.report; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_templates_ship_with_the_package() -> None:
    """Each audience has a template in each language that `build` accepts."""
    from wholedose.report.build import AUDIENCES, LANGUAGES, _environment

    names = set(_environment().list_templates())
    assert {f"{who}.{language}.html.j2" for who in AUDIENCES for language in LANGUAGES} <= names
