"""The adult reference voxel phantoms of ICRP Publication 110 as bodies; for tests on this machine only.

Their terms forbid shipping them and deriving shipped data from them. The arrays are [z, y, x] with z from the
toes to the vertex, y from front to back and x from right to left, which is LPS.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import numpy as np

from wholedose.base import Grid
from wholedose.body import Body, Person
from wholedose.matter import Material, material

MARGIN_SKIN, AIR_INSIDE = 141, 140
FOLDER = "ICRPdata/ICRP110_g4dat/P110_data_V1.2"

# label: organ numbers of the table of structures; the slices of skin below and above (141) and air count as
# outside, as the reference heights have it
_STRUCTURES: dict[str, tuple[int, ...]] = {
    "adrenals": (1, 2), "extrathoracic_region": (3, 4), "oral_mucosa": (5, 6), "trachea": (7, 8),
    "large_veins": (9, 10, 11, 12), "bone_humeri_upper": (14,), "bone_humeri_lower": (17,),
    "bone_forearms": (20, 23), "bone_clavicles": (25,), "bone_cranium": (27,), "bone_femora_upper": (29,),
    "bone_femora_lower": (32,), "bone_lower_legs": (35, 38), "bone_mandible": (40,), "bone_pelvis": (42,),
    "bone_ribs": (44,), "bone_scapulae": (46,), "bone_cervical_spine": (48,), "bone_thoracic_spine": (50,),
    "bone_lumbar_spine": (52,), "bone_sacrum": (54,), "bone_sternum": (56,),
    "cortical_bone": (13, 16, 19, 22, 24, 26, 28, 31, 34, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55),
    "medullary_cavities": (15, 18, 21, 30, 33, 36), "cartilage": (57, 58, 59, 60), "brain": (61,),
    "breast_adipose": (62, 64), "breast_gland": (63, 65), "eye_lenses": (66, 68), "eyes": (67, 69),
    "gall_bladder_wall": (70,), "gall_bladder_contents": (71,), "stomach_wall": (72,),
    "stomach_contents": (73,), "small_intestine_wall": (74,), "small_intestine_contents": (75,),
    "right_colon_wall": (76, 78), "right_colon_contents": (77, 79), "left_colon_wall": (80, 82),
    "left_colon_contents": (81, 83), "rectosigmoid_wall": (84, 86), "rectosigmoid_contents": (85,),
    "heart_wall": (87,), "heart_left_chambers": (88,), "kidneys": (89, 90, 91, 92, 93, 94), "liver": (95,),
    "lungs": (96, 97, 98, 99), "lymphatic_nodes": (100, 101, 102, 103, 104, 105),
    "muscle": (106, 107, 108, 109), "oesophagus": (110,), "ovaries": (111, 112), "pancreas": (113,),
    "pituitary": (114,), "prostate": (115,), "adipose": (116, 117, 118, 119), "salivary_glands": (120, 121),
    "skin": (122, 123, 124, 125), "spinal_cord": (126,), "spleen": (127,), "teeth": (128,),
    "testes": (129, 130), "thymus": (131,), "thyroid": (132,), "tongue": (133,), "tonsils": (134,),
    "ureters": (135, 136), "urinary_bladder_wall": (137,), "urinary_bladder_contents": (138,),
    "uterus": (139,),
}  # fmt: skip
_ELEMENTS = ("H", "C", "N", "O", "Na", "Mg", "P", "S", "Cl", "K", "Ca", "Fe", "I")


def _text(folder: Path, sex: str, table: str) -> str:
    name = "AM" if sex == "M" else "AF"
    with tarfile.open(folder / "icrp110" / "ICRPdata.tar.gz") as archive:
        stream = archive.extractfile(f"{FOLDER}/{name}/{name}_{table}.dat")
        assert stream is not None
        return stream.read().decode("latin-1")


def structures(folder: Path, sex: str) -> dict[int, tuple[str, int, float]]:
    """Return name, medium and density in g/cm³ of each organ number of the table of structures."""
    found = {}
    for line in _text(folder, sex, "organs").splitlines():
        match = re.match(r"\s*(\d+)\s+(\S.*?)\s+(\d+)\s+(\d\.\d+)\s*$", line)
        if match:
            found[int(match[1])] = (match[2], int(match[3]), float(match[4]))
    return found


def media(folder: Path, sex: str) -> dict[int, dict[str, float]]:
    """Return the mass fractions of each medium by element."""
    found = {}
    for line in _text(folder, sex, "media").splitlines():
        match = re.match(r"\s*(\d+)\s+(\S.*?)((?:\s+\d+\.\d+){13})\s*$", line)
        if match:
            values = [float(cell) / 100.0 for cell in match[3].split()]
            found[int(match[1])] = dict(zip(_ELEMENTS, values, strict=True))
    return found


def marrow_share_of_spongiosa(folder: Path, sex: str) -> dict[int, float]:
    """Return the mass fraction of red marrow in each medium of spongiosa."""
    found = {}
    for line in _text(folder, sex, "spongiosa").splitlines():
        match = re.match(r"\s*(\d+)\s+(\d\.\d+)\s+(\d\.\d+)\s+(\d\.\d+)\s*$", line)
        if match:
            found[int(match[1])] = float(match[2])
    return found


def icrp110(folder: Path, sex: str) -> Body:
    """Return the adult reference phantom of a sex as a body.

    Parameters
    ----------
    folder : Path
        ``reference/phantoms`` of the shared folder.
    sex : {"M", "F"}
    """
    with np.load(folder / "icrp110" / f"A{sex}_organ_id_uint8.npz") as stored:
        number = stored["organ_id"]
        dx, dy, dz = sorted(float(edge) for edge in stored["voxel_mm"])
    table, mixtures = structures(folder, sex), media(folder, sex)
    names = [name for name, ids in _STRUCTURES.items() if any((number == one).any() for one in ids)]
    label_of = np.zeros(256, dtype=np.int16)
    medium_of, density_of = np.zeros(256, dtype=np.uint8), np.zeros(256, dtype=np.float32)
    for one, (_, medium, density) in table.items():
        medium_of[one], density_of[one] = medium, density
    for label, name in enumerate(names, start=1):
        label_of[list(_STRUCTURES[name])] = label
    labels = label_of[number]
    materials: list[Material] = [material("air")]
    for medium in range(1, len(mixtures) + 1):
        density = next((rho for _, m, rho in table.values() if m == medium), 1.0)
        materials.append(Material.from_elements(f"ICRP 110 {sex} {medium}", density, mixtures[medium]))
    kind = np.where(labels > 0, medium_of[number], 0).astype(np.uint8)
    density_map = np.where(labels > 0, density_of[number], 0.0).astype(np.float32)
    grid = Grid(number.shape, (dz, dy, dx), (dx / 2.0, dy / 2.0, dz / 2.0))
    height, weight = (176.0, 73.0) if sex == "M" else (163.0, 60.0)
    person = Person("M" if sex == "M" else "F", 40.0, height, weight)
    return Body(
        person,
        grid,
        labels,
        tuple(names),
        kind,
        density_map,
        tuple(materials),
        dict.fromkeys(names, "label map"),
    )
