"""Options, exit codes and error reporting shared by every command line."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog.errors import WindowshopError
from catalog.logs import write_logs

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXIT_FAILED = 1
SOME_REJECTED = 3
EXIT_INTERRUPTED = 130
COMPLETION_CHARS = 80  # of what a command does, next to its name in the shell's list

Decorator = Callable[[Any], Any]


def shop_home_option(**changes: Any) -> Decorator:
    """Return the `--home` option, with `changes` to click's parameters of it."""
    parameters = {"type": click.Path(path_type=Path, file_okay=False), "default": "var/shop", "show_default": True}
    return click.option("--home", **{**parameters, "help": "The shop's folder.", **changes})


home_option = shop_home_option(envvar="WINDOWSHOP_HOME", show_envvar=True)
_RUNTIMES = click.Choice(["auto", "torch", "onnx"])
runtime_option = click.option(
    "--runtime", type=_RUNTIMES, default="auto", show_default=True, help="What runs the encoder."
)
batch_size_option = click.option(
    "--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Pictures encoded together."
)
fetch_option = click.option(
    "--fetch-pictures/--no-fetch-pictures",
    "fetch",
    default=None,
    help="Fetch pictures that the feed names by web address; by default as the last time with this feed, else not.",
)
encoding_option = click.option(
    "--encoding",
    help="The feed's encoding, such as cp1250 or gbk, or auto; by default as the last time with this feed, else auto.",
)


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command that is imported when it runs: its module, its name there, and what lists of commands say of it.

    That help is, on purpose, a shorter text than the first line of the command's own: a line of a list holds it whole.
    """

    module: str
    name: str
    help: str


class Commands(click.Group):
    """Start the log; print our errors and the system's as "Error: message hint", exit code 1; 130 when interrupted.

    The modules of `lazy` commands are imported when they run: all together they take seconds. A letter that the
    terminal's encoding lacks is printed as its code ("\\u8336"), because a title may hold any letter.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, LazyCommand] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.lazy: Mapping[str, LazyCommand] = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted({*self.commands, *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported if need be; None where there is none of that name."""
        lazy = self.lazy.get(cmd_name)
        if lazy is None:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(lazy.module), lazy.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return a command's name, the command and its arguments; the error of an unknown one names those like it.

        Click itself looks for those among the commands that are imported.
        """
        names = self.list_commands(ctx)
        if args[0] not in names and not ctx.resilient_parsing and not args[0].startswith("-"):
            near = sorted(get_close_matches(args[0], names))
            listed = ", ".join(map(repr, near))
            if near:
                question = f"Did you mean {listed}?" if len(near) == 1 else f"(Did you mean one of: {listed}?)"
                ctx.fail(f"No such command {args[0]!r}. {question}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, or the options, that begin so, for the shell; no command is imported for it."""
        item = import_module("click.shell_completion").CompletionItem  # 7 ms, which other commands need not cost
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        shown = [name for name in names if name in self.lazy or not self.commands[name].hidden]
        items: list[CompletionItem] = [item(name, help=self.summary_of(ctx, name, COMPLETION_CHARS)) for name in shown]
        return items + super(click.Group, self).shell_complete(ctx, incomplete)  # a Group's would import all commands

    def summary_of(self, ctx: click.Context, cmd_name: str, limit: int) -> str:
        """Return what a list of commands says of one, in at most `limit` characters; nothing is imported for it."""
        lazy = self.lazy.get(cmd_name)
        command = click.Command(cmd_name, help=lazy.help) if lazy else self.commands[cmd_name]
        return command.get_short_help_str(limit)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))  # as click has it
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summary_of(ctx, name, limit)) for name in names])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            write_logs()
            return super().invoke(ctx)
        except WindowshopError as error:
            _end(ctx, f"Error: {error}", EXIT_FAILED)
        except BrokenPipeError:  # the reader of our output has left; click ends quietly
            raise
        except OSError as error:
            _end(ctx, f"Error: {explain(error)}", EXIT_FAILED)
        except KeyboardInterrupt:
            _end(ctx, "Interrupted.", EXIT_INTERRUPTED)


def explain(error: OSError) -> str:
    """Return one line such as "var/shop: Permission denied.", followed by what to check."""
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}. Check that path, who may write there, and the disk's free space."


def _end(ctx: click.Context, message: str, code: int) -> None:
    click.echo(message, err=True)
    ctx.exit(code)
