"""Bodies that all agree with what an image shows. Defines `Member` and `ensemble_of`.

An image leaves open where the organs lie that it does not show, and how large they are. Each member is a
whole body in coarse voxels: what was seen stays, the rest is the reference body moved by a smooth random
displacement, small inside the image and about a vertebra far from it, with organs swollen or shrunk by what
people of this kind differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Grid
from wholedose.body.body import Body
from wholedose.body.organs import BONE_SITES, PARTS
from wholedose.body.placement import taken
from wholedose.body.population import population
from wholedose.body.registration import Warp
from wholedose.body.scanned import COMPACT, FIXED, FREE_FAT, FREE_SOFT, OUTSIDE, Seen
from wholedose.tables import load

MEMBERS = 16
VOXEL_MM = 8.0
FIELD_MM = 16.0
SMALL_VOXELS = 40
"""An organ of fewer coarse voxels is moved point by point, lest it falls between them."""

MOST_POINTS = 400
LEAST_SWOLLEN_CM3 = 4.0
IN_FAT_SHARE = 0.1
PAIRED = ("kidneys", "adrenals", "ovaries", "testes", "breasts", "salivary_glands", "eyes")
NOT_SWOLLEN = (
    "skin", "muscle", "adipose", "residual_soft_tissue", "bone", "lungs", "aorta", "large_veins",
    "lymphatic_nodes", "spinal_cord", "oesophagus", "trachea", *BONE_SITES,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Member:
    """One body of an ensemble, its voxels sorted by label.

    Parameters
    ----------
    grid : Grid
        Coarse cubic voxels in the body's space, the same for all members.
    organs : tuple of str
        Names of the labels, those of the body.
    index : int32 array ``[m]``
        Flat index ``[z, y, x]`` of the voxels of the person.
    start : int64 array ``[len(organs) + 1]``
        ``index[start[i]:start[i + 1]]`` are the voxels of ``organs[i]``.
    """

    grid: Grid
    organs: tuple[str, ...]
    index: NDArray[np.int32]
    start: NDArray[np.int64]

    @classmethod
    def of(cls, grid: Grid, organs: tuple[str, ...], labels: NDArray[np.int16]) -> Member:
        """Pack labels (0: not the person, i: ``organs[i - 1]``)."""
        flat = labels.ravel()
        order = np.argsort(flat, kind="stable")
        start = np.searchsorted(flat[order], np.arange(1, len(organs) + 2))
        return cls(grid, organs, order[start[0] :].astype(np.int32), (start - start[0]).astype(np.int64))

    def voxels(self, name: str) -> NDArray[np.int32]:
        """Return the flat indices of a label's voxels; empty for a label that this body lacks."""
        if name not in self.organs:
            return np.zeros(0, dtype=np.int32)
        i = self.organs.index(name)
        return self.index[self.start[i] : self.start[i + 1]]

    @property
    def labels(self) -> NDArray[np.int16]:
        """The body as labels ``[z, y, x]``."""
        found = np.zeros(int(np.prod(self.grid.shape)), dtype=np.int16)
        found[self.index] = np.repeat(np.arange(1, len(self.organs) + 1), np.diff(self.start))
        return found.reshape(self.grid.shape)


def parameter(name: str) -> float:
    """Return a value of the table ``body/ensemble``."""
    table = load("body/ensemble")
    return float(table["value"][[str(n) for n in table["name"]].index(name)])


def ensemble_of(
    body: Body,
    seen: Seen,
    *,
    members: int = MEMBERS,
    seed: int = 1,
    height_known: bool = True,
    weight_known: bool = True,
) -> tuple[Member, ...]:
    """Return bodies that agree with an image as well as the completed body does.

    Parameters
    ----------
    body : Body
        The completed person.
    seen : Seen
        What the image fixes, and the model body behind the rest.
    members : int
    seed : int
        The same seed gives the same bodies.
    height_known, weight_known : bool
        Whether these were given, or assumed and thus vary more.

    Examples
    --------
    ``ensemble_of(body, seen)[0].voxels("liver").size`` → some thousand voxels of 8 mm or so.
    """
    maker = _Maker(body, seen, height_known, weight_known)
    return tuple(maker.member(np.random.default_rng([seed, number])) for number in range(members))


@dataclass(frozen=True, eq=False)
class _Maker:
    body: Body
    seen: Seen
    height_known: bool
    weight_known: bool

    @cached_property
    def grid(self) -> Grid:
        fine = self.body.grid
        factor = max(1, round(VOXEL_MM / fine.spacing_mm[0]))
        step = factor * fine.spacing_mm[0]
        low = fine.lower_mm
        shape = tuple(-(-n // factor) for n in fine.shape)
        return Grid(
            (shape[0], shape[1], shape[2]),
            (step, step, step),
            (low[0] + step / 2, low[1] + step / 2, low[2] + step / 2),
        )

    def _coarse(self, values: NDArray[Any], fine: Grid) -> NDArray[Any]:
        """Values of a fine grid at the centres of the coarse one; 0 outside."""
        picks, ok = [], []
        for axis, at in zip((2, 1, 0), self.grid.axes_mm(), strict=True):
            i = 2 - axis
            k = np.floor((at - fine.lower_mm[axis]) / fine.spacing_mm[i] + 1e-6).astype(np.int64)
            ok.append((k >= 0) & (k < fine.shape[i]))
            picks.append(np.clip(k, 0, fine.shape[i] - 1))
        found = values[np.ix_(*picks)]
        found[~ok[0]] = 0
        found[:, ~ok[1]] = 0
        found[:, :, ~ok[2]] = 0
        return np.asarray(found)

    @cached_property
    def nominal(self) -> NDArray[np.int16]:
        return np.asarray(self._coarse(self.body.labels, self.body.grid), dtype=np.int16)

    @cached_property
    def kind(self) -> NDArray[np.uint8]:
        return np.asarray(self._coarse(self.seen.kind, self.seen.grid), dtype=np.uint8)

    @cached_property
    def renumber(self) -> tuple[NDArray[np.int16], NDArray[np.bool_], NDArray[np.bool_]]:
        """Of each label of the model: the body's label, and whether it may fill open soft tissue or fat."""
        model, own = self.seen.model, self.body.organs
        number = np.zeros(len(model.organs) + 1, dtype=np.int16)
        soft, fat = (np.zeros(len(model.organs) + 1, dtype=np.bool_) for _ in range(2))
        counts = np.bincount(self.nominal[self.kind == FREE_FAT], minlength=len(own) + 1)
        whole = np.bincount(self.nominal[self.kind != OUTSIDE], minlength=len(own) + 1)
        in_fat = counts > IN_FAT_SHARE * np.maximum(whole, 1)
        for i, name in enumerate(model.organs, start=1):
            target = self.seen.names[name]
            number[i] = own.index(target) + 1 if target in own else 0
            rest = name == "residual_soft_tissue" and self.body.origin.get(name) == "image"
            may = (self.seen.takes[name] or rest) and number[i] > 0
            soft[i] = may and name != "breast_adipose"
            # organs that the completed body, too, draws into fat
            fat[i] = may and bool(in_fat[number[i]])
        return number, soft, fat

    @cached_property
    def field_grid(self) -> Grid:
        low, high = np.array(self.grid.lower_mm), np.array(self.grid.upper_mm)
        shape = [int(np.ceil((b - a) / FIELD_MM)) + 1 for a, b in zip(low, high, strict=True)]
        return Grid((shape[2], shape[1], shape[0]), (FIELD_MM,) * 3, (low[0], low[1], low[2]))

    @cached_property
    def beyond(self) -> NDArray[np.float64]:
        """Distance from the image along z at the field's heights, negative below it, 0 in it."""
        z = self.field_grid.axes_mm()[0]
        low, high = self.body.image_z_mm or (z[0], z[-1])
        return np.asarray(np.minimum(z - low, 0.0) + np.maximum(z - high, 0.0))

    @cached_property
    def unseen(self) -> NDArray[np.bool_]:
        """Where the field lies in the body outside the image."""
        picks = [
            np.clip(((at - low) // step).astype(np.int64), 0, n - 1)
            for at, low, step, n in zip(
                self.field_grid.axes_mm(), self.grid.lower_mm[::-1], self.grid.spacing_mm, self.grid.shape,
                strict=True,
            )
        ]  # fmt: skip
        inside = self.nominal[np.ix_(*picks)] > 0
        return np.asarray(inside & (self.beyond != 0.0)[:, None, None])

    @cached_property
    def points(self) -> Mapping[int, NDArray[np.float64]]:
        """Places of the body's small organs."""
        counts = np.bincount(self.nominal.ravel(), minlength=len(self.body.organs) + 1)
        found = {}
        for i in range(1, len(self.body.organs) + 1):
            if counts[i] < SMALL_VOXELS:
                found[i] = self._places(i, MOST_POINTS)
        # what lies within another, as the lens in the eye, is painted last
        return dict(sorted(found.items(), key=lambda item: -self._by_label[item[0]].size))

    def _places(self, label: int, most: int) -> NDArray[np.float64]:
        index = self._by_label[label]
        index = index[:: max(1, index.size // most)]
        k, j, i = np.unravel_index(index, self.body.grid.shape)
        z, y, x = self.body.grid.axes_mm()
        return np.stack([x[i], y[j], z[k]], axis=1)

    @cached_property
    def _by_label(self) -> list[NDArray[np.int64]]:
        flat = self.body.labels.ravel()
        used = np.flatnonzero(flat)
        order = used[np.argsort(flat[used], kind="stable")]
        ends = np.searchsorted(flat[order], np.arange(1, len(self.body.organs) + 2))
        return [np.zeros(0, dtype=np.int64), *np.split(order, ends[1:-1])]

    @cached_property
    def swellings(self) -> list[tuple[str, float, list[tuple[NDArray[np.float64], float]]]]:
        """Organs that vary in size: log SD, and centre and radius of each piece."""
        spread = population(self.body.person)
        groups: dict[str, list[int]] = {}
        for i, name in enumerate(self.body.organs, start=1):
            whole = PARTS[name].part_of if name in PARTS and PARTS[name].part_of else name
            if name not in NOT_SWOLLEN and whole not in NOT_SWOLLEN and self.body.origin[name] == "reference":
                groups.setdefault(whole, []).append(i)
        found = []
        for whole, labels in groups.items():
            sizes = np.array([self._by_label[i].size for i in labels], dtype=np.float64)
            if sizes.sum() * self.body.grid.voxel_cm3 < LEAST_SWOLLEN_CM3:
                continue
            names = [self.body.organs[i - 1] for i in labels]
            sd = float(np.average([spread.get(name, 0.2) for name in names], weights=sizes))
            places = np.concatenate([self._places(i, 2000) for i in labels])
            pieces = [places]
            if whole in PAIRED:
                right = places[:, 0] < places[:, 0].mean()
                pieces = [places[right], places[~right]]
            balls = []
            for piece in pieces:
                if len(piece) > 3:
                    centre = piece.mean(axis=0)
                    balls.append((centre, float(np.sqrt(((piece - centre) ** 2).sum(axis=1).mean()))))
            found.append((whole, sd, balls))
        return found

    def displacement(self, rng: np.random.Generator) -> Warp:
        """A random displacement: member place + displacement = place in the completed body."""
        grid = self.field_grid
        z, y, x = grid.axes_mm()
        share = np.clip(np.abs(self.beyond) / parameter("reach"), 0.0, 1.0)[:, None, None]
        blur = parameter("correlation") / 2.0 / FIELD_MM
        field = np.empty((3, *grid.shape))
        for axis in range(3):
            near, far = (parameter(f"{kind}_{'z' if axis == 2 else 'xy'}") for kind in ("near", "far"))
            noise = ndimage.gaussian_filter(rng.standard_normal(grid.shape), blur, mode="wrap", truncate=3.0)
            noise *= (2.0 * np.sqrt(np.pi) * blur) ** 1.5
            field[axis] = noise * np.sqrt(near**2 + share * (far**2 - near**2))
        known = "" if self.height_known else "_unknown"
        for side in (-1.0, 1.0):
            longer = rng.standard_normal() * parameter(f"stretch{known}_rel")
            field[2] += longer * np.where(side * self.beyond > 0, self.beyond, 0.0)[:, None, None]
        field[2] += rng.standard_normal() * parameter("breathing") * self._below_diaphragm(z)
        field[2] += rng.standard_normal() * parameter(f"place_{self._placed_by}")
        self._swell(field, rng)
        # the random part shall not change the weight; that varies by itself
        grown = sum(np.gradient(field[2 - axis], FIELD_MM, axis=axis) for axis in range(3))
        known = "" if self.weight_known else "_unknown"
        wider = rng.standard_normal() * parameter(f"girth{known}_rel")
        if self.unseen.any():
            wider -= 0.5 * float(np.asarray(grown)[self.unseen].mean())
        middle = self.body.grid.centre_mm
        field[0] += wider * share * (x - middle[0])[None, None, :]
        field[1] += wider * share * (y - middle[1])[None, :, None]
        return Warp(grid, field.astype(np.float32))

    @cached_property
    def _placed_by(self) -> str:
        """What tells the image's height: labelled organs, ends of the lungs, or its slices alone."""
        if any(self.body.origin.get(name) == "label map" for name in COMPACT):
            return "labels"
        return "lungs" if self.seen.placement.fit.ends else "slices"

    def _below_diaphragm(self, z: NDArray[Any]) -> NDArray[Any]:
        marks = self.body.landmarks
        base, crest = marks.get("lung_bottom", 0.0), marks.get("iliac_crest", 0.0)
        low, high = self.body.image_z_mm or (0.0, 0.0)
        if low < base < high or base <= crest:
            return np.zeros((z.size, 1, 1))
        at = [crest, base, base + 60.0, base + 160.0]
        return np.asarray(np.interp(z, at, [0.0, 1.0, 1.0, 0.0]))[:, None, None]

    def _swell(self, field: NDArray[np.float64], rng: np.random.Generator) -> None:
        axes = self.field_grid.axes_mm()
        for _, sd, balls in self.swellings:
            factor = float(np.exp(-sd * rng.standard_normal() / 3.0)) - 1.0
            for centre, radius in balls:
                box = tuple(
                    slice(*np.searchsorted(at, [c - 3 * radius - FIELD_MM, c + 3 * radius + FIELD_MM]))
                    for at, c in zip(axes, centre[::-1], strict=True)
                )
                z, y, x = (at[part] - c for at, part, c in zip(axes, box, centre[::-1], strict=True))
                square = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2
                weight = factor * np.exp(-((square / (2.0 * radius**2)) ** 2))
                near = field[:, box[0], box[1], box[2]]
                near[0] += weight * x[None, None, :]
                near[1] += weight * y[None, :, None]
                near[2] += weight * z[:, None, None]

    def member(self, rng: np.random.Generator) -> Member:
        warp = self.displacement(rng)
        seen = self.seen
        model = taken(seen.model.labels, seen.placement.look_up(self.grid, seen.model.grid, warp))
        number, soft, fat = self.renumber
        labels = self.nominal.copy()
        outside = self.kind == OUTSIDE
        labels[outside] = number[model[outside]]
        own = self.body.organs
        for kind, may, rest in ((FREE_SOFT, soft, "muscle"), (FREE_FAT, fat, "adipose")):
            where = self.kind == kind
            here = model[where]
            labels[where] = np.where(may[here], number[here], own.index(rest) + 1 if rest in own else 0)
        for label, places in self.points.items():
            self._move_points(labels, label, places, warp)
        return Member.of(self.grid, own, labels)

    def _move_points(
        self, labels: NDArray[np.int16], label: int, places: NDArray[np.float64], warp: Warp
    ) -> None:
        step, low = self.grid.spacing_mm[0], np.array(self.grid.lower_mm)
        moved = places - warp.at(places)
        at = np.floor((moved - low) / step).astype(np.int64)[:, ::-1]
        at = np.clip(at, 0, np.array(self.grid.shape) - 1)
        home = np.floor((places - low) / step).astype(np.int64)[:, ::-1]
        home = np.clip(home, 0, np.array(self.grid.shape) - 1)
        stays = self.kind[tuple(home.T)] == FIXED
        at[stays] = home[stays]
        labels[tuple(at.T)] = label
