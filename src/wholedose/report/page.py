"""A white page to set pictures and words on, by the pixel. Defines `Page` and `font`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

Ink = tuple[int, int, int]
INK, MUTED, RULE, WARN, PAPER = (27, 31, 40), (98, 105, 118), (208, 212, 219), (178, 34, 34), (255, 255, 255)


@cache
def font(size: int, bold: bool = False) -> FreeTypeFont:
    """Return DejaVu Sans, which comes with matplotlib, in a size in pixels."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


class Page:
    """A page in the making.

    Parameters
    ----------
    width, height : int
        In pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        import PIL.Image
        from PIL import ImageDraw

        self.image: Image = PIL.Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def text(
        self,
        at: tuple[float, float],
        words: str,
        size: int,
        *,
        bold: bool = False,
        ink: Ink = INK,
        anchor: str = "ls",
        halo: Ink | None = None,
    ) -> float:
        """Write words and return where they end.

        ``anchor`` is Pillow's: l, m or r and s (baseline), m or a (top).
        """
        face = font(size, bold)
        self._draw.text(
            at, words, fill=ink, font=face, anchor=anchor, stroke_width=2 if halo else 0, stroke_fill=halo
        )
        return at[0] + face.getlength(words)

    def fitted(self, at: tuple[float, float], words: str, size: int, room: float) -> None:
        """Write words, shortened to the room there is."""
        face = font(size)
        if face.getlength(words) > room:
            while words and face.getlength(words + "…") > room:
                words = words[:-1]
            words += "…"
        self.text(at, words, size)

    def picture(
        self, at: tuple[float, float], pixels: NDArray[np.uint8], scale: float
    ) -> tuple[int, int, int, int]:
        """Set a picture with its upper left corner at a place; return its box."""
        import PIL.Image

        size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
        made = PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.LANCZOS)
        left, top = round(at[0]), round(at[1])
        self.image.paste(made, (left, top))
        return left, top, left + size[0], top + size[1]

    def line(
        self, start: tuple[float, float], end: tuple[float, float], ink: Ink = RULE, width: int = 1
    ) -> None:
        """Draw a line."""
        self._draw.line([start, end], fill=ink, width=width)

    def swatch(self, at: tuple[float, float], size: int, colour: tuple[float, float, float]) -> None:
        """Draw a square of a colour (0 to 1) with its upper left corner at a place."""
        fill = tuple(round(255 * part) for part in colour)
        edge = tuple(round(0.7 * part) for part in fill)
        self._draw.rectangle([at[0], at[1], at[0] + size, at[1] + size], fill=fill, outline=edge)

    def scale_bar(self, at: tuple[float, float], pixels_per_mm: float) -> None:
        """Draw a bar of 10 cm, or of 5 or 1 cm where that is too long."""
        cm: Literal[1, 5, 10] = 10 if 100 * pixels_per_mm < 130 else 5 if 50 * pixels_per_mm < 130 else 1
        x, y = at
        end = x + 10 * cm * pixels_per_mm
        self.line((x, y), (end, y), INK, 3)
        for place in (x, end):
            self.line((place, y - 6), (place, y + 6), INK, 2)
        self.text((end + 10, y), f"{cm} cm", 17, anchor="lm")


def readable_on(colour: tuple[float, float, float]) -> tuple[Ink, Ink]:
    """Return ink and halo that can be read on a colour (0 to 1).

    Examples
    --------
    >>> readable_on((0.1, 0.1, 0.1))[0]
    (255, 255, 255)
    """
    light = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
    fill = tuple(round(255 * part) for part in colour)
    return (INK if light > 0.45 else PAPER), (fill[0], fill[1], fill[2])
