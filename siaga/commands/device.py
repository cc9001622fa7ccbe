"""`siaga device`: the registry of buttons."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.registry.devices import Filter
from gateway.registry.fields import Profile, ProfileFields
from gateway.registry.model import Category, Device, DeviceKind, DeviceStatus, Owner, Point
from gateway.registry.registry import ImportReport
from siaga.commands.options import (
    DATA,
    Data,
    Json,
    PasswordStdin,
    me,
    read_password,
    show,
)
from siaga.deployment import Deployment
from siaga.layout import write_secret
from siaga.selftest import Technician

app = typer.Typer(no_args_is_help=True, help="Register buttons and look after them.")

Id = Annotated[str, typer.Argument(metavar="ID", help="Device id, e.g. TRK-000123.")]
Kind = Annotated[DeviceKind | None, typer.Option(help="How it is installed.")]
Label = Annotated[str | None, typer.Option(help="What people call it.")]
Address = Annotated[str | None, typer.Option(help="Where it stands, in words.")]
Service = Annotated[Category | None, typer.Option("--category", help="Service that it calls.")]
Latitude = Annotated[float | None, typer.Option("--lat", help="Installed position, degrees.")]
Longitude = Annotated[float | None, typer.Option("--lon", help="Installed position, degrees.")]
OwnerName = Annotated[str | None, typer.Option(help="Whom it belongs to.")]
OwnerPhone = Annotated[str | None, typer.Option(help="How to call the owner.")]
Camera = Annotated[str | None, typer.Option("--camera", help="URL of the site's camera.")]
Supervision = Annotated[int | None, typer.Option("--supervision-s", help="Seconds a heartbeat.")]
Reason = Annotated[str, typer.Option(help="Kept in the change log.")]
COLUMNS = ("id", "kind", "status", "label", "address", "category", "supervision_interval_s")


@app.command()
def add(
    device_id: Id,
    kind: Kind = None,
    label: Label = None,
    address: Address = None,
    category: Service = None,
    lat: Latitude = None,
    lon: Longitude = None,
    owner_name: OwnerName = None,
    owner_phone: OwnerPhone = None,
    camera: Camera = None,
    supervision_s: Supervision = None,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Register a button and print its credentials, once.

    Example: siaga device add TRK-000123 --kind street --lat 3.3012 --lon 117.589 --json
    """
    profile = Profile(
        **_fields(
            kind=kind,
            label=label,
            address=address,
            category=category,
            lat=lat,
            lon=lon,
            owner_name=owner_name,
            owner_phone=owner_phone,
            camera=camera,
            supervision_s=supervision_s,
        )
    )
    deployment = Deployment.open(data)
    with deployment.registry() as registry:
        credentials = registry.add(device_id, profile, by=me())
    show(credentials.document(deployment.endpoint), as_json=as_json)


@app.command()
def change(
    device_id: Id,
    kind: Kind = None,
    label: Label = None,
    address: Address = None,
    category: Service = None,
    lat: Latitude = None,
    lon: Longitude = None,
    owner_name: OwnerName = None,
    owner_phone: OwnerPhone = None,
    camera: Camera = None,
    supervision_s: Supervision = None,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Change what is known of a button.

    Example: siaga device change TRK-000123 --address "Jl. Yos Sudarso 12"
    """
    fields = _fields(
        kind=kind,
        label=label,
        address=address,
        category=category,
        lat=lat,
        lon=lon,
        owner_name=owner_name,
        owner_phone=owner_phone,
        camera=camera,
        supervision_s=supervision_s,
    )
    with Deployment.open(data).registry() as registry:
        device = registry.update(device_id, by=me(), **fields)
    show(_plain(device), as_json=as_json)


@app.command("list")
def list_(
    kind: Kind = None,
    status: Annotated[DeviceStatus | None, typer.Option(help="Only of this status.")] = None,
    text: Annotated[str | None, typer.Option(help="In id, label or address.")] = None,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """List the buttons.

    Example: siaga device list --kind street --json
    """
    wanted = Filter(kind=kind, status=status, text=text)
    found: list[dict[str, object]] = []
    with Deployment.open(data).registry() as registry:
        page = registry.page(wanted=wanted)
        found += map(_plain, page.devices)
        while page.next is not None:
            page = registry.page(wanted=wanted, after=page.next)
            found += map(_plain, page.devices)
    show(found, as_json=as_json, columns=COLUMNS)


@app.command("show")
def show_(device_id: Id, as_json: Json = False, data: Data = DATA) -> None:
    """Show all that is known of a button, but its secrets.

    Example: siaga device show TRK-000123
    """
    with Deployment.open(data).registry() as registry:
        device = registry.show(device_id)
        log = [asdict(change) for change in registry.changes(device_id=device_id, limit=1000)]
    if as_json:
        show({**_plain(device), "changes": log}, as_json=True)
        return
    for name, value in _plain(device).items():
        typer.echo(f"{name:24} {'-' if value is None else value}")
    for entry in log:
        typer.echo(f"{entry['at_ms']:24} {entry['by']}: {entry['action']} {entry['details']}")


@app.command()
def revoke(device_id: Id, reason: Reason = "", as_json: Json = False, data: Data = DATA) -> None:
    """Believe nothing more from a button: it is lost or stolen.

    Example: siaga device revoke TRK-000123 --reason stolen
    """
    with Deployment.open(data).registry() as registry:
        show(_plain(registry.revoke(device_id, by=me(), reason=reason)), as_json=as_json)


@app.command()
def suspend(device_id: Id, reason: Reason = "", as_json: Json = False, data: Data = DATA) -> None:
    """Stop supervising a button that is being repaired; its alarms still get through.

    Example: siaga device suspend TRK-000123 --reason "pole is being moved"
    """
    with Deployment.open(data).registry() as registry:
        show(_plain(registry.suspend(device_id, by=me(), reason=reason)), as_json=as_json)


@app.command()
def activate(device_id: Id, reason: Reason = "", as_json: Json = False, data: Data = DATA) -> None:
    """Undo `suspend` or `revoke`.

    Example: siaga device activate TRK-000123
    """
    with Deployment.open(data).registry() as registry:
        show(_plain(registry.activate(device_id, by=me(), reason=reason)), as_json=as_json)


@app.command("rotate-key")
def rotate_key(
    device_id: Id,
    new_password: Annotated[
        bool, typer.Option("--new-password", help="A new MQTT password too.")
    ] = False,
    retire: Annotated[
        int | None, typer.Option(help="Refuse this generation from now on instead.")
    ] = None,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Give a button its next key; the old one stays valid until it is retired.

    Example: siaga device rotate-key TRK-000123 --json
    """
    deployment = Deployment.open(data)
    with deployment.registry() as registry:
        if retire is not None:
            show(_plain(registry.retire_key(device_id, retire, by=me())), as_json=as_json)
            return
        credentials = registry.rotate_key(device_id, by=me(), new_password=new_password)
    show(credentials.document(deployment.endpoint), as_json=as_json)


@app.command("test")
def self_test(
    device_id: Id,
    user: Annotated[str, typer.Option(help="Technician or supervisor at the console.")],
    password_stdin: PasswordStdin = False,
    wait_s: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 60.0,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Have a button in the field test itself, and wait for what it says.

    Example: siaga device test TRK-000123 --user tono
    """
    url = Deployment.open(data).console_url
    with Technician(url, user, read_password(password_stdin, confirm=False)) as technician:
        outcome = technician.self_test(device_id, wait_s)
    show(asdict(outcome), as_json=as_json)
    if outcome.code != 0:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file.")],
    credentials: Annotated[
        Path, typer.Option(help="Folder for the new buttons' credentials, a file each.")
    ],
    update: Annotated[bool, typer.Option("--update", help="Change those that exist.")] = False,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Register many buttons; rows that are wrong are named, the others go in.

    Example: siaga device import sites.csv --credentials keys/
    """
    deployment = Deployment.open(data)
    credentials.mkdir(mode=0o700, parents=True, exist_ok=True)
    with deployment.registry() as registry:
        report = registry.import_csv(file.read_bytes(), by=me(), update_existing=update)
    for given in report.added:
        path = credentials / f"{given.device_id}.json"
        write_secret(path, f"{given.json(deployment.endpoint)}\n".encode())
    _tell(report, as_json=as_json)


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(help="CSV file; standard output if left out.")
    ] = None,
    data: Data = DATA,
) -> None:
    """Write the registry as CSV, without secrets.

    Example: siaga device export sites.csv
    """
    with Deployment.open(data).registry() as registry:
        if file is None:
            registry.export_csv(typer.get_text_stream("stdout"))
            return
        with file.open("w", encoding="utf-8", newline="") as out:
            registry.export_csv(out)


def _tell(report: ImportReport, *, as_json: bool) -> None:
    problems = [asdict(problem) for problem in report.refused]
    added = [given.device_id for given in report.added]
    if as_json:
        show({"added": added, "updated": report.updated, "refused": problems}, as_json=True)
    else:
        typer.echo(f"{len(added)} added, {len(report.updated)} changed, {len(problems)} refused")
        for problem in report.refused:
            typer.echo(f"line {problem.line}, {problem.column}: {problem.message}", err=True)
    if problems:
        raise typer.Exit(1)


def _fields(
    *,
    kind: DeviceKind | None,
    label: str | None,
    address: str | None,
    category: Category | None,
    lat: float | None,
    lon: float | None,
    owner_name: str | None,
    owner_phone: str | None,
    camera: str | None,
    supervision_s: int | None,
) -> ProfileFields:
    """Give the fields that were named on the command line, and only those."""
    if (lat is None) != (lon is None):
        raise typer.BadParameter("give both --lat and --lon, or neither")
    fields: ProfileFields = {}
    if kind is not None:
        fields["kind"] = kind
    if label is not None:
        fields["label"] = label
    if address is not None:
        fields["address"] = address
    if category is not None:
        fields["category"] = category
    if lat is not None and lon is not None:
        fields["installed"] = Point(lat, lon)
    if owner_name is not None or owner_phone is not None:
        fields["owner"] = Owner(owner_name or "", owner_phone or "")
    if camera is not None:
        fields["camera_url"] = camera
    if supervision_s is not None:
        fields["supervision_interval_s"] = supervision_s
    return fields


def _plain(device: Device) -> dict[str, object]:
    """Give a device as people may see it: of its keys, only the numbers."""
    return {
        "id": device.id,
        "kind": device.kind.value,
        "status": device.status.value,
        "label": device.label,
        "address": device.address,
        "category": device.category.value,
        "installed": asdict(device.installed) if device.installed else None,
        "owner": asdict(device.owner) if device.owner else None,
        "camera_url": device.camera_url,
        "supervision_interval_s": device.supervision_interval_s,
        "generations": [
            {"generation": key.generation, "retired": key.retired} for key in device.keys.values()
        ],
    }
