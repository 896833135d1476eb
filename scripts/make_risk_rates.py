"""Write the table risk/rates_canepirisk from the CanEpiRisk rates (MIT) of the shared reference folder.

Usage: python scripts/make_risk_rates.py <folder with canepirisk_Incidence.csv and canepirisk_Mortality.csv>
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src/wholedose/tables/data/risk/rates_canepirisk.csv"
NOTICE = (
    "# title: Cancer incidence and survival by age and sex in five WHO regions\n"
    "# source: CanEpiRisk (K. Furukawa), data IARC_*.rda at commit e89cf0e, "
    "github.com/KyojiFurukawa/CanEpiRisk; there from IARC and WHO\n"
    "# unit: incidence per person-year; survival 1 (from birth); age in years, row 0 of incidence is 0\n"
    "# licence: MIT, Copyright (c) K. Furukawa; the licence text is in NOTICE and stays with every copy\n"
    "# note: values rounded to 6 significant digits; site names in wholedose spelling; "
    "leukaemia is without chronic lymphocytic leukaemia; all_solid is without non-melanoma skin cancer\n"
)
SITES = {
    "esophagus": "oesophagus", "stomach": "stomach", "colon": "colon", "liver": "liver",
    "pancreas": "pancreas",
    "lung": "lung", "breast": "breast", "prostate": "prostate", "bladder": "bladder",
    "brainCNS": "brain_cns",
    "thyroid": "thyroid", "leukaemia": "leukaemia", "allsolid-NMSC": "all_solid", "all_cancer": "all_cancer",
}  # fmt: skip


def main(folder: Path) -> None:
    rates: dict[tuple[str, str, int], dict[str, float]] = {}
    for name in ("Incidence", "Mortality"):
        with (folder / f"canepirisk_{name}.csv").open(newline="") as stream:
            for row in csv.DictReader(stream):
                column = (
                    SITES.get(row["site"])
                    if name == "Incidence"
                    else {"survival": "survival"}.get(row["site"])
                )
                if column:
                    for sex, key in (("M", "male"), ("F", "female")):
                        cell = rates.setdefault((row["region"], sex, int(float(row["age"]))), {})
                        cell[column] = float(row[key])
    columns = ["survival", *SITES.values()]
    with TARGET.open("w", newline="") as out:
        out.write(NOTICE)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["region", "sex", "age", *columns])
        for (region, sex, age), cell in sorted(rates.items()):
            writer.writerow([region, sex, age, *(f"{cell.get(column, 0.0):.6g}" for column in columns)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
