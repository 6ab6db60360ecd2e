"""``scope-serve run`` and ``scope-serve deploy``."""

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
    typer.Argument(help="Serve config to deploy. Default: deployments/local.yaml."),
]
Host = Annotated[
    str,
    typer.Option(help="Host that the API listens on. 0.0.0.0 lets other machines in."),
]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port that the API listens on.")]
DashboardPort = Annotated[
    int, typer.Option(min=1, max=65535, help="Port of Ray's dashboard, and of 'serve deploy'.")
]


def run(
    config: Config = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    dashboard_port: DashboardPort = 8265,
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster to join ('auto' or host:port) instead of starting one."),
    ] = None,
) -> None:
    """Start Ray and Serve on this machine, deploy a config and keep it up until Ctrl-C.

    With --address an existing Ray cluster is joined instead; Ctrl-C then takes away what was
    deployed and leaves the cluster running. Host and port of the config itself are not used here.
    """
    started_s = time.monotonic()
    cluster = _up(config, address=address, host=host, port=port, dashboard_port=dashboard_port)
    try:
        elapsed_s = time.monotonic() - started_s
        typer.echo(f"ready in {elapsed_s:.1f} s: http://{_shown(host)}:{port}  (Ctrl-C stops)")
        _wait_for_stop_signal()
        typer.echo("stopping", err=True)
    finally:
        cluster.stop()


def deploy(
    address: Annotated[str, typer.Option(help="Ray cluster ('auto' or host:port).")],
    config: Config = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
) -> None:
    """Deploy a config to a running Ray cluster, wait until it runs, and return.

    Applications that run and are unchanged in the config are left alone, with their sessions.
    """
    import ray

    _up(config, address=address, host=host, port=port, dashboard_port=8265, keeps_running=True)
    ray.shutdown()
    typer.echo("deployed")


def _up(
    path: Path | None,
    *,
    address: str | None,
    host: str,
    port: int,
    dashboard_port: int,
    keeps_running: bool = False,
) -> "Cluster":
    """Return the cluster with everything running; take it down again if that fails."""
    from rich.console import Console

    from scope_serve.serving.cluster import Cluster
    from scope_serve.serving.config_file import default_config_path, read_config

    config = read_config(path or default_config_path())
    cluster = Cluster(
        address=address, http_host=host, http_port=port, dashboard_port=dashboard_port
    )
    console = Console(stderr=True)
    try:
        with console.status("starting Ray and Serve") as line:
            cluster.start()
            cluster.deploy(config)
            seen: dict[str, str] = {}
            cluster.wait_until_running(lambda found: _show(console, line.update, found, seen))
    except BaseException:
        if not keeps_running:
            cluster.stop()
        raise
    return cluster


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


def _wait_for_stop_signal() -> None:
    """Return at the first SIGINT or SIGTERM; later ones do not disturb the stopping."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


def _shown(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
