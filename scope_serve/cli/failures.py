"""How a command ends: one sentence on stderr, and an exit code that scripts can rely on."""

from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from scope_serve.cli.running import TerminatedError
from scope_serve.errors import (
    ConfigError,
    InvalidRequestError,
    ParameterError,
    PipelineNotFoundError,
    ScopeServeError,
)


class ExitCode(IntEnum):
    """What the exit code of every command means."""

    FAILED = 1
    BAD_INPUT = 2
    INTERRUPTED = 130
    TERMINATED = 143


_BAD_INPUT = (ConfigError, InvalidRequestError, ParameterError, PipelineNotFoundError)


def exit_code_of(error: ScopeServeError) -> ExitCode:
    """Return `ExitCode.BAD_INPUT` if the caller has to change something, else FAILED."""
    from scope_serve.client.errors import ClientUsageError, ReportedError, ServerResponseError

    if isinstance(error, ServerResponseError | ReportedError):
        return ExitCode.BAD_INPUT if error.is_refusal else ExitCode.FAILED
    if isinstance(error, (*_BAD_INPUT, ClientUsageError)):
        return ExitCode.BAD_INPUT
    return ExitCode.FAILED


class ReportingGroup(TyperGroup):
    """Turns the errors of this package, and Ctrl-C, into a message and an exit code.

    Errors of any other kind are bugs and keep their traceback.
    """

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (Typer's signature)
        """Run the command that the arguments name."""
        try:
            return super().invoke(ctx)
        except ScopeServeError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(exit_code_of(error)) from None
        except TerminatedError:
            typer.echo("terminated", err=True)
            raise typer.Exit(ExitCode.TERMINATED) from None
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(ExitCode.INTERRUPTED) from None
