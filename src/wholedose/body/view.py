"""What the field of view shows and cuts. Defines `view_edge`, `without_arms`, `arms_of` and `ArmsSeen`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Grid

if TYPE_CHECKING:
    from wholedose.body.segmentation import Segmentation

Mask = NDArray[np.bool_]
Arms = Literal["up", "down"]
ArmState = Literal["up", "down", "cut", "unknown"]

PADDING_HU = -1024.0
"""What lies outside a round field of view is this or lower; air is brighter."""

LEAST_ARM_CM2, MOST_ARM_CM2 = 8.0, 160.0
ARM_BONE_CM2 = 0.5
SHARE_OF_SLICES = 0.3
LEAST_LENGTH_MM = 20.0
ARM_SHARE = 0.3
"""Of the area of the largest piece of a slice, below which a piece is an arm and not the other leg."""

DIP, TRUNK_OVER_ARM = 0.8, 1.3
"""How far the height of the section falls between arm and trunk, and how much higher the trunk is."""


@dataclass(frozen=True)
class ArmsSeen:
    """What an image says about the arms.

    Attributes
    ----------
    left, right : {"up", "down", "cut", "unknown"}
        ``"down"``: seen beside the trunk; ``"cut"``: the field of view cuts the body where the arm would be;
        ``"up"``: the trunk is seen whole without one beside it; ``"unknown"``: no trunk in the image.
    share : float
        Share of the trunk's slices that show an arm or a cut, the larger of both sides.
    """

    left: ArmState
    right: ArmState
    share: float

    @property
    def state(self) -> ArmState:
        """Both arms in one word: a seen arm counts before a cut one, and that before a raised one."""
        for word in ("down", "cut", "up"):
            if word in (self.left, self.right):
                return word
        return "unknown"


def view_edge(hu: NDArray[np.float32]) -> Mask:
    """Return the edge of the field of view [y, x]: the sides of the image, and of a round view within.

    Examples
    --------
    >>> view_edge(np.full((2, 3, 4), -1000.0, dtype=np.float32)).astype(int).tolist()
    [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    """
    ny, nx = hu.shape[1:]
    edge = np.zeros((ny, nx), dtype=np.bool_)
    edge[[0, -1], :] = True
    edge[:, [0, -1]] = True
    padding: Mask = np.asarray((hu <= PADDING_HU).all(axis=0))
    if padding[0, 0] and padding[0, -1] and padding[-1, 0] and padding[-1, -1]:
        y, x = np.mgrid[:ny, :nx]
        far = np.hypot((y - (ny - 1) / 2) / ny, (x - (nx - 1) / 2) / nx)
        radius = far[padding].min()
        # padding is all that lies outside one ellipse, and nothing else
        if radius > 0.25 and padding[far > radius + 1.5 / min(ny, nx)].mean() > 0.98:
            edge |= padding | (ndimage.binary_dilation(padding, iterations=2) & ~padding)
    return edge


def without_arms(body: Mask) -> Mask:
    """Return a body [z, y, x] without the small pieces of its slices: arms beside the trunk, hands.

    Examples
    --------
    >>> without_arms(np.array([[[True, False, True, True, True, True]]])).astype(int).tolist()
    [[[0, 0, 1, 1, 1, 1]]]
    """
    kept = np.zeros_like(body)
    for k, plane in enumerate(body):
        pieces, count = ndimage.label(plane)
        if count:
            sizes = np.bincount(pieces.ravel())
            sizes[0] = 0
            kept[k] = (sizes >= ARM_SHARE * sizes.max())[pieces]
    return kept


def halves_of_edge(edge: Mask) -> tuple[Mask, Mask]:
    """Return the parts of the edge of view at low x and at high x, without front and back."""
    ny, nx = edge.shape
    y, x = np.mgrid[:ny, :nx]
    across, along = (x - (nx - 1) / 2) / nx, (y - (ny - 1) / 2) / ny
    lateral = np.abs(across) >= np.abs(along)
    return np.asarray(edge & lateral & (across < 0)), np.asarray(edge & lateral & (across > 0))


def arms_of(found: Segmentation, grid: Grid) -> ArmsSeen:
    """Return whether an image shows the arms, cuts them, or shows a trunk without them.

    Parameters
    ----------
    found : Segmentation
    grid : Grid

    Notes
    -----
    An arm has bone inside, lies at the side of the trunk, and the section is lower between the two. A trunk
    is a wide section; heads and legs tell nothing. An arm in front of the trunk is not seen.
    """
    body = found.body
    area = body.sum(axis=(1, 2)) * grid.spacing_mm[1] * grid.spacing_mm[2] / 100.0
    if not area.any():
        return ArmsSeen("unknown", "unknown", 0.0)
    trunk = [k for k in range(body.shape[0]) if _is_trunk(body[k], grid)]
    lungs = found.mask("lung").any(axis=(1, 2))
    if lungs.any():
        # beside neck and shoulders an arm cannot be told from a raised one
        top = np.flatnonzero(lungs)[-1] - round(60.0 / grid.spacing_mm[0])
        trunk = [k for k in trunk if k <= max(top, int(np.flatnonzero(lungs)[0]))]
    if len(trunk) * grid.spacing_mm[0] < LEAST_LENGTH_MM:
        return ArmsSeen("unknown", "unknown", 0.0)
    sides: dict[str, tuple[float, float]] = {}
    bone = found.mask("bone")
    seen = np.zeros((len(trunk), 2), dtype=np.bool_)
    for row, k in enumerate(trunk):
        seen[row] = _arms_beside(body[k], bone[k], grid)
    for side, at, cut in ((0, "low", found.cut_left), (1, "high", found.cut_right)):
        sides[at] = (float(seen[:, side].mean()), float(cut[trunk].mean()))
    # x grows to the patient's left
    left, right = (_state(*sides[at]) for at in ("high", "low"))
    return ArmsSeen(left, right, max(max(pair) for pair in sides.values()))


def _state(seen: float, cut: float) -> ArmState:
    if seen >= SHARE_OF_SLICES:
        return "down"
    return "cut" if cut >= SHARE_OF_SLICES else "up"


def _is_trunk(plane: Mask, grid: Grid) -> bool:
    labels, count = ndimage.label(plane)
    if not count:
        return False
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    columns = np.flatnonzero((labels == sizes.argmax()).any(axis=0))
    width = (columns[-1] - columns[0] + 1) * grid.spacing_mm[2]
    share = sizes.max() / max(int(sizes.sum()), 1)
    return bool(width > 220.0 and share > 0.6)


def _arms_beside(plane: Mask, bone: Mask, grid: Grid) -> tuple[bool, bool]:
    """Return whether arms lie at low and at high x: the body's height dips between an arm and the trunk."""
    height = plane.sum(axis=0).astype(float) * grid.spacing_mm[1]
    inner = bone.sum(axis=0) * grid.spacing_mm[1]
    low, high = (
        _arm_at_start(h, b, grid.spacing_mm[2]) for h, b in ((height, inner), (height[::-1], inner[::-1]))
    )
    return low, high


def _arm_at_start(height: NDArray[np.float64], bone: NDArray[np.float64], step_mm: float) -> bool:
    columns = np.flatnonzero(height > 0)
    if not columns.size:
        return False
    peak, start = 0.0, int(columns[0])
    for k in range(start, height.size):
        peak = max(peak, float(height[k]))
        if height[k] < DIP * peak and height[k:].max() > TRUNK_OVER_ARM * peak:
            cm2 = float(height[start : k + 1].sum()) * step_mm / 100.0
            inner = float(bone[start : k + 1].sum()) * step_mm / 100.0
            if LEAST_ARM_CM2 < cm2 < MOST_ARM_CM2 and inner > ARM_BONE_CM2:
                return True
    return False
