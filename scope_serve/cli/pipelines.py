"""``scope-serve pipelines``: what a server offers."""

import json
from typing import Any

import typer

from scope_serve.cli.options import ABSENT, DEFAULT_URL, AsJson, Url
from scope_serve.cli.running import run


def pipelines(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the pipelines that a server offers."""
    schemas = run(_fetch(url))
    if as_json:
        typer.echo(json.dumps({"pipelines": schemas}, indent=2))
    else:
        _print_table(url, schemas)


async def _fetch(url: str) -> dict[str, dict[str, Any]]:
    from scope_serve.client.client import ScopeClient

    async with ScopeClient(url) as client:
        return await client.pipelines()


def _print_table(url: str, schemas: dict[str, dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not schemas:
        console.print(f"{url} offers no pipeline")
        return
    table = Table("id", "name", "modes", "usage", "VRAM", "from", box=None, pad_edge=False)
    for pipeline_id, schema in sorted(schemas.items()):
        vram_gb = schema.get("estimated_vram_gb")
        table.add_row(
            pipeline_id,
            str(schema.get("name", "")),
            ", ".join(schema.get("supported_modes") or ()),
            ", ".join(schema.get("usage") or ()),
            ABSENT if vram_gb is None else f"{vram_gb:g} GB",
            schema.get("plugin_name") or "built in",
        )
    console.print(table)
