"""Something of one's own inside a reference body: a lesion, a gland, an implant. Defines `Addition`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from wholedose.base.errors import InvalidInput
from wholedose.body.fields import Shapes, shapes_of
from wholedose.body.organs import ORGANS, REGIONS


@dataclass(frozen=True)
class Addition:
    """A region that a user adds to a reference body.

    It claims its voxels inside its host, which keeps the rest, so that the body's volume does not change.

    Parameters
    ----------
    region : str
        A new name in snake_case.
    within : str
        The region that makes room for it, a name of `REGIONS`: "liver", "muscle", "residual_soft_tissue".
    mass_g : float
        What its voxels hold; the drawn shape grows or shrinks to it.
    kind : {"ellipsoid", "tube", "sheet"}
    points : str
        The shape in template space (mm), written as `wholedose.body.fields` says.
    side : {"mid", "both"}
        ``"both"``: drawn at the left (x > 0) and mirrored.
    material : str
        A name of ``wholedose.matter.materials()``.

    Raises
    ------
    InvalidInput
        The name is taken or not snake_case, the host is unknown, the mass is not positive, or the shape
        cannot be read.

    Examples
    --------
    >>> lesion = Addition("lesion", "liver", 30.0, "ellipsoid", "-80 -40 1280; 19 19 19")
    >>> len(lesion.shapes.boxes())
    1
    """

    region: str
    within: str
    mass_g: float
    kind: str
    points: str
    side: str = "mid"
    material: str = "soft_tissue"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.region):
            raise InvalidInput(
                f"The name {self.region!r} is not snake_case.",
                where="region",
                way_out='Write "liver_lesion".',
            )
        if self.region in REGIONS or self.region in ORGANS:
            raise InvalidInput(
                f"Bodies have a region {self.region!r} already.",
                where="region",
                way_out="Choose another name.",
            )
        if self.within not in REGIONS:
            raise InvalidInput(
                f"No region {self.within!r} can make room for {self.region!r}.",
                where="within",
                way_out="Give a name of wholedose.body.REGIONS.",
            )
        if not (math.isfinite(self.mass_g) and self.mass_g > 0):
            raise InvalidInput(f"The mass of {self.region!r} is {self.mass_g:g} g.", where="mass_g")
        _ = self.shapes

    @property
    def shapes(self) -> Shapes:
        """The drawn shape."""
        row = {"kind": self.kind, "side": self.side, "points": self.points, "cuts": ""}
        return shapes_of([row], self.region)
