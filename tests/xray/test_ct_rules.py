"""Tests of the rules that complete a CT record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wholedose.base import Grid, MissingInput, Tagged, Volume
from wholedose.xray import CtScan, TubeCurrent, resolve
from wholedose.xray.ct_rules import ResolvedRange


def resolved(image: Volume | None = None, **values: Any) -> ResolvedRange:
    scan = CtScan.typed(image=image, **values)
    return resolve(scan.single_range(), scan, (1.0, 2.0))


def image_of(nz: int) -> Volume:
    grid = Grid((nz, 4, 4), (5.0, 10.0, 10.0), (0.0, 0.0, 2.5))
    return Volume(grid, np.zeros(grid.shape, dtype=np.int16), "HU", {})


BASIC: dict[str, Any] = {"kv": 120.0, "ctdivol_mgy": 10.0, "phantom_cm": 32}


@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [
        ("kv", "The tube voltage of the scan is not known.*--kv 120"),
        ("ctdivol_mgy", "The CTDIvol of the scan is not known, so the dose has no scale.*--ctdivol"),
        ("phantom_cm", "The CTDI phantom of the scan is not known.*--phantom 32"),
    ],
)
def test_what_sets_the_scale_is_never_assumed(lacking: str, sentence: str) -> None:
    """Without kV, CTDIvol or phantom the scan is refused, and the message tells what to type."""
    values = {name: value for name, value in BASIC.items() if name != lacking}
    with pytest.raises(MissingInput, match=sentence):
        resolved(image_of(10), **values)


def test_ctdivol_follows_from_dlp_and_ends() -> None:
    """With a DLP and both ends of the irradiated range CTDIvol is derived."""
    item = resolved(kv=120.0, phantom_cm=32, dlp_mgy_cm=300.0, start_z_mm=0.0, end_z_mm=-300.0)
    assert item.ctdivol_mgy == pytest.approx(10.0)


def test_length_is_dlp_over_ctdivol_centred_on_the_scanned_range() -> None:
    """The irradiated length is DLP/CTDIvol, its middle that of the scanned range."""
    item = resolved(**BASIC, dlp_mgy_cm=330.0, scan_z_mm=(100.0, 400.0))
    assert item.z_mm == pytest.approx((85.0, 415.0))
    assert item.irradiated_z_mm == pytest.approx((65.0, 435.0))
    assert item.position_u_mm == 15.0
    assert item.end_u_mm == pytest.approx(np.hypot(15.0, 10.0))  # the collimation is assumed too


def test_length_without_dlp_includes_over_ranging() -> None:
    """Without DLP a helix is longer than its image by collimation times pitch; the assumption is listed."""
    item = resolved(image_of(60), **BASIC, collimation_mm=20.0, pitch=1.5, mode="helical")
    assert item.length_mm == pytest.approx(330.0)
    assert item.dlp_mgy_cm == pytest.approx(330.0)
    assert "dose-length product" in [found.what for found in item.assumptions]
    axial = resolved(image_of(60), **BASIC, collimation_mm=20.0, mode="axial")
    assert axial.length_mm == pytest.approx(300.0)


def test_disagreeing_length_is_a_finding() -> None:
    """A DLP that means twice the scanned length is reported with its size."""
    item = resolved(**BASIC, dlp_mgy_cm=600.0, scan_z_mm=(0.0, 300.0))
    assert item.findings == (
        "DLP/CTDIvol is 600 mm, 2.00 times the scanned range (300 mm); "
        "real reports lie between 0.82 and 1.17.",
    )
    assert resolved(**BASIC, dlp_mgy_cm=330.0, scan_z_mm=(0.0, 300.0)).findings == ()


def test_nothing_tells_the_place() -> None:
    """Without a range and without an image the scan is refused."""
    with pytest.raises(MissingInput, match="Nothing tells where the scan was"):
        resolved(**BASIC, dlp_mgy_cm=300.0)


def test_every_assumption_is_listed_with_its_share() -> None:
    """Each value that the record lacks is among the assumptions, those that matter with an uncertainty."""
    item = resolved(**BASIC, scan_z_mm=(0.0, 300.0))
    shares = {found.what: found.relative_u for found in item.assumptions}
    assert set(shares) == {
        "scan mode",
        "collimation",
        "pitch",
        "dose-length product",
        "source to isocentre",
        "beam-shaping filter",
        "rotation axis",
        "tube current modulation",
    }
    assert shares["collimation"] == 0.005
    assert shares["tube current modulation"] == 0.1
    assert item.isocentre_mm == (1.0, 2.0)
    full = resolved(
        **BASIC,
        dlp_mgy_cm=300.0,
        scan_z_mm=(0.0, 300.0),
        mode="helical",
        collimation_mm=40.0,
        pitch=1.0,
        source_isocentre_mm=595.0,
        filter_shape="xcist_large",
        isocentre_mm=(0.0, 0.0),
        current=TubeCurrent(np.array([0.0]), np.array([200.0])),
    )
    assert full.assumptions == ()
    assert full.filter_known
    assert full.modulation_u == 0.0


def test_filter_follows_class_then_phantom() -> None:
    """The scanner's own word for its filter wins over the phantom."""
    assert resolved(**BASIC, scan_z_mm=(0.0, 1.0)).filter_shape == "generic_body"
    assert resolved(**(BASIC | {"phantom_cm": 16}), scan_z_mm=(0.0, 1.0)).filter_shape == "generic_head"
    assert resolved(**BASIC, scan_z_mm=(0.0, 1.0), filter_class="head").filter_shape == "generic_head"


def test_output_factor_scales_ctdivol_and_dlp() -> None:
    """A device's measured output factor multiplies CTDIvol and DLP, not the length."""
    plain = resolved(**BASIC, dlp_mgy_cm=300.0, scan_z_mm=(0.0, 300.0))
    scaled = resolved(**BASIC, dlp_mgy_cm=300.0, scan_z_mm=(0.0, 300.0), output_factor=0.9)
    assert scaled.ctdivol_mgy == pytest.approx(9.0)
    assert scaled.dlp_mgy_cm == pytest.approx(270.0)
    assert scaled.z_mm == plain.z_mm


def test_standing_table_has_one_place() -> None:
    """With a standing table the focus stays in the middle and DLP is CTDIvol times collimation."""
    item = resolved(**BASIC, mode="stationary", collimation_mm=40.0, scan_z_mm=(0.0, 40.0))
    assert item.z_mm == (20.0, 20.0)
    assert item.dlp_mgy_cm == pytest.approx(40.0)


def test_image_centre_is_the_axis() -> None:
    """With an image the rotation axis is assumed in its middle."""
    assert resolved(image_of(10), **BASIC).isocentre_mm == (15.0, 15.0)
    assert Tagged(1, "1", "assumed").tag == "assumed"
