"""One colour per organ."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from wholedose.body.organs import BONE_SITES, ORGANS, PARTS
from wholedose.report.organ_colours import legend_order, look_of
from wholedose.tables import load

MAIN = ("brain", "lungs", "heart", "liver", "spleen", "stomach", "small_intestine", "kidneys", "thyroid",
        "urinary_bladder", "uterus", "pancreas", "breasts", "colon")  # fmt: skip


def test_every_label_of_ours_has_a_colour_of_its_own_choice() -> None:
    """No label that a body can hold falls back to a hue made from its name."""
    last = len(load("report/organ_colours"))
    labels = {*ORGANS, *PARTS, *BONE_SITES} - {"red_bone_marrow", "endosteum"}
    assert [name for name in sorted(labels) if look_of(name).order >= last] == []


def test_main_organs_are_told_apart() -> None:
    """Any two of the large organs differ clearly, in hue or lightness."""
    for one, other in combinations(MAIN, 2):
        gap = np.linalg.norm(np.subtract(look_of(one).colour, look_of(other).colour))
        assert gap > 0.2, (one, other)


def test_names_without_a_row() -> None:
    """Parts take their organ's colour, contents a paler one, strangers a steady colour that is drawn."""
    assert look_of("bone_ribs") == look_of("bone")
    assert look_of("liver_left_lobe").colour == look_of("liver").colour
    assert min(np.subtract(look_of("ovaries_contents").colour, look_of("ovaries").colour)) > 0
    assert look_of("ovaries_contents").layer == "inside"
    assert look_of("tail").layer == "organ"
    assert look_of("tail").colour != look_of("horn").colour


def test_legends_begin_with_organs() -> None:
    """Legends list organs before bones and tissues, the same for any order of labels."""
    names = ["muscle", "bone_ribs", "liver", "brain"]
    assert legend_order(names) == ["brain", "liver", "bone_ribs", "muscle"]
    assert legend_order(reversed(names)) == legend_order(names)
