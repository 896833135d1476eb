"""The bounded pass over DICOM bytes, against pydicom."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Any

import pydicom
import pytest
from tests.records import make_reports as make

from wholedose.base import InvalidInput
from wholedose.records.dicom_pass import MAX_DEPTH, parse, peek, read_bytes, sop_class_of
from wholedose.records.sr import Code, ContentItem, read_structured_report


def tree_of_pydicom(data: Any) -> tuple[Any, ...]:
    """Return the content tree as plain tuples, read by pydicom."""

    def code(sequence: Any) -> tuple[str, ...] | None:
        if not sequence:
            return None
        item = sequence[0]
        value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or ""
        parts = (value, item.get("CodingSchemeDesignator", ""), item.get("CodeMeaning", ""))
        return tuple(str(part or "").strip() for part in parts)

    kind = str(data.get("ValueType", "") or "")
    value: Any = None
    numbers: tuple[str, ...] = ()
    unit = None
    if kind == "NUM":
        for measured in data.get("MeasuredValueSequence", []):
            unit = unit or code(measured.get("MeasurementUnitsCodeSequence"))
            number = measured.get("NumericValue")
            several = number if isinstance(number, pydicom.multival.MultiValue) else [number]
            written = (getattr(one, "original_string", str(one)) for one in several if one not in (None, ""))
            numbers += tuple(text.strip() for text in written)
    elif kind == "CODE":
        value = code(data.get("ConceptCodeSequence"))
    elif kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        references = data.get("ReferencedSOPSequence")
        value = str(references[0].get("ReferencedSOPClassUID") or "") if references else None
    else:
        keyword = {
            "TEXT": "TextValue",
            "UIDREF": "UID",
            "DATETIME": "DateTime",
            "DATE": "Date",
            "TIME": "Time",
        }
        keyword["PNAME"] = "PersonName"
        if kind in keyword and keyword[kind] in data:
            found = data.get(keyword[kind])
            value = str(found if found is not None else "").rstrip("\0 ")
    children = tuple(tree_of_pydicom(child) for child in data.get("ContentSequence", []))
    name = code(data.get("ConceptNameCodeSequence"))
    return (str(data.get("RelationshipType", "") or ""), kind, name, value, numbers, unit, children)


def tree_of_ours(item: ContentItem) -> tuple[Any, ...]:
    """Return the content tree as plain tuples, read by the pass."""

    def code(one: Code | None) -> tuple[str, ...] | None:
        return None if one is None else (one.value, one.scheme, one.meaning)

    value = code(item.value) if isinstance(item.value, Code) else item.value
    children = tuple(tree_of_ours(child) for child in item.children)
    return (
        item.relationship,
        item.value_type,
        code(item.name),
        value,
        item.numbers,
        code(item.unit),
        children,
    )


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", list(make.SYNTAXES))
@pytest.mark.parametrize("build", [make.chest_ct, make.biplane, make.mammography])
def test_the_tree_equals_that_of_pydicom(build: Any, syntax: str, undefined: bool, tmp_path: Path) -> None:
    """In every transfer syntax, with and without lengths, the tree is the one that pydicom reads."""
    path = make.save(build(), tmp_path / "report.dcm", syntax, undefined=undefined)
    ours = read_structured_report(path)
    assert ours.problems == ()
    assert tree_of_ours(ours.root) == tree_of_pydicom(pydicom.dcmread(path))


@pytest.mark.parametrize(
    ("charset", "word"), [("ISO_IR 100", "Schädel"), ("ISO_IR 192", "胸部"), ("ISO_IR 144", "Грудь")]
)
def test_text_is_decoded_by_its_character_set(charset: str, word: str, tmp_path: Path) -> None:
    """Latin, Unicode and Cyrillic texts come out as written."""
    data = make.ct_report(
        make.ct_event(1, extra=(make.text("121106", word),)), total="69.81", SpecificCharacterSet=charset
    )
    ours = read_structured_report(make.save(data, tmp_path / "report.dcm"))
    assert word in [item.value for item in ours.root.walk()]


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    """A bare data set, as some archives export it, gives the same tree."""
    whole = make.save(make.chest_ct(), tmp_path / "report.dcm", "implicit")
    content = whole.read_bytes()
    bare = tmp_path / "bare.dcm"
    bare.write_bytes(content[content.index(b"\x08\x00\x05\x00") :])
    assert tree_of_ours(read_structured_report(bare).root) == tree_of_ours(read_structured_report(whole).root)


def test_a_mislabelled_transfer_syntax_is_seen_through(tmp_path: Path) -> None:
    """When the meta group says implicit and the bytes are explicit, the bytes are believed."""
    path = make.save(make.chest_ct(), tmp_path / "report.dcm")
    content = path.read_bytes()
    wrong = tmp_path / "wrong.dcm"
    wrong.write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0"))
    assert tree_of_ours(read_structured_report(wrong).root) == tree_of_ours(read_structured_report(path).root)


def test_a_cut_file_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    """A truncated report yields its first items and a note, never a shorter report without one."""
    content = make.save(make.chest_ct(), tmp_path / "report.dcm").read_bytes()
    whole = sum(1 for _ in read_structured_report(tmp_path / "report.dcm").root.walk())
    for part in (0.5, 0.7, 0.9, 0.99):
        path = tmp_path / "cut.dcm"
        path.write_bytes(content[: int(len(content) * part)])
        ours = read_structured_report(path)
        assert ours.problems
        assert "is cut" in ours.problems[0]
        assert 1 < sum(1 for _ in ours.root.walk()) <= whole


def test_a_damaged_event_does_not_take_the_others_along(tmp_path: Path) -> None:
    """With item lengths, one broken item is noted and skipped; its neighbours are read."""
    content = bytearray(make.save(make.chest_ct(), tmp_path / "report.dcm").read_bytes())
    at = content.index(b"8.13")
    content[at - 4 : at - 2] = b"\xff\xff"  # the representation of the second event's CTDIvol
    path = tmp_path / "damaged.dcm"
    path.write_bytes(content)
    ours = read_structured_report(path)
    assert "incomplete" in ours.problems[0]
    doses = [item.numbers for item in ours.root.walk() if item.code == "113830"]
    assert doses[0] == ("0.15",)
    assert doses[-1] == ("7.02",)


def _nested(depth: int) -> bytes:
    opening = struct.pack("<HHI", 0x0040, 0xA730, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    return b"\x08\x00\x16\x00\x04\x00\x00\x001.2\0" + opening * depth


def test_depth_is_bounded() -> None:
    """Sequences nested ten thousand deep are refused at once, without exhausting the stack."""
    with pytest.raises(InvalidInput, match=f"nested more than {MAX_DEPTH} deep"):
        parse(_nested(10_000))


def test_the_number_of_elements_is_bounded() -> None:
    """Millions of tiny elements are refused in a few seconds."""
    started = time.monotonic()
    element = struct.pack("<HHI", 0x0009, 0x1001, 0)
    with pytest.raises(InvalidInput, match="More than 2000000 elements"):
        parse(b"\x08\x00\x16\x00\x04\x00\x00\x001.2\0" + element * 2_000_100)
    assert time.monotonic() - started < 20


def test_large_and_empty_files_are_refused_unread(tmp_path: Path) -> None:
    """A sparse 2 GB file costs nothing, and an empty one is named as empty."""
    large = tmp_path / "large.dcm"
    with large.open("wb") as file:
        file.truncate(2 * 2**30)
    with pytest.raises(InvalidInput, match="2048 MiB; a report may have 64 MiB"):
        read_bytes(large)
    assert peek(large) is None
    empty = tmp_path / "empty.dcm"
    empty.touch()
    with pytest.raises(InvalidInput, match="The file is empty"):
        peek(empty)


def test_other_files_are_not_taken_for_dicom(tmp_path: Path) -> None:
    """Text and zeros are not DICOM."""
    path = tmp_path / "notes.txt"
    path.write_text("just words, and more of them than a preamble has room for " * 10)
    assert peek(path) is None
    with pytest.raises(InvalidInput, match="Not a DICOM file"):
        read_structured_report(path)


@pytest.mark.parametrize("syntax", list(make.SYNTAXES))
def test_the_sop_class_is_read_from_the_first_bytes(syntax: str, tmp_path: Path) -> None:
    """In every transfer syntax the kind of a file shows without reading it whole; other files have none."""
    assert sop_class_of(make.save(make.biplane(), tmp_path / "report.dcm", syntax)) == make.RDSR
    other = tmp_path / "notes.txt"
    other.write_text("words")
    assert sop_class_of(other) == ""
