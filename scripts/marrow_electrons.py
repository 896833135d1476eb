"""Own estimate of how far photoelectrons from trabeculae enhance the dose to marrow: prints a table.

A check of ``body/skeletal_response``, independent of it (decision 0014). Plates of bone and marrow alternate
in a uniform photon fluence. Photo- and Compton electrons start isotropically, slow down by the Bethe
collision stopping power (ICRU Report 37, without density effect) and are deflected with the transport cross
section of screened Rutherford scattering (Molière's screening). What an atom keeps of a photon (binding
energy) is deposited where it arises. Printed are, relative to the marrow's own electron equilibrium, the dose
to marrow and to its first 50 µm.

Run: ``python scripts/marrow_electrons.py [electrons]``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholedose.matter import Material, material, photon_data

Array = NDArray[np.float64]

REST_KEV, RADIUS_CM, AVOGADRO, FINE = 510.999, 2.8179403e-13, 6.02214076e23, 1 / 137.036
STOP_KEV = 1.0
"""Slower electrons stop where they are: less than 0.1 µm."""
LAYER_CM = 50e-4
MEAN_EXCITATION_EV = {"bone": 106.4, "marrow": 69.0}
"""Cortical bone as in NIST ESTAR; marrow between water (75) and adipose tissue (63), an assumption."""
PLATES_UM = {
    "thin, wide cavities": (120.0, 1000.0),
    "middle": (130.0, 650.0),
    "thick, narrow cavities": (200.0, 500.0),
    "cranium": (255.0, 195.0),
}
"""Thickness of bone and marrow: half the mean chords of trabeculae (0.25, parietal bone 0.5 mm) and cavities
(0.9 to 1.7, parietal bone 0.4 mm), as remembered of Beddoe, Darley and Spiers (1976): an assumption."""
ENERGIES_KEV = (20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0)


@dataclass(frozen=True)
class Medium:
    """A material and its electron physics."""

    name: str
    what: Material

    @property
    def weights(self) -> list[tuple[int, float, float]]:
        """Z, mass fraction and mol per gram of each element."""
        elements = photon_data(self.what).elements
        return [
            (z, part, part / e.atomic_weight)
            for (z, part), e in zip(self.what.composition, elements, strict=True)
        ]

    def stopping(self, kev: Array) -> Array:
        """Collision stopping power in keV cm²/g."""
        tau = kev / REST_KEV
        beta2 = tau * (tau + 2) / (tau + 1) ** 2
        excitation = MEAN_EXCITATION_EV[self.name] / 1000.0
        f = 1 - beta2 + (tau**2 / 8 - (2 * tau + 1) * np.log(2)) / (tau + 1) ** 2
        electrons = sum(z * mol for z, _, mol in self.weights)
        log = 2 * np.log(kev / excitation) + np.log1p(tau / 2) + f
        found: Array = (
            2 * np.pi * RADIUS_CM**2 * REST_KEV * AVOGADRO * electrons / beta2 * np.maximum(log, 0.5)
        )
        return found

    def turning(self, kev: Array) -> Array:
        """Inverse of the transport mean free path, cm²/g."""
        tau = kev / REST_KEV
        beta2 = tau * (tau + 2) / (tau + 1) ** 2
        total = np.zeros_like(kev)
        for z, _, mol in self.weights:
            screening = 1.7e-5 * z ** (2 / 3) / (tau * (tau + 2)) * (1.13 + 3.76 * (FINE * z) ** 2 / beta2)
            log = np.log1p(1 / screening) - 1 / (1 + screening)
            total += mol * z * (z + 1) * log
        return 2 * np.pi * RADIUS_CM**2 * AVOGADRO * total / (beta2 * (tau + 1)) ** 2

    def sources(self, kev: float, count: int, rng: np.random.Generator) -> tuple[Array, float, float]:
        """Return electron energies, the energy they carry and what stays, keV cm²/g per fluence."""
        data = photon_data(self.what)
        photo = np.array([np.interp(kev, data.energy_kev, row) for row in data.photoelectric_by_element])
        bound = np.array([e.k_edge_kev if e.k_edge_kev < kev else 0.0 for e in data.elements])
        compton = data.at("incoherent", kev)
        rates = np.append(photo, compton)
        kind = rng.choice(len(rates), count, p=rates / rates.sum())
        energy = kev - np.append(bound, 0.0)[kind]
        scattered = kind == len(photo)
        energy[scattered] = _recoil(kev, int(scattered.sum()), rng)
        carried = float(rates.sum() * energy.mean())
        return energy, carried, float((photo * bound).sum())


def _recoil(kev: float, count: int, rng: np.random.Generator) -> Array:
    cosine = np.linspace(-1, 1, 2001)
    ratio = 1 / (1 + kev / REST_KEV * (1 - cosine))
    density = ratio**2 * (ratio + 1 / ratio - 1 + cosine**2)
    sums = np.cumsum(density)
    return kev * (1 - np.interp(rng.random(count), sums / sums[-1], ratio))


def spread(
    energy: Array,
    start: Medium,
    media: tuple[Medium, Medium],
    half_cm: tuple[float, float],
    rng: np.random.Generator,
) -> Array:
    """Return the part of the electrons' energy left in bone, marrow beyond its first layer, and that layer.

    x runs from the middle of a bone plate (0) to the middle of a cavity; both ends reflect.
    """
    bone_cm, marrow_cm = half_cm
    end, n = bone_cm + marrow_cm, len(energy)
    x = rng.random(n) * bone_cm if start.name == "bone" else bone_cm + rng.random(n) * marrow_cm
    kev, u, left = energy.copy(), 2 * rng.random(n) - 1, np.zeros(3)
    while len(kev):
        inside = x < bone_cm
        density = np.where(inside, media[0].what.density_g_cm3, media[1].what.density_g_cm3)
        stopping = density * np.where(inside, media[0].stopping(kev), media[1].stopping(kev))
        turning = density * np.where(inside, media[0].turning(kev), media[1].turning(kev))
        step = np.minimum(0.04 * kev / stopping, 0.15 / turning)
        # a step ends at the face between the media
        reach = np.where(u > 0, bone_cm - x, x - bone_cm) / np.maximum(np.abs(u), 1e-9)
        faces = (inside & (u > 0)) | (~inside & (u < 0))
        crossing = faces & (reach < step)
        step = np.where(crossing, reach + 1e-9, step)
        lost = np.minimum(np.where(kev <= STOP_KEV, kev, stopping * step), kev)
        middle = x + 0.5 * u * step
        place = np.where(middle < bone_cm, 0, np.where(middle < bone_cm + LAYER_CM, 2, 1))
        left += np.bincount(place, weights=lost, minlength=3)
        x = x + u * step
        u = np.where((x < 0) | (x > end), -u, u)
        x = np.where(x < 0, -x, np.where(x > end, 2 * end - x, x))
        bend = np.minimum(-np.log(rng.random(len(x))) * turning * step, 2.0)
        cosine, azimuth = 1 - bend, 2 * np.pi * rng.random(len(x))
        u = u * cosine + np.sqrt(np.maximum((1 - u * u) * (1 - cosine * cosine), 0)) * np.cos(azimuth)
        u, kev = np.clip(u, -1, 1), kev - lost
        alive = kev > 0
        x, u, kev = x[alive], u[alive], kev[alive]
    return np.asarray(left / energy.sum())


def main(count: int) -> None:
    """Print the enhancement of the dose to marrow and to its first 50 µm for each structure and energy."""
    rng = np.random.default_rng(14)
    marrow = material("red_marrow")
    media = (Medium("bone", material("cortical_bone")), Medium("marrow", marrow))
    print("keV", *(f"{kev:g}" for kev in ENERGIES_KEV), sep="\t")
    for structure, plates in PLATES_UM.items():
        half = (plates[0] / 2e4, plates[1] / 2e4)
        grams = [m.what.density_g_cm3 * length for m, length in zip(media, half, strict=True)]
        layer_g = marrow.density_g_cm3 * LAYER_CM
        all_, layer = [], []
        for kev in ENERGIES_KEV:
            left, own = np.zeros(3), 0.0
            for medium, mass in zip(media, grams, strict=True):
                energy, carried, kept = medium.sources(kev, count, rng)
                left += mass * carried * spread(energy, medium, media, half, rng)
                if medium.name == "marrow":
                    own = carried + kept
                    left += kept * np.array([0.0, mass - layer_g, layer_g])
            all_.append((left[1] + left[2]) / grams[1] / own)
            layer.append(left[2] / layer_g / own)
        print(structure, *(f"{value:.3f}" for value in all_), sep="\t")
        print("  first 50 µm", *(f"{value:.2f}" for value in layer), sep="\t")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
