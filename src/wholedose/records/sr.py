"""The content tree of a DICOM structured report.

Defines `Code`, `ContentItem`, `StructuredReport` and `read_structured_report`. The tree holds what the
file says, as text; units and meaning are the business of `dose_report`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wholedose.base import InvalidInput
from wholedose.records.dicom_pass import DataSet, parse, read_bytes

MAX_ITEMS = 500_000
_CHARSETS = {
    "": "latin-1",
    "ISO_IR 6": "ascii",
    "ISO_IR 100": "latin-1",
    "ISO 2022 IR 100": "latin-1",
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: value, scheme and meaning.

    Examples
    --------
    >>> str(Code("113830", "DCM", "Mean CTDIvol")), Code("113830", "DCM", "Mean CTDIvol").key
    ('Mean CTDIvol', '113830, DCM')
    """

    value: str
    scheme: str
    meaning: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """The code as ``"value, scheme"``."""
        return f"{self.value}, {self.scheme}"

    def __str__(self) -> str:
        return self.meaning or self.key


@dataclass(frozen=True, slots=True)
class ContentItem:
    """One item of the content tree.

    Attributes
    ----------
    relationship, value_type : str
        As written, such as ``"CONTAINS"`` and ``"NUM"``.
    name : Code or None
        The concept.
    value : str, Code or None
        Text of TEXT, UIDREF, DATETIME, DATE, TIME, PNAME; the code of CODE; the SOP class UID of IMAGE
        and COMPOSITE; None for containers, numbers and what has no value.
    numbers : tuple of str
        Numeric values as written.
    unit : Code or None
        Unit of the numbers.
    children : tuple of ContentItem
    """

    relationship: str
    value_type: str
    name: Code | None
    value: str | Code | None = None
    numbers: tuple[str, ...] = ()
    unit: Code | None = None
    children: tuple[ContentItem, ...] = ()

    @property
    def code(self) -> str:
        """Code value of the concept, empty when there is none."""
        return self.name.value if self.name else ""

    def walk(self) -> Iterator[ContentItem]:
        """Yield this item and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, *codes: str) -> ContentItem | None:
        """Return the first child whose concept has one of these code values."""
        for child in self.children:
            if child.name is not None and child.name.value in codes:
                return child
        return None


@dataclass(frozen=True, slots=True)
class StructuredReport:
    """A structured report: its header elements as text by tag, its root, and what was wrong with the file."""

    header: dict[int, str]
    root: ContentItem
    template: str = ""
    problems: tuple[str, ...] = ()


class _Builder:
    def __init__(self, charset: str, problems: list[str]) -> None:
        names = [name.strip() for name in charset.split("\\")]
        self.encoding = _CHARSETS.get(names[0], "") if len(names) == 1 else ""
        self.charset = names
        self.problems = problems
        self.items = 0
        self.codes: dict[tuple[bytes, bytes, bytes], Code] = {}

    def text(self, raw: Any) -> str:
        """Decode a value; padding at its end is left out."""
        if not isinstance(raw, bytes):
            return ""
        raw = raw.rstrip(b"\0 ")
        if raw.isascii() and b"\x1b" not in raw:
            return str(raw, "ascii")
        if self.encoding:
            return str(raw, self.encoding, "replace")
        return self._decode_with_pydicom(raw)

    def _decode_with_pydicom(self, raw: bytes) -> str:
        import warnings

        from pydicom import charset

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                encodings = charset.convert_encodings(self.charset)
                return str(charset.decode_bytes(raw, encodings, {0x0D, 0x0A, 0x09, 0x0C}))
            except (LookupError, ValueError):
                return raw.decode("latin-1")

    def code(self, sequence: Any) -> Code | None:
        if not isinstance(sequence, list) or not sequence:
            return None
        item = sequence[0]
        raw = item.get(0x00080100) or item.get(0x00080119) or item.get(0x00080120) or b""
        key = (raw, item.get(0x00080102, b""), item.get(0x00080104, b""))
        if not all(isinstance(part, bytes) for part in key):
            return None
        found = self.codes.get(key)
        if found is None:
            found = Code(self.text(key[0]).strip(), self.text(key[1]).strip(), self.text(key[2]).strip())
            self.codes[key] = found
        return found

    def item(self, data: DataSet) -> ContentItem:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise InvalidInput(f"The report has more than {MAX_ITEMS} content items.")
        kind = self.text(data.get(0x0040A040))
        value: str | Code | None = None
        numbers: tuple[str, ...] = ()
        unit: Code | None = None
        if kind == "NUM":
            measured = data.get(0x0040A300)
            if isinstance(measured, list):
                texts: list[str] = []
                for entry in measured:
                    text = self.text(entry.get(0x0040A30A))
                    texts.extend(part.strip() for part in text.split("\\") if part.strip())
                    unit = unit or self.code(entry.get(0x004008EA))
                numbers = tuple(texts)
        elif kind == "CODE":
            value = self.code(data.get(0x0040A168))
        elif kind in _VALUE_TAGS:
            raw = data.get(_VALUE_TAGS[kind])
            value = None if raw is None else self.text(raw)
        elif kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
            references = data.get(0x00081199)
            if isinstance(references, list) and references:
                value = self.text(references[0].get(0x00081150))
        content = data.get(0x0040A730)
        children = tuple(map(self.item, content)) if isinstance(content, list) else ()
        return ContentItem(
            self.text(data.get(0x0040A010)),
            kind,
            self.code(data.get(0x0040A043)),
            value,
            numbers,
            unit,
            children,
        )


_VALUE_TAGS = {
    "TEXT": 0x0040A160,
    "UIDREF": 0x0040A124,
    "DATETIME": 0x0040A120,
    "DATE": 0x0040A121,
    "TIME": 0x0040A122,
    "PNAME": 0x0040A123,
}


def read_structured_report(path: str | Path) -> StructuredReport:
    """Read the content tree of a structured report.

    Parameters
    ----------
    path : str or Path
        A DICOM SR file of at most 64 MiB.

    Returns
    -------
    StructuredReport

    Raises
    ------
    InvalidInput
        When the file is not DICOM, has no content tree, or exceeds the bounds on size, depth and number
        of items.
    """
    path = Path(path)
    parsed = parse(read_bytes(path), where=str(path))
    data = parsed.data
    if not isinstance(data.get(0x0040A730), list) and not isinstance(data.get(0x0040A043), list):
        raise InvalidInput(
            "The file holds no content tree.",
            where=str(path),
            way_out="Give a structured report (a dose report has the modality SR).",
        )
    raw = data.get(0x00080005, b"")
    charset = raw.decode("ascii", "replace").strip("\0 ") if isinstance(raw, bytes) else ""
    builder = _Builder(charset, parsed.problems)
    try:
        root = builder.item(data)
    except InvalidInput as error:
        raise InvalidInput(error.what, where=str(path), way_out="Leave the file out.") from None
    header = {
        tag: builder.text(value)
        for tag, value in data.items()
        if isinstance(value, bytes) and len(value) <= 1024
    }
    template = ""
    templates = data.get(0x0040A504)
    if isinstance(templates, list) and templates:
        template = builder.text(templates[0].get(0x0040DB00))
    return StructuredReport(header, root, template, tuple(parsed.problems))
