"""Reports that are parts of one examination."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.records import make_reports as make

from wholedose.base import InvalidInput
from wholedose.records import DoseReport, merge_reports, read_dose_report
from wholedose.records.merged_report import groups_of_parts


def part(folder: Path, instance: int, numbers: tuple[int, ...], **header: Any) -> DoseReport:
    total = f"{69.81 * len(numbers):.2f}"
    data = make.ct_report(
        *(make.ct_event(number) for number in numbers),
        total=total,
        SOPInstanceUID=f"{make.ROOT}.9.{instance}",
        **header,
    )
    return read_dose_report(make.save(data, folder / f"{instance}.dcm"))


def test_continued_parts_are_added(tmp_path: Path) -> None:
    """Two parts without common events give all events and the sum of the totals."""
    parts = [part(tmp_path, 1, (1, 2)), part(tmp_path, 2, (3,))]
    assert groups_of_parts(parts) == [parts]
    merged = merge_reports(parts)
    assert len(merged.events) == 3
    assert merged.totals["dlp"].value == pytest.approx(209.43, rel=1e-12)
    assert merged.totals["dlp"].tag == "derived"
    assert merged.paths == (str(tmp_path / "1.dcm"), str(tmp_path / "2.dcm"))


def test_cumulative_parts_count_each_event_once(tmp_path: Path) -> None:
    """Where the last report repeats the earlier ones, its events and total are the examination's."""
    parts = [part(tmp_path, 1, (1,)), part(tmp_path, 2, (1, 2)), part(tmp_path, 3, (1, 2, 3))]
    merged = merge_reports(parts)
    assert len(merged.events) == 3
    assert (merged.totals["dlp"].value, merged.totals["dlp"].tag) == (209.43, "extracted")
    assert "3 events are listed by more than one part and counted once." in [
        one.what for one in merged.findings
    ]


def test_overlapping_parts_sum_over_their_events(tmp_path: Path) -> None:
    """Where no part holds all events and some are shared, only the events can be summed."""
    merged = merge_reports([part(tmp_path, 1, (1, 2)), part(tmp_path, 2, (2, 3))])
    assert len(merged.events) == 3
    assert merged.totals["dlp"].value == pytest.approx(209.43, rel=1e-12)


def test_studies_devices_and_copies_are_not_parts(tmp_path: Path) -> None:
    """Another study, another device, and a second copy of one file are no parts."""
    first = part(tmp_path, 1, (1,))
    assert groups_of_parts([first, part(tmp_path, 2, (2,), StudyInstanceUID=f"{make.ROOT}.77")]) == []
    assert groups_of_parts([first, part(tmp_path, 2, (2,), DeviceSerialNumber="43")]) == []
    assert groups_of_parts([first, first]) == []
    with pytest.raises(InvalidInput, match="not parts of one study"):
        merge_reports([first, part(tmp_path, 2, (2,), StudyInstanceUID=f"{make.ROOT}.77")])
