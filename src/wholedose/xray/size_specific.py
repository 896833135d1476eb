"""The quick check beside the Monte Carlo result: size-specific dose estimate and patient size.

Defines `ssde_factor`, `effective_diameter_cm`, `water_equivalent_diameter`, `WaterEquivalent`, `Ssde`, `ssde`
(AAPM Reports 204 and 220). The head factors of AAPM Report 293 are not included: their coefficients have not
been read in a source.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wholedose.base import AbsorbedDose, Cause, InvalidInput, MissingInput, OutsideDomain, Volume
from wholedose.tables import load

BODY_HU = -300.0  # threshold of the body outline; AAPM Report 220 leaves it to the user
PADDING_HU = -1200.0  # below any real CT number: filling outside the reconstructed circle
MODEL_U = (
    0.10  # assumption: AAPM 204 warns of differences of up to 20 %, read here as two standard uncertainties
)

FloatArray = NDArray[np.floating[Any]]


def ssde_factor(size_cm: float, phantom_cm: int) -> float:
    """Return dose estimate per CTDIvol for a patient size, by the exponential fit of AAPM Report 204.

    Parameters
    ----------
    size_cm : float
        Effective or water-equivalent diameter.
    phantom_cm : {16, 32}
        Diameter of the phantom to which the CTDIvol refers.

    Raises
    ------
    OutsideDomain
        The size is not within the printed table (6 to 55 cm for 16 cm, 8 to 45 cm for 32 cm).

    Examples
    --------
    >>> round(ssde_factor(30.0, 32), 5)
    1.23113
    """
    table = load("xray/ssde_fit_aapm204")
    rows = {int(row["ctdi_phantom_cm"]): row for row in table.rows()}
    if phantom_cm not in rows:
        raise InvalidInput(f"A CTDI phantom has 16 or 32 cm, not {phantom_cm}.", where="phantom_cm")
    row = rows[phantom_cm]
    if not row["lower_cm"] <= size_cm <= row["upper_cm"]:
        raise OutsideDomain(
            f"A size of {size_cm:.1f} cm is outside the {row['lower_cm']:g} to {row['upper_cm']:g} cm of "
            f"AAPM Report 204 for the {phantom_cm} cm phantom.",
            way_out="Use the Monte Carlo result; check the size and the phantom.",
        )
    return float(row["a"] * math.exp(-row["b"] * size_cm))


def effective_diameter_cm(*, lateral_cm: float | None = None, ap_cm: float | None = None) -> float:
    """Return the effective diameter: √(lateral · AP), or from one of the two by AAPM Report 204's tables.

    Examples
    --------
    >>> effective_diameter_cm(lateral_cm=36.0, ap_cm=25.0)
    30.0
    >>> effective_diameter_cm(ap_cm=25.0)
    29.7
    """
    if lateral_cm is not None and ap_cm is not None:
        if min(lateral_cm, ap_cm) <= 0:
            raise InvalidInput(f"Dimensions are positive, got {lateral_cm} and {ap_cm} cm.")
        return math.sqrt(lateral_cm * ap_cm)
    if lateral_cm is None and ap_cm is None:
        raise MissingInput("No dimension is given.", way_out="Give lateral_cm, ap_cm or both.")
    name, value = ("lateral", lateral_cm) if lateral_cm is not None else ("ap", ap_cm)
    assert value is not None
    table = load("xray/effective_diameter_aapm204")
    chosen = table["dimension"] == name
    x, y = table["dimension_cm"][chosen], table["effective_diameter_cm"][chosen]
    if not x[0] <= value <= x[-1]:
        raise OutsideDomain(
            f"The {name} dimension {value:g} cm is outside the table's {x[0]:g} to {x[-1]:g} cm.",
            way_out="Give both dimensions, or an image.",
        )
    return float(np.interp(value, x, y))


@dataclass(frozen=True, eq=False)
class WaterEquivalent:
    """Patient size along the image (AAPM Report 220).

    Attributes
    ----------
    z_mm : array of shape (nz,)
    diameter_cm : array of shape (nz,)
        Water-equivalent diameter; NaN where no body was found.
    truncated : array of shape (nz,)
        Fraction of the body's outline that lies on the edge of the reconstructed field, 0 to 1.
    """

    z_mm: FloatArray
    diameter_cm: FloatArray
    truncated: FloatArray

    def mean_cm(self, z_range: tuple[float, float] | None = None) -> float:
        """Return the mean diameter over slices whose centres lie in a range of z (LPS mm); all by default."""
        inside = np.isfinite(self.diameter_cm)
        if z_range is not None:
            inside &= (self.z_mm >= z_range[0]) & (self.z_mm <= z_range[1])
        if not inside.any():
            raise MissingInput("No slice with a body lies in the range.", where=f"z {z_range} mm")
        return float(self.diameter_cm[inside].mean())


def body_mask(hu: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the body in one slice: the largest part above -300 HU, its holes (lungs) filled, couch excluded.

    A thin couch that touches the skin is cut off by an opening of one pixel before the parts are compared.
    """
    from scipy import ndimage

    above = hu > BODY_HU
    opened = ndimage.binary_opening(above, iterations=1)
    labels, count = ndimage.label(opened)
    if count == 0:
        return np.zeros(hu.shape, dtype=np.bool_)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    core = labels == int(sizes.argmax())
    grown = ndimage.binary_dilation(core, iterations=1) & above
    return np.asarray(ndimage.binary_fill_holes(grown), dtype=np.bool_)


def water_equivalent_diameter(image: Volume) -> WaterEquivalent:
    """Return each slice's water-equivalent diameter, Dw = 2 √(Aw/π) with Aw = Σ (HU/1000 + 1) · pixel area.

    Parameters
    ----------
    image : Volume
        CT numbers in HU.

    Raises
    ------
    InvalidInput
        The volume is not in HU.
    """
    from scipy import ndimage

    if image.unit != "HU":
        raise InvalidInput(f"Patient size needs an image in HU, not in {image.unit!r}.")
    _, dy, dx = image.grid.spacing_mm
    pixel_cm2 = dx * dy / 100.0
    count = image.grid.shape[0]
    diameter, truncated = np.full(count, np.nan), np.zeros(count)
    for i in range(count):
        hu = np.asarray(image.values[i], dtype=np.float64)
        mask = body_mask(hu)
        if not mask.any():
            continue
        area = float((hu[mask] / 1000.0 + 1.0).clip(min=0.0).sum() * pixel_cm2)
        diameter[i] = 2.0 * math.sqrt(area / math.pi)
        rim = mask & ~ndimage.binary_erosion(mask, border_value=0)
        edge = ndimage.binary_dilation(hu < PADDING_HU, iterations=2)
        edge[0], edge[-1], edge[:, 0], edge[:, -1] = True, True, True, True
        truncated[i] = float((rim & edge).sum() / rim.sum())
    return WaterEquivalent(image.grid.axes_mm()[0], diameter, truncated)


@dataclass(frozen=True)
class Ssde:
    """Size-specific dose estimate of one scan range.

    Attributes
    ----------
    dose : AbsorbedDose
        Mean over the range, in mGy.
    size_cm : float
        Mean diameter over the range.
    factor : float
        ``dose / CTDIvol``.
    size_kind : str
        ``"water-equivalent diameter"`` (AAPM 220) or ``"effective diameter"`` (AAPM 204).
    truncated : float
        Largest truncated fraction of the outline in the range; above 0 the size is too small.
    """

    dose: AbsorbedDose
    size_cm: float
    factor: float
    size_kind: Literal["water-equivalent diameter", "effective diameter"]
    truncated: float = 0.0


def ssde(
    ctdivol_mgy: float,
    phantom_cm: int,
    size: float | WaterEquivalent,
    *,
    z_range: tuple[float, float] | None = None,
    relative_current: Callable[[FloatArray], FloatArray] | None = None,
) -> Ssde:
    """Return the size-specific dose estimate, the mean of CTDIvol(z) · factor(size(z)).

    Parameters
    ----------
    ctdivol_mgy : float
        Mean over the range.
    phantom_cm : {16, 32}
    size : float or WaterEquivalent
        One effective diameter in cm, or the size along the image.
    z_range : tuple of float, optional
        Irradiated range in LPS mm; slices outside are not counted.
    relative_current : callable, optional
        mA(z) divided by its mean, for modulated tube current.

    Examples
    --------
    >>> estimate = ssde(8.2, 32, 30.0)
    >>> estimate.dose
    AbsorbedDose(10.1 ± 1 mGy)
    """
    cause = Cause("model", "AAPM Report 204")
    if not isinstance(size, WaterEquivalent):
        factor = ssde_factor(size, phantom_cm)
        dose = ctdivol_mgy * factor
        return Ssde(AbsorbedDose(dose, {cause: MODEL_U * dose}), size, factor, "effective diameter")
    z = size.z_mm
    inside = np.isfinite(size.diameter_cm)
    if z_range is not None:
        inside &= (z >= z_range[0]) & (z <= z_range[1])
    mean_cm = size.mean_cm(z_range)
    factors = np.array([ssde_factor(float(d), phantom_cm) for d in size.diameter_cm[inside]])
    weight = np.ones_like(factors) if relative_current is None else relative_current(z[inside])
    factor = float((factors * weight).sum() / weight.sum())
    dose = ctdivol_mgy * factor
    kind: Literal["water-equivalent diameter"] = "water-equivalent diameter"
    truncated = float(size.truncated[inside].max())
    return Ssde(AbsorbedDose(dose, {cause: MODEL_U * dose}), mean_cm, factor, kind, truncated)
