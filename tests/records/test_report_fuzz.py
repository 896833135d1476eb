"""Damaged files of every kind: one error of ours or an item with a finding, in bounded time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.records import make_reports as make
from tests.records.test_image_header import DX
from tests.records.test_image_header import save as save_image

from wholedose.base import WholedoseError
from wholedose.records import describe, describe_text
from wholedose.records.dicom_pass import parse

LIMIT_S = 10


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Whole files of ours that the mutations start from."""
    folder = tmp_path_factory.mktemp("seeds")
    reports = [
        make.save(make.chest_ct(), folder / "ct.dcm"),
        make.save(make.biplane(), folder / "rf.dcm", "implicit"),
        make.save(make.mammography(), folder / "mg.dcm", "implicit", undefined=True),
        make.save(make.chest_ct(), folder / "undefined.dcm", undefined=True),
        make.save(make.chest_ct(), folder / "deflated.dcm", "deflated"),
        make.save(make.biplane(), folder / "big.dcm", "big"),
        save_image(folder / "dx.dcm", "DX", DX, KVP="69.64", XRayTubeCurrent="189", ExposureInuAs="1040"),
    ]
    return [path.read_bytes() for path in reports]


def damaged(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield mutations: flipped bits, overwritten, removed, doubled and exchanged ranges, cuts."""
    rng = random.Random(seed)
    for _ in range(count):
        content = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            start = rng.randrange(len(content) or 1)
            length = min(rng.choice((1, 2, 4, 8, 100)), len(content) - start)
            kind = rng.randrange(6)
            if not content:
                break
            if kind == 0:
                content[start] ^= 1 << rng.randrange(8)
            elif kind == 1:
                content[start : start + length] = rng.randbytes(length)
            elif kind == 2:
                del content[start : start + length]
            elif kind == 3:
                content[start:start] = content[start : start + length]
            elif kind == 4:
                content[start : start + length] = b"\xff" * length
            else:
                del content[start:]
        yield bytes(content)


def survives(path: Path) -> str:
    """Describe a file: return what became of it; anything but our errors and JSON fails the test."""
    started = time.monotonic()
    outcome = "refused"
    sentence = ""
    try:
        found = describe(path)
    except WholedoseError as error:
        sentence = str(error)
    else:
        json.dumps(found, allow_nan=False)
        describe_text(found)
        outcome = found["items"][0]["kind"]
    assert "\n" not in sentence
    assert time.monotonic() - started < LIMIT_S
    return outcome


def run(seeds: list[bytes], count: int, seed: int, folder: Path) -> dict[str, int]:
    outcomes: dict[str, int] = {}
    path = folder / "damaged.dcm"
    for content in damaged(seeds, count, seed):
        path.write_bytes(content)
        outcome = survives(path)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return outcomes


def test_damaged_files_never_give_a_traceback(seeds: list[bytes], tmp_path: Path) -> None:
    """600 mutations of reports and images: each is refused in a sentence or described."""
    outcomes = run(seeds, 600, 1, tmp_path)
    assert outcomes["dose_report"] > 100
    assert sum(outcomes.values()) == 600


@pytest.mark.slow
def test_many_damaged_files_never_give_a_traceback(seeds: list[bytes], tmp_path: Path) -> None:
    """20 000 further mutations."""
    assert sum(run(seeds, 20_000, 2, tmp_path).values()) == 20_000


@pytest.mark.shared
def test_damaged_reports_of_vendors_never_give_a_traceback(shared: Path, tmp_path: Path) -> None:
    """2000 mutations of the reports and image headers of the shared folder."""
    files = sorted((shared / "rdsr").rglob("*.dcm")) + sorted((shared / "odd_dicom").glob("*.dcm"))
    contents = [path.read_bytes() for path in files if path.stat().st_size < 100_000]
    assert len(contents) > 20
    assert sum(run(contents, 2000, 3, tmp_path).values()) == 2000


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400), st.sampled_from([b"", b"\x08\x00\x05\x00", b"\0" * 128 + b"DICM"]))
def test_arbitrary_bytes_are_parsed_or_refused(content: bytes, start: bytes) -> None:
    """Random bytes, bare or behind a preamble, give elements or one of our errors."""
    try:
        parsed = parse(start + content)
    except WholedoseError:
        return
    assert isinstance(parsed.data, dict)
