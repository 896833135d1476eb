"""The X-ray beam of CT, radiography, fluoroscopy and cone-beam CT. Defines `XrayBeam`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base import InvalidInput
from wholedose.transport.sources import (
    XRAY,
    Point,
    SourceArrays,
    _digest,
    _empty,
    _unit,
    alias_table,
    check_energies,
)

FloatArray = NDArray[np.float64]
_SLICES = 64


@dataclass(frozen=True, eq=False)
class XrayBeam:
    """Photons from one focus or many into a rectangular opening; the spectrum depends on the fan angle.

    A history is one photon emitted *into the opening, after the filter*. Directions are uniform in solid
    angle times the fluence of their fan-angle bin. The third axis of a view is cone = axis × fan.

    Parameters
    ----------
    focus_mm : array [n, 3] or (x, y, z)
        Focal spots of the views, LPS mm.
    axis, fan : array [n, 3] or (x, y, z)
        Unit vectors: the central ray, and the direction in which the fan angle grows. ``fan`` is made
        perpendicular to ``axis``.
    energy_kev : array [m] or float
        Discrete energies.
    fluence : array [bins, m] or [m]
        Relative photons per unit solid angle, per fan-angle bin and energy.
    tan_fan, tan_cone : (low, high) or array [n, 2]
        The opening, as tangents measured from the axis in the plane of axis and fan, and of axis and cone.
    fan_angle_edges_rad : array [bins + 1], optional
        Edges of the fan-angle bins; must cover the opening. One bin by default.
    weight : array [n], optional
        Relative numbers of photons that leave the views; equal by default.
    z_jitter_mm : float
        The focus is spread uniformly by ± half of this along z.

    Raises
    ------
    InvalidInput
        Arrays that do not fit, an opening without width or outside the fan-angle bins, no photons.
    OutsideDomain
        Energies outside 1 keV to 10 MeV.

    Examples
    --------
    >>> beam = XrayBeam((0, -600, 0), (0, 1, 0), (1, 0, 0), 60.0, [1.0], (-0.4, 0.4), (-0.01, 0.01))
    >>> beam.views
    1
    """

    focus_mm: ArrayLike
    axis: ArrayLike
    fan: ArrayLike
    energy_kev: ArrayLike
    fluence: ArrayLike
    tan_fan: ArrayLike
    tan_cone: ArrayLike
    fan_angle_edges_rad: ArrayLike | None = None
    weight: ArrayLike | None = None
    z_jitter_mm: float = 0.0

    def __post_init__(self) -> None:
        self.arrays((0.0, 0.0, 0.0))

    @property
    def views(self) -> int:
        """The number of views."""
        return len(np.atleast_2d(np.asarray(self.focus_mm, dtype=np.float64)))

    def _spectra(self) -> tuple[FloatArray, FloatArray]:
        kev = np.atleast_1d(np.asarray(self.energy_kev, dtype=np.float64))
        fluence = np.atleast_2d(np.asarray(self.fluence, dtype=np.float64))
        if fluence.shape[1] != len(kev) or not np.isfinite(fluence).all() or (fluence < 0).any():
            raise InvalidInput(
                f"The fluence {fluence.shape} does not fit {len(kev)} energies, or is negative.",
                where="fluence",
                way_out="Give [bins, energies].",
            )
        used = fluence.sum(axis=0) > 0
        if not used.any():
            raise InvalidInput("The beam has no photons.", where="fluence")
        check_energies(kev[used])
        return kev[used], fluence[:, used]

    def _openings(self) -> tuple[NDArray[np.int32], FloatArray]:
        n = self.views
        sides = []
        for name, limits in (("tan_fan", self.tan_fan), ("tan_cone", self.tan_cone)):
            pair = np.asarray(limits, dtype=np.float64)
            if pair.shape not in ((2,), (n, 2)) or not np.isfinite(pair).all() or (np.diff(pair) <= 0).any():
                raise InvalidInput(
                    f"The opening {name} needs (low, high) with low < high.",
                    where=name,
                    way_out="One pair, or one a view.",
                )
            sides.append(np.broadcast_to(pair, (n, 2)))
        unique, which = np.unique(np.hstack(sides), axis=0, return_inverse=True)
        return which.reshape(-1).astype(np.int32), unique

    def arrays(self, lower_mm: Point) -> SourceArrays:
        """Return the source relative to a geometry's low corner."""
        n = self.views
        focus = np.atleast_2d(np.asarray(self.focus_mm, dtype=np.float64))
        axis = np.atleast_2d(_unit(self.axis, "axis"))
        fan = np.atleast_2d(_unit(self.fan, "fan"))
        if axis.shape != focus.shape or fan.shape != focus.shape:
            raise InvalidInput(
                f"{n} foci need {n} axes and fans, got {len(axis)} and {len(fan)}.", where="axis"
            )
        fan = np.atleast_2d(_unit(fan - (fan * axis).sum(axis=1, keepdims=True) * axis, "fan"))
        kev, fluence = self._spectra()
        which, openings = self._openings()
        edges = (
            np.array([-np.pi / 2, np.pi / 2])
            if self.fan_angle_edges_rad is None
            else np.asarray(self.fan_angle_edges_rad, dtype=np.float64)
        )
        if edges.shape != (len(fluence) + 1,) or (np.diff(edges) <= 0).any():
            raise InvalidInput(
                f"{len(fluence)} fan-angle bins need {len(fluence) + 1} growing edges.",
                where="fan_angle_edges_rad",
            )
        low, width, top, mass = self._bins(edges, openings, fluence.sum(axis=1))
        weight = np.ones(n) if self.weight is None else np.asarray(self.weight, dtype=np.float64)
        if (
            weight.shape != (n,)
            or not np.isfinite(weight).all()
            or (weight < 0).any()
            or not weight.sum() > 0
        ):
            raise InvalidInput(f"{n} views need {n} non-negative weights, not all zero.", where="weight")
        if (mass.sum(axis=1) <= 0).any():
            raise InvalidInput("No photon passes the opening.", where="fluence")
        views = alias_table(weight)
        bins = [alias_table(row) for row in mass]
        spectra = [alias_table(row if row.sum() > 0 else np.ones_like(row)) for row in fluence]
        return _empty(
            kind=XRAY,
            size=np.array([self.z_jitter_mm / 20.0, 0.0, 0.0]),
            focus=(focus - lower_mm) / 10.0,
            axis=axis,
            fan=fan,
            cone=np.cross(axis, fan),
            opening_of_view=which,
            opening=np.ascontiguousarray(openings[:, 2:]),
            view_chance=views[0][None],
            view_alias=views[1][None],
            bin_low=low,
            bin_width=width,
            bin_top=top,
            bin_chance=np.stack([item[0] for item in bins]),
            bin_alias=np.stack([item[1] for item in bins]),
            energy_kev=kev,
            energy_chance=np.stack([item[0] for item in spectra]),
            energy_alias=np.stack([item[1] for item in spectra]),
        )

    @staticmethod
    def _bins(edges: FloatArray, openings: FloatArray, photons: FloatArray) -> tuple[FloatArray, ...]:
        """Return begin, width, largest dΩ/dγ and relative photons of each bin inside each opening."""
        fan_low, fan_high = np.arctan(openings[:, 0]), np.arctan(openings[:, 1])
        slack = 1e-9
        if fan_low.min() < edges[0] - slack or fan_high.max() > edges[-1] + slack:
            raise InvalidInput(
                f"The opening reaches from {fan_low.min():.4g} to {fan_high.max():.4g} rad, "
                "beyond the bins of the fluence.",
                where="fan_angle_edges_rad",
                way_out="Extend the bins or narrow tan_fan.",
            )
        begin = np.clip(edges[None, :-1], fan_low[:, None], fan_high[:, None])
        width = np.clip(edges[None, 1:], fan_low[:, None], fan_high[:, None]) - begin
        points, weights = np.polynomial.legendre.leggauss(_SLICES)
        gamma = begin[..., None] + width[..., None] * 0.5 * (points + 1.0)
        ends = np.stack([begin, begin + width, np.clip(0.0, begin, begin + width)], axis=-1)
        mass = (_solid_angle(gamma, openings) * 0.5 * weights).sum(axis=-1) * width
        # an opening on one side of the axis may peak off γ = 0: a dense scan with a margin bounds it
        scan = begin[..., None] + width[..., None] * np.linspace(0.0, 1.0, 257)
        top = np.maximum(
            _solid_angle(ends, openings).max(axis=-1), _solid_angle(scan, openings).max(axis=-1) * (1 + 1e-3)
        )
        return begin, width, top, mass * photons[None, :]

    def digest(self) -> str:
        """Return a digest of everything that defines the source."""
        return _digest("x-ray beam", self.arrays((0.0, 0.0, 0.0)))


def _solid_angle(gamma: FloatArray, openings: FloatArray) -> FloatArray:
    """Return dΩ/dγ of the openings at fan angles [openings, bins, …]."""
    low, high = (openings[:, k].reshape(-1, 1, 1) * np.cos(gamma) for k in (2, 3))
    return np.asarray(high / np.sqrt(1 + high**2) - low / np.sqrt(1 + low**2))
