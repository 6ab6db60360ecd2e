"""``scope-serve run`` and ``scope-serve deploy``."""

import logging
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ray.serve.schema import ApplicationStatusOverview

    from scope_serve.serving.cluster import Cluster

Config = Annotated[
    Path | None,
    typer.Argument(help="Serve config to deploy. Default: one with the built-in pipelines."),
]
Host = Annotated[
    str | None,
    typer.Option(
        help="Host that the API listens on; 0.0.0.0 lets other machines in. "
        "Default: http_options of the config, else 127.0.0.1."
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=65535,
        help="Port that the API listens on. Default: http_options of the config, else 8000.",
    ),
]
DashboardPort = Annotated[
    int, typer.Option(min=1, max=65535, help="Port of Ray's dashboard, and of 'serve deploy'.")
]

Replace = Annotated[
    bool,
    typer.Option("--replace", help="Delete applications of the cluster that the config has not."),
]


class StopSignals:
    """SIGINT and SIGTERM as a flag.

    They interrupt nothing: an exception in the midst of Ray's start would abort the process and
    leave others behind. The flag is looked at between the steps.
    """

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self.install()

    def install(self) -> None:
        """Take the signals from whoever has them."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._arrived.set())

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if one has arrived."""
        if self._arrived.is_set():
            raise KeyboardInterrupt

    def wait(self) -> None:
        """Return when one arrives."""
        self._arrived.wait()


def run(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    dashboard_port: DashboardPort = 8265,
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster to join ('auto' or host:port) instead of starting one."),
    ] = None,
    replace: Replace = False,
) -> None:
    """Start Ray and Serve on this machine, deploy a config and keep it up until Ctrl-C.

    With --address an existing Ray cluster is joined instead; Ctrl-C then takes away what was
    deployed and leaves the cluster running. Where Serve runs already it keeps its host and port.
    """
    started_s = time.monotonic()
    if address is not None:
        _show_token()
    checked = _read(config, is_run_here=address is None)
    cluster = _cluster(checked, address=address, host=host, port=port, dashboard=dashboard_port)
    stop = StopSignals()
    try:
        _bring_up(cluster, checked, stop, replaces=replace)
        elapsed_s = time.monotonic() - started_s
        typer.echo(f"change it: scope-serve deploy CONFIG --address {cluster.address}", err=True)
        typer.echo(f"ready in {elapsed_s:.1f} s: {cluster.url}  (Ctrl-C stops)")
        stop.wait()
        typer.echo("stopping", err=True)
    finally:
        cluster.stop()


def deploy(
    address: Annotated[str, typer.Option(help="Ray cluster ('auto' or host:port).")],
    config: Config = None,
    host: Host = None,
    port: Port = None,
    replace: Replace = False,
) -> None:
    """Deploy a config to a running Ray cluster, wait until it runs, and return.

    Applications that run and are unchanged in the config are left alone, with their sessions.
    """
    _show_token()
    checked = _read(config, is_run_here=False)
    cluster = _cluster(checked, address=address, host=host, port=port, dashboard=8265)
    try:
        _bring_up(cluster, checked, StopSignals(), replaces=replace)
        typer.echo(f"deployed: {cluster.url}")
    finally:
        cluster.leave()


def _show_token() -> None:
    """Let Ray show the user's token to a cluster to join. It decides that when it is imported."""
    from scope_serve.settings import has_ray_token, set_defaults_for_children

    if has_ray_token():
        set_defaults_for_children({"RAY_AUTH_MODE": "token"})


def _read(path: Path | None, *, is_run_here: bool) -> dict[str, Any]:
    from scope_serve.serving.config_file import check_installed, default_config_path, read_config

    path = path or default_config_path()
    config = read_config(path)
    if is_run_here:  # in the environment of this process, so what is missing can be told at once
        check_installed(config, where=str(path))
    return config


def _cluster(
    config: Mapping[str, Any],
    *,
    address: str | None,
    host: str | None,
    port: int | None,
    dashboard: int,
) -> "Cluster":
    from scope_serve.serving.cluster import Cluster

    for name in ("ray", "ray.serve"):  # what matters of it is shown below
        logging.getLogger(name).setLevel(logging.WARNING)
    # It would greet every newcomer with the advice to turn Ray's authentication off.
    advice = "ray._private.authentication.authentication_token_setup"
    logging.getLogger(advice).setLevel(logging.ERROR)
    configured = config.get("http_options") or {}
    return Cluster(
        address=address,
        http_host=host or configured.get("host", "127.0.0.1"),
        http_port=port or configured.get("port", 8000),
        dashboard_port=dashboard,
    )


def _bring_up(
    cluster: "Cluster", config: Mapping[str, Any], stop: StopSignals, *, replaces: bool
) -> None:
    """Return when everything in ``config`` runs; says what happens on the way.

    Raises:
        KeyboardInterrupt: A stop signal arrived.
    """
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting Ray and Serve") as line:
        cluster.start()
        stop.install()  # Ray has put a handler of its own in place
        stop.check()
        cluster.deploy(config, replaces=replaces)
        seen: dict[str, str] = {}

        def on_progress(found: Mapping[str, "ApplicationStatusOverview"]) -> None:
            stop.check()
            _show(console, line.update, found, seen)

        cluster.wait_until_running(on_progress)


def _show(
    console: Any,  # noqa: ANN401 - rich loads with the command only
    update: Any,  # noqa: ANN401
    found: "Mapping[str, ApplicationStatusOverview]",
    seen: dict[str, str],
) -> None:
    """Print each change of an application's state once, and a summary in the status line."""
    for name, application in found.items():
        state = str(application.status.value)
        if seen.get(name) != state:
            seen[name] = state
            console.print(f"{name}: {state.lower().replace('_', ' ')}", highlight=False)
    running = sum(state == "RUNNING" for state in seen.values())
    update(f"{running} of {len(found)} applications are running")
