"""One bounded, read-only pass over the bytes of a DICOM file.

Defines `parse` (bytes to a nested `DataSet`) and `peek` (what a file is, from its first bytes). Only
structured
reports are read this way: pydicom needs seconds for a report of some hundred events, and has no bound on
depth or on the number of elements. Image headers go through pydicom. The pass is tested equal to pydicom.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wholedose.base import InvalidInput

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
MAX_ELEMENTS = 2_000_000

DataSet = dict[int, Any]  # tag -> bytes, or a list of DataSets for a sequence

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_LONG_VRS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
_VRS = _LONG_VRS | frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
# sequences of a structured report whose length may be defined in implicit VR, where nothing else marks them
SEQUENCES = frozenset(
    (
        0x00081199,  # Referenced SOP Sequence
        0x004008EA,  # Measurement Units Code Sequence
        0x0040A043,  # Concept Name Code Sequence
        0x0040A168,  # Concept Code Sequence
        0x0040A300,  # Measured Value Sequence
        0x0040A301,  # Numeric Value Qualifier Code Sequence
        0x0040A504,  # Content Template Sequence
        0x0040A730,  # Content Sequence
    )
)
IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"


class _Malformed(Exception):
    """The bytes at hand can't be what they claim to be."""


@dataclass
class Parsed:
    """A file's elements: ``meta`` (group 2), ``data``, and what was wrong on the way in ``problems``."""

    meta: DataSet
    data: DataSet
    problems: list[str] = field(default_factory=list)


@dataclass
class _Pass:
    buffer: bytes
    big: bool = False
    stop_after: int = 0xFFFFFFFF
    pos: int = 0
    elements: int = 0
    problems: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        if len(self.problems) < 20 and what not in self.problems:
            self.problems.append(what)

    def data_set(self, into: DataSet, end: int, explicit: bool, depth: int, delimited: bool) -> None:
        """Read elements into `into` up to `end`, or to an item delimiter when `delimited`."""
        buffer = self.buffer
        order = ">" if self.big else "<"
        tag_at = struct.Struct(order + "HH").unpack_from
        short_at = struct.Struct(order + "H").unpack_from
        long_at = struct.Struct(order + "I").unpack_from
        while self.pos < end:
            pos = self.pos
            if pos + 8 > end:
                raise _Malformed("ends in the middle of an element")
            group, number = tag_at(buffer, pos)
            tag = group << 16 | number
            if group == 0xFFFE:
                if tag == _ITEM_END and delimited:
                    self.pos = pos + 8
                    return
                raise _Malformed(f"has an unexpected delimiter {_name(tag)}")
            if depth == 0 and (tag > self.stop_after or tag in _PIXELS):
                return
            self.elements += 1
            if self.elements > MAX_ELEMENTS:
                raise InvalidInput(
                    f"More than {MAX_ELEMENTS} elements.", way_out="This is not a dose report; leave it out."
                )
            vr = b""
            if explicit:
                vr = buffer[pos + 4 : pos + 6]
                if vr in _LONG_VRS:
                    if pos + 12 > end:
                        raise _Malformed("ends in the middle of an element")
                    (length,) = long_at(buffer, pos + 8)
                    pos += 12
                elif vr in _VRS:
                    (length,) = short_at(buffer, pos + 6)
                    pos += 8
                else:
                    raise _Malformed(f"has no value representation at {_name(tag)}")
            else:
                (length,) = long_at(buffer, pos + 4)
                pos += 8
            self.pos = pos
            if vr == b"SQ" or tag in SEQUENCES or length == _UNDEFINED:
                if vr not in (b"SQ", b"", b"UN"):
                    raise _Malformed(f"has a value of undefined length at {_name(tag)}")
                items: list[DataSet] = []
                into[tag] = items
                # a sequence of unknown representation is always coded implicitly (PS3.5 6.2.2)
                self.sequence(items, tag, length, end, explicit and vr != b"UN", depth + 1)
                continue
            if pos + length > end:
                raise _Malformed(f"is cut inside {_name(tag)}")
            into[tag] = buffer[pos : pos + length]
            self.pos = pos + length
        if delimited:
            raise _Malformed("has an item without its end")

    def sequence(
        self, items: list[DataSet], tag: int, length: int, end: int, explicit: bool, depth: int
    ) -> None:
        """Read the items of a sequence; an item of known length that is damaged is skipped with a note."""
        if depth > MAX_DEPTH:
            raise InvalidInput(
                f"Sequences are nested more than {MAX_DEPTH} deep.",
                way_out="This is not a dose report; leave it out.",
            )
        order = ">" if self.big else "<"
        stop = end
        if length != _UNDEFINED:
            stop = self.pos + length
            if stop > end:
                self.note(f"The file is cut inside {_name(tag)}.")
                stop = end
        while self.pos < stop:
            if self.pos + 8 > stop:
                raise _Malformed("ends in the middle of an item")
            group, number, size = struct.unpack_from(order + "HHI", self.buffer, self.pos)
            found = group << 16 | number
            self.pos += 8
            if found == _SEQUENCE_END and length == _UNDEFINED:
                return
            if found != _ITEM:
                raise _Malformed(f"has {_name(found)} where an item of {_name(tag)} should be")
            item: DataSet = {}
            items.append(item)
            if size == _UNDEFINED:
                self.data_set(item, stop, explicit, depth, True)
                continue
            item_end = self.pos + size
            try:
                if item_end > stop:
                    raise _Malformed(f"is cut inside an item of {_name(tag)}")
                self.data_set(item, item_end, explicit, depth, False)
            except _Malformed as error:
                if item_end > stop:
                    # what is left of the item is read, and nothing after it
                    self.data_set(item, stop, explicit, depth, False)
                    raise
                self.note(f"The file {error}; one item of {_name(tag)} is incomplete.")
            self.pos = item_end
        if length == _UNDEFINED:
            raise _Malformed(f"has no end of the sequence {_name(tag)}")


def _name(tag: int) -> str:
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


def _looks_explicit(buffer: bytes, pos: int) -> bool:
    return buffer[pos + 4 : pos + 6] in _VRS


def parse(buffer: bytes, *, stop_after: int = 0xFFFFFFFF, where: str = "") -> Parsed:
    """Read the elements of a DICOM file.

    Parameters
    ----------
    buffer : bytes
        The file, with or without preamble; at most `MAX_BYTES`.
    stop_after : int
        Leave out the elements of the top level behind this tag. Pixel data are never read.
    where : str
        The file's name, for messages.

    Returns
    -------
    Parsed
        A damaged file gives what could be read, and says in ``problems`` what could not.

    Raises
    ------
    InvalidInput
        When the bytes are not DICOM, or exceed the bounds.
    """
    meta: DataSet = {}
    start = 0
    if buffer[128:132] == b"DICM":
        reader = _Pass(buffer, pos=132)
        while buffer[reader.pos : reader.pos + 2] == b"\x02\x00":
            group_end = reader.pos
            length = _meta_element(buffer, group_end)
            if length is None:
                break
            value_at, size = length
            tag = 0x00020000 | int.from_bytes(buffer[group_end + 2 : group_end + 4], "little")
            meta[tag] = buffer[value_at : value_at + size]
            reader.pos = value_at + size
        start = reader.pos
    elif not (
        buffer[:2] in (b"\x08\x00", b"\x02\x00") and len(buffer) > 8 and buffer[3] == 0 and buffer[2] < 0x90
    ):
        raise InvalidInput("Not a DICOM file.", where=where, way_out="Give a DICOM file or a folder of them.")
    syntax = meta.get(0x00020010, b"").rstrip(b"\0 ").decode("ascii", "replace")
    if syntax == DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            buffer = inflater.decompress(buffer[start:], MAX_BYTES + 1)
        except zlib.error as error:
            raise InvalidInput("The compressed data set is damaged.", where=where) from error
        if len(buffer) > MAX_BYTES:
            raise InvalidInput(f"The data set is larger than {MAX_BYTES >> 20} MiB.", where=where)
        start = 0
    big = syntax == BIG_ENDIAN
    reader = _Pass(buffer, big=big, stop_after=stop_after, pos=start)
    data: DataSet = {}
    try:
        # files whose meta group names another syntax than the one used do occur: believe the bytes
        reader.data_set(data, len(buffer), big or _looks_explicit(buffer, start), 0, False)
    except _Malformed as error:
        reader.note(f"The file {error}.")
    except InvalidInput as error:
        raise InvalidInput(error.what, where=where, way_out=error.way_out) from None
    return Parsed(meta, data, reader.problems)


def _meta_element(buffer: bytes, pos: int) -> tuple[int, int] | None:
    """Return where the value of a meta element starts and how long it is; None when it isn't there."""
    vr = buffer[pos + 4 : pos + 6]
    if vr in _LONG_VRS:
        value_at, size = pos + 12, int.from_bytes(buffer[pos + 8 : pos + 12], "little")
    elif vr in _VRS:
        value_at, size = pos + 8, int.from_bytes(buffer[pos + 6 : pos + 8], "little")
    else:
        return None
    return None if value_at + size > len(buffer) else (value_at, size)


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return a file's bytes; a file above `limit` is refused before it is read.

    Raises
    ------
    InvalidInput
        When the file is empty, larger than `limit` bytes, or can't be opened.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise InvalidInput("The file is empty.", where=str(path), way_out="Export it again.")
        if size > limit:
            raise InvalidInput(
                f"The file has {size / 2**20:.0f} MiB; a report may have {limit >> 20} MiB.",
                where=str(path),
                way_out="Give the dose report itself.",
            )
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise InvalidInput(f"The file can't be read: {error.strerror}.", where=str(path)) from error


def peek(path: Path, size: int = 65536) -> Parsed | None:
    """Return the first groups (2 and 8) of a DICOM file from its first bytes; None when it is not DICOM.

    Raises
    ------
    InvalidInput
        When the file is empty or can't be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(size)
    except OSError as error:
        raise InvalidInput(f"The file can't be read: {error.strerror}.", where=str(path)) from error
    if not head:
        raise InvalidInput("The file is empty.", where=str(path), way_out="Export it again.")
    try:
        return parse(head, stop_after=0x0008FFFF, where=str(path))
    except InvalidInput:
        if head[128:132] != b"DICM":
            return None
        # deflated or bounded out: DICOM all the same
        return Parsed({0x00020010: b""}, {}, ["The beginning of the file can't be read."])


def sop_class_of(path: Path) -> str:
    """Return the SOP class UID of a DICOM file from its first bytes; empty when it is none or says none.

    Raises
    ------
    InvalidInput
        When the file is empty or can't be opened.
    """
    first = peek(path)
    if first is None:
        return ""
    raw = first.data.get(0x00080016) or first.meta.get(0x00020002) or b""
    return raw.decode("ascii", "replace").strip("\0 ") if isinstance(raw, bytes) else ""
