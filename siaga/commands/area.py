"""`siaga area`: the boundaries that alarms are placed in."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.registry.boundaries import AreaProperties
from siaga.commands.options import DATA, Data, Json, me, show
from siaga.deployment import Deployment

app = typer.Typer(no_args_is_help=True, help="Kelurahan and kecamatan, from a boundary file.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="GeoJSON, WGS 84.")],
    code: Annotated[str | None, typer.Option(help="Property that holds the code.")] = None,
    kelurahan: Annotated[str | None, typer.Option(help="Property that holds the name.")] = None,
    kecamatan: Annotated[str | None, typer.Option(help="Property of the district.")] = None,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Put the areas of a file in the place of all that were there.

    Example: siaga area import tarakan.geojson
    """
    properties = AreaProperties(code, kelurahan, kecamatan)
    with Deployment.open(data).registry() as registry:
        report = registry.import_areas(file.read_bytes(), by=me(), properties=properties)
    if as_json:
        show(asdict(report), as_json=True)
        return
    typer.echo(f"{len(report.areas)} areas, {len(report.refused)} features refused")
    for note in (*report.repaired, *report.refused):
        typer.echo(f"feature {note.feature} ({note.code or 'no code'}): {note.message}", err=True)


@app.command("list")
def list_(as_json: Json = False, data: Data = DATA) -> None:
    """List the areas.

    Example: siaga area list
    """
    with Deployment.open(data).registry() as registry:
        show([asdict(area) for area in registry.areas()], as_json=as_json)
