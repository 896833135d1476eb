"""Tests of the rotating source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from wholedose.base import InvalidInput
from wholedose.xray import CtBeam, CtScan, TubeCurrent, resolve, views
from wholedose.xray.ct_rules import ResolvedRange
from wholedose.xray.ct_source import rotation


def resolved(**values: Any) -> ResolvedRange:
    basic = {"kv": 120.0, "ctdivol_mgy": 10.0, "phantom_cm": 32, "source_isocentre_mm": 570.0}
    scan = CtScan.typed(**(basic | {"isocentre_mm": (5.0, -3.0)} | values))
    return resolve(scan.single_range(), scan)


def test_views_look_at_the_axis_from_the_distance() -> None:
    """Every focus lies at the source distance from the rotation axis and looks at it; the fan is
    transverse."""
    place = views(resolved(start_z_mm=0.0, end_z_mm=100.0, mode="helical"))
    off = place.focus_mm - np.array([5.0, -3.0, 0.0])
    assert np.hypot(off[:, 0], off[:, 1]) == pytest.approx(np.full(len(off), 570.0))
    assert off[:, :2] + 570.0 * place.axis[:, :2] == pytest.approx(np.zeros((len(off), 2)), abs=1e-9)
    assert place.fan[:, 2] == pytest.approx(np.zeros(len(off)))
    assert (place.fan * place.axis).sum(axis=1) == pytest.approx(np.zeros(len(off)), abs=1e-12)


def test_helix_is_continuous_along_z() -> None:
    """The foci of a helix, with their jitter, cover the path from end to end without gap."""
    place = views(resolved(start_z_mm=0.0, end_z_mm=103.0, mode="helical"))
    z = np.unique(place.focus_mm[:, 2].round(9))
    assert np.diff(z) == pytest.approx(np.full(len(z) - 1, place.z_jitter_mm))
    assert (z[0] - place.z_jitter_mm / 2, z[-1] + place.z_jitter_mm / 2) == pytest.approx(
        (0.0, 103.0), abs=1e-6
    )


def test_axial_steps_and_standing_table() -> None:
    """Axial scans sit in the middle of each feed; a standing table has one z."""
    axial = views(resolved(start_z_mm=0.0, end_z_mm=120.0, mode="axial", collimation_mm=40.0, feed_mm=40.0))
    assert np.unique(axial.focus_mm[:, 2]).tolist() == [20.0, 60.0, 100.0]
    assert axial.z_jitter_mm == 0.0
    standing = views(resolved(scan_z_mm=(0.0, 40.0), mode="stationary", collimation_mm=40.0))
    assert np.unique(standing.focus_mm[:, 2]).tolist() == [20.0]


def test_gantry_angles_have_no_preferred_direction() -> None:
    """First and second moments of the directions vanish, and each direction has its mirror image."""
    place = rotation(np.arange(10.0), 570.0)
    assert place.axis.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    assert (place.axis[:, 0] * place.axis[:, 1]).mean() == pytest.approx(0.0, abs=1e-12)
    left = np.sort(place.axis[:, 0])
    assert left == pytest.approx(-left[::-1], abs=1e-12)


def test_weights_follow_the_current_with_mean_one() -> None:
    """The photons of a view follow mA(z), and the mean weight over the path is 1."""
    curve = TubeCurrent(np.array([0.0, 100.0]), np.array([100.0, 300.0]))
    place = views(resolved(start_z_mm=0.0, end_z_mm=100.0, mode="helical", current=curve))
    assert place.weight.mean() == pytest.approx(1.0)
    assert place.weight[-1] / place.weight[0] == pytest.approx((300 - 5) / (100 + 5))


def test_topograms_are_refused() -> None:
    """A topogram has no rotating source and is refused."""
    item = resolved(start_z_mm=0.0, end_z_mm=100.0, mode="helical")
    with pytest.raises(InvalidInput, match="topogram has no rotating source"):
        views(replace(item, mode="topogram"))


def test_filter_hardens_and_lowers_the_edge() -> None:
    """Towards the edge of the fan the beam has fewer photons and a higher mean energy; both sides are
    alike."""
    energy, fluence, edges = CtBeam(120.0, "generic_body", 40.0, 570.0).fluence()
    photons = fluence.sum(axis=1)
    mean = (fluence * energy).sum(axis=1) / photons
    middle, edge = len(photons) // 2, 10
    assert photons[edge] < 0.3 * photons[middle]
    assert mean[edge] > mean[middle] + 3.0
    assert photons == pytest.approx(photons[::-1])
    assert edges == pytest.approx(-edges[::-1])


def test_photon_share_is_additive() -> None:
    """All photons lie within the fan, and a flat narrow beam shares by angle times cos of the cone's edge."""
    beam = CtBeam(120.0, "flat", 10.0, 570.0)
    assert beam.photon_share(1.0) == pytest.approx(1.0)
    assert beam.photon_share(0.235) == pytest.approx(np.sin(0.235) / np.sin(0.47), rel=1e-3)


def test_half_value_layer_of_the_assumed_beam() -> None:
    """The assumed filtration gives the half-value layers that the table of assumptions states."""
    layers = [
        CtBeam(120.0, "flat", 40.0, 570.0, filtration_mm=mm).central_spectrum().hvl_mm() for mm in (4, 6, 8)
    ]
    assert layers == pytest.approx([5.7, 6.7, 7.4], abs=0.06)


def test_beam_of_a_range_has_the_assumed_tube() -> None:
    """The beam of a range has the filtration and anode of the table of assumptions, and the record's rest."""
    beam = CtBeam.of(resolved(start_z_mm=0.0, end_z_mm=100.0, collimation_mm=20.0))
    assert (beam.filtration_mm, beam.anode_deg) == (6.0, 7.0)
    assert (beam.kv, beam.collimation_mm, beam.source_isocentre_mm) == (120.0, 20.0, 570.0)
