"""`siaga init`, `migrate`, `verify`: a deployment as a whole."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from console_api.verify import verify as verify_console
from siaga.commands.options import DATA, Data, Json, show
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


@app.command()
def verify(as_json: Json = False, data: Data = DATA) -> None:
    """Check the hash chain of the log, all that follows from it, and every photo.

    Example: siaga verify --data /srv/siaga
    """
    deployment = Deployment.open(data)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("checking", total=None)
        report = verify_console(
            deployment.console_settings().database,
            photos=deployment.layout.photos,
            anchors=deployment.layout.anchors,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        show(report, as_json=True)
    else:
        for problem in report.problems:
            typer.echo(f"{problem.kind} {problem.where}: {problem.problem}", err=True)
        typer.echo(
            f"{report.events} events, {report.cases} cases, {report.photos} photos,"
            f" {len(report.problems)} problems; head {report.head_seq} {report.head_hash}"
        )
    if not report.sound:
        raise typer.Exit(1)
