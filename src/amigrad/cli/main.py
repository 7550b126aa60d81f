"""The command `amigrad`: its groups of commands, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from amigrad.cli import embedding, rescorer, roles, tagger
from amigrad.cli.demo import demo

app = typer.Typer(
    name="amigrad",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo)
app.add_typer(tagger.app, name="tagger")
app.add_typer(roles.app, name="roles")
app.add_typer(rescorer.app, name="rescorer")
app.add_typer(embedding.app, name="embedding")

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


def _print_version(wanted: bool) -> None:
    if wanted:
        from amigrad import __version__

        typer.echo(f"amigrad {__version__}")
        raise typer.Exit


@app.callback()
def _amigrad(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Deep learning for CPUs: computation graphs that you can run, see and compile."""


def main() -> None:
    """Run the command line; exits with 0, 1 (failed), 2 (bad arguments or data) or 130 (interrupted)."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command. A user's mistake is a line or two on the standard error, never a traceback."""
    try:
        app(args=list(arguments), prog_name="amigrad")
    except SystemExit as finished:
        # A training that was stopped has said so; of another command, Typer makes a plain exit with this code.
        if type(finished) is SystemExit and finished.code == INTERRUPTED:
            return _interrupted()
        return _flush(finished.code if isinstance(finished.code, int) else FAILED)
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        return _give_up_output()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        print(f"amigrad: {_describe(error)}", file=sys.stderr)
        return code
    return _flush(0)


def _interrupted() -> int:
    below = "\n" if sys.stderr.isatty() else ""  # a terminal shows ^C on this line
    print(f"{below}amigrad: interrupted", file=sys.stderr)
    return _flush(INTERRUPTED)


def _exit_code(error: Exception) -> int | None:
    """What to exit with after an error that is explained to the user; None if it is a fault of the program."""
    from amigrad.data import DataError, EncodingError
    from amigrad.tasks.embedding import EmbeddingError
    from amigrad.tasks.folder import ModelError
    from amigrad.tasks.tagging import OptionsError
    from amigrad.train.errors import TrainingError

    if isinstance(error, DataError | EmbeddingError | EncodingError | ModelError | OptionsError | TrainingError):
        return MISUSED
    return FAILED if isinstance(error, OSError) else None


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _flush(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _give_up_output()
    except OSError as error:
        print(f"amigrad: the output could not be written: {_describe(error)}", file=sys.stderr)
        return FAILED
    return code


def _give_up_output() -> int:
    """Whoever read the output has gone: send the rest nowhere, so that nothing complains at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


if __name__ == "__main__":
    main()
