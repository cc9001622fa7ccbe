"""`siaga init`, `migrate`, `verify`: a deployment as a whole."""

from typing import Annotated

import typer

from siaga.commands.options import DATA, Data
from siaga.deployment import Deployment
from siaga.initialise import HTTP_PORT, MQTT_PORT, initialise, migrate_databases

app = typer.Typer()


@app.command()
def init(
    data: Data = DATA,
    http_port: Annotated[int, typer.Option(help="Port of the console.")] = HTTP_PORT,
    mqtt_port: Annotated[int, typer.Option(help="Port that buttons connect to.")] = MQTT_PORT,
) -> None:
    """Make a deployment: configuration, local CA, databases, secrets.

    Example: siaga init --data /srv/siaga
    """
    made = initialise(data, http_port=http_port, mqtt_port=mqtt_port)
    typer.echo(f"made {made.layout.root}; next: siaga up --data {made.layout.root}")


@app.command()
def migrate(data: Data = DATA) -> None:
    """Bring the databases to this version; run it after an upgrade, with all parts stopped.

    Example: siaga migrate --data /srv/siaga
    """
    migrate_databases(Deployment.open(data))
    typer.echo("all databases are at this version")
