"""`siaga user` and `siaga unit`: who works the cases, and with what."""

from typing import Annotated

import msgspec
import typer

from console_api import admin
from console_api.accounts.roles import PEOPLE, Role
from console_api.accounts.users import User
from console_api.cycle.model import Category, Point
from siaga.commands.options import DATA, Data, Json, PasswordStdin, read_password, show
from siaga.deployment import Deployment

user = typer.Typer(no_args_is_help=True, help="People who sign in at the console.")
unit = typer.Typer(no_args_is_help=True, help="Units that are sent to a case.")


@user.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="User name.")],
    role: Annotated[Role, typer.Option(help="What the person is appointed to.")],
    unit_id: Annotated[str | None, typer.Option("--unit", help="An officer's unit.")] = None,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Add a person.

    Example: siaga user add rini --role operator --password-stdin < password.txt
    """
    if role not in PEOPLE:
        raise typer.BadParameter(f"{role.value} is no person's role", param_hint="--role")
    settings = Deployment.open(data).console_settings()
    added = admin.add_user(settings, name, role, read_password(password_stdin), unit_id)
    show(_plain(added), as_json=as_json)


@user.command("password")
def password(
    name: Annotated[str, typer.Argument(help="User name.")],
    password_stdin: PasswordStdin = False,
    data: Data = DATA,
) -> None:
    """Give a person a new password and end their sessions.

    Example: siaga user password rini
    """
    settings = Deployment.open(data).console_settings()
    admin.set_password(settings, name, read_password(password_stdin))


@user.command("list")
def list_users(as_json: Json = False, data: Data = DATA) -> None:
    """List the people.

    Example: siaga user list --json
    """
    people = admin.list_users(Deployment.open(data).console_settings())
    show([_plain(person) for person in people], as_json=as_json)


@unit.command("add")
def add_unit(
    unit_id: Annotated[str, typer.Argument(metavar="ID", help="Short name, e.g. PMI-1.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    categories: Annotated[str, typer.Option(help="Services it is fit for, with commas.")],
    lat: Annotated[float | None, typer.Option(help="Where it stands, degrees.")] = None,
    lon: Annotated[float | None, typer.Option(help="Where it stands, degrees.")] = None,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Add a unit.

    Example: siaga unit add PMI-1 --name "Ambulans PMI 1" --categories ambulance,hearse
    """
    if (lat is None) != (lon is None):
        raise typer.BadParameter("give both --lat and --lon, or neither")
    at = None if lat is None or lon is None else Point(lat=lat, lon=lon)
    settings = Deployment.open(data).console_settings()
    show(
        admin.add_unit(settings, unit_id, name, _categories(categories), at),
        as_json=as_json,
    )


@unit.command("list")
def list_units(as_json: Json = False, data: Data = DATA) -> None:
    """List the units.

    Example: siaga unit list
    """
    units = admin.list_units(Deployment.open(data).console_settings())
    show(units, as_json=as_json, columns=("id", "name", "categories", "status", "position"))


def _categories(text: str) -> tuple[Category, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        return tuple(msgspec.convert(name, Category) for name in names)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error), param_hint="--categories") from error


def _plain(person: User) -> dict[str, object]:
    return {
        "name": person.name,
        "role": person.role.value,
        "unit": person.unit,
        "active": person.active,
    }
