"""``wholedose body show``, ``wholedose body list`` and ``wholedose body segment``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.group()
def body() -> None:
    """Whole bodies: what they look like, and which poses and organs there are."""


@body.command()
@click.option("--sex", type=click.Choice(["F", "M"]), required=True, help="Sex of the anatomy.")
@click.option("--age", "age_y", type=float, required=True, help="Age in years; 0 is a newborn.")
@click.option("--height", "height_cm", type=float, help="Body height in cm; else the reference of the age.")
@click.option(
    "--weight", "weight_kg", type=float, help="Body weight in kg; else the reference of the height."
)
@click.option(
    "--pose", default="supine, arms down", show_default=True, help="See `wholedose body list poses`."
)
@click.option("--voxel", "voxel_mm", type=float, default=3.0, show_default=True, help="Voxel size in mm.")
@click.option("--pregnancy-week", type=float, help="Weeks since the last menstruation.")
@click.option("--breast-glandularity", type=float, help="Glandular share of the breasts by mass, 0 to 1.")
@click.option("--organs", "organ_names", help="Draw only these, separated by commas.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/body"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print body.json instead of a summary.")
@click.option("--quiet", is_flag=True, help="No progress.")
def show(
    pose: str,
    voxel_mm: float,
    organ_names: str | None,
    out: Path,
    as_json: bool,
    quiet: bool,
    **person: Any,
) -> None:
    """Make the body of a person and write a contact sheet of it.

    OUT holds sheet.png (renderings, sections, masses), organs.csv, labels.nii.gz with labels.json, body.json.
    """
    from wholedose.body import Person, reference
    from wholedose.cli.progress import progress_line
    from wholedose.report.body_folder import BODY_FILES, save_body_folder
    from wholedose.report.bodysheet import person_words
    from wholedose.report.bundle import check_target

    check_target(out, tuple(BODY_FILES))
    organs = _names(organ_names)
    who = Person(**{name: value for name, value in person.items() if value is not None})
    with progress_line(quiet or as_json) as progress:
        made = reference(who, pose, voxel_mm, progress=progress)
    save_body_folder(made, out, pose=pose, organs=organs)
    if as_json:
        click.echo((out / "body.json").read_text(encoding="utf-8").rstrip())
        return
    click.echo(
        f"{person_words(made.person)}, {pose}: {made.total_mass_kg:.4g} kg in voxels of {voxel_mm:g} mm"
    )
    for item in made.assumptions:
        click.echo(f"assumed: {item.what}: {item.value} ({item.why})")
    click.echo("")
    for name, what in BODY_FILES.items():
        click.echo(f"{out / name!s:<34} {what}")


@body.command("list")
@click.argument("what", type=click.Choice(["poses", "organs"]))
@click.option("--json", "as_json", is_flag=True, help="As a JSON list of names.")
def list_(what: str, as_json: bool) -> None:
    """List the poses that have names, or the organs and their parts."""
    if what == "poses":
        from wholedose.body.pose import POSES

        rows = dict.fromkeys(POSES, "")
    else:
        from wholedose.body.organs import BONE_SITES, ORGANS, PARTS

        rows = {name: organ.meaning for name, organ in ORGANS.items()}
        rows |= {name: part.meaning for name, part in PARTS.items()}
        rows |= {name: "bone site" for name in BONE_SITES if name not in rows}
    if as_json:
        import json

        click.echo(json.dumps(list(rows), indent=1))
        return
    for name, meaning in rows.items():
        click.echo(f"{name:<28}{meaning}".rstrip())


@body.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("labels.nii.gz"), show_default=True)
@click.option("--sex", type=click.Choice(["F", "M"]), help="Else what the files say, or F.")
@click.option("--age", "age_y", type=float, help="Age in years; else what the files say, or 45.")
@click.option("--height", "height_cm", type=float, help="Body height in cm.")
@click.option("--weight", "weight_kg", type=float, help="Body weight in kg; else what fits the section.")
@click.option("--region", help="What the image shows (head, chest, abdomen …), when that is hard to see.")
@click.option("--parts", is_flag=True, help="Name walls, contents and chambers apart.")
@click.option("--voxel", "voxel_mm", type=float, default=3.0, show_default=True, help="Voxels of the work.")
def segment(image: Path, out: Path, region: str | None, parts: bool, voxel_mm: float, **person: Any) -> None:
    """Label all organs of a CT by the reference body fitted to it, without a network.

    IMAGE is a NIfTI volume or a folder of DICOM images. Beside OUT a JSON file names the labels.
    """
    import json

    from wholedose.base import InvalidInput, MissingInput, write_atomically
    from wholedose.body import assumed_person
    from wholedose.body.fitted import segment as fitted
    from wholedose.dose import nifti_bytes
    from wholedose.records import read_ct_study

    if not out.name.endswith((".nii.gz", ".nii")):
        raise InvalidInput("Labels are written as NIfTI.", where=str(out), way_out="Use .nii.gz or .nii.")
    scan = read_ct_study(image)
    if scan.image is None:
        raise MissingInput(
            "There is no image.", where=str(image), way_out="Give a CT series or a NIfTI file."
        )
    known = {name: scan.person[name].value for name in person if name in scan.person}
    known |= {name: value for name, value in person.items() if value is not None}
    who, assumed = assumed_person(**known)
    labels, names = fitted(scan.image, who, region=region, whole=not parts, voxel_mm=voxel_mm)
    write_atomically(out, nifti_bytes(labels.grid, labels.values, zipped=out.name.endswith(".gz")))
    beside = out.with_name(out.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    text = json.dumps({str(i): name for i, name in names.items()}, indent=1) + "\n"
    write_atomically(beside, text.encode("utf-8"))
    for item in (*assumed, *labels.meta["assumptions"]):
        click.echo(f"assumed: {item.what}: {item.value} ({item.why})")
    click.echo(f"{len(names)} organs in {out}, their names in {beside}")


def _names(text: str | None) -> list[str] | None:
    """Return the names in a list with commas; spaces and capitals do not matter."""
    from wholedose.base import InvalidInput

    if text is None:
        return None
    names = [name.strip().lower().replace(" ", "_") for name in text.split(",") if name.strip()]
    if not names:
        raise InvalidInput("No organ is named.", where="--organs", way_out="Give names separated by commas.")
    return names
