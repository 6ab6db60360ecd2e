"""The entry point of ``scope-serve``. A command is a module; one line here adds it."""

from typing import Annotated

import typer

from scope_serve import __version__
from scope_serve.cli import bench, pipelines, run, stream
from scope_serve.cli.failures import ReportingGroup

app = typer.Typer(
    name="scope-serve",
    cls=ReportingGroup,
    help="Daydream Scope's real-time video pipelines as a service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"scope-serve {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Daydream Scope's real-time video pipelines as a service."""


app.command("run", short_help="Start a server on this machine.")(run.run)
app.command("deploy", short_help="Deploy a config to a running Ray cluster.")(run.deploy)
app.command(
    "stream",
    short_help="Send a video through pipelines, keep the result.",
    epilog="Example: scope-serve stream --pipeline gray --input clip.mp4 --output out.mp4",
)(stream.stream)
app.command("pipelines")(pipelines.pipelines)
app.command("bench", epilog="Example: scope-serve bench --pipeline gray --sessions 1,2,4")(
    bench.bench
)


def main() -> None:
    """Run the command line of this process."""
    app()
