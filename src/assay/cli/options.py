"""A verb's options are one frozen dataclass; this turns it into an argparse parser and back.

A field without a default is a positional argument; one with a default is an option of the same name with
dashes. ``bool`` is a switch, ``tuple[str, ...]`` takes several values. The help text is the field's metadata. A field
that is a dataclass itself is a group of options.
"""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field
from typing import Any, TypeVar

Options = TypeVar("Options")


@dataclass(frozen=True)
class Command:
    """One verb: what it is called, what it takes, an example that runs, and the function that does it."""

    name: str
    options: type[Any]
    run: Callable[[Any], int]
    example: str


def arg(help: str, *, default: Any = MISSING, metavar: str | None = None, positional: bool = False) -> Any:
    """A field with its help text. The default is shown in ``--help``; ``positional`` makes one with a default a place, not a flag."""
    metadata = {"help": help, "metavar": metavar, "positional": positional}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def parse(command: Command, arguments: list[str]) -> Any:
    """The options dataclass filled from the command line. Wrong usage exits 2 with one line and the usage."""
    parser = argparse.ArgumentParser(
        prog=f"assay {command.name}",
        description=(command.options.__doc__ or "").strip(),
        epilog=f"example:\n  {command.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_arguments(parser, command.options)
    return filled(command.options, vars(parser.parse_args(arguments)))


def add_arguments(parser: argparse._ActionsContainer, options: type[Any]) -> None:
    """Every field of a dataclass as an argument."""
    hints = typing.get_type_hints(options)
    for item in dataclasses.fields(options):
        hint = hints[item.name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            add_arguments(parser.add_argument_group(item.metadata["help"]), hint)
        else:
            add_argument(parser, item, hint)


def filled(options: type[Any], given: dict[str, Any]) -> Any:
    """The dataclass of what was given, its groups within it."""
    hints = typing.get_type_hints(options)
    values: dict[str, Any] = {}
    for name in (item.name for item in dataclasses.fields(options)):
        if dataclasses.is_dataclass(hints[name]) and isinstance(hints[name], type):
            values[name] = filled(hints[name], given)
        else:
            values[name] = tuple(given[name]) if isinstance(given[name], list) else given[name]
    return options(**values)


def add_argument(parser: argparse._ActionsContainer, item: dataclasses.Field[Any], hint: Any) -> None:
    """One field as one argument."""
    text, metavar = item.metadata["help"], item.metadata["metavar"]
    plain = next((h for h in typing.get_args(hint) if h is not type(None)), hint)
    several = typing.get_origin(hint) is tuple
    if item.default is MISSING or item.metadata["positional"]:
        nargs = ("+" if item.default is MISSING else "*") if several else (None if item.default is MISSING else "?")
        default = None if item.default is MISSING else item.default
        parser.add_argument(item.name, help=text, metavar=metavar or item.name.upper(), nargs=nargs, default=default)
        return
    flag = "--" + item.name.replace("_", "-")
    if hint is bool:
        parser.add_argument(flag, help=text, action="store_true")
        return
    if item.default not in (None, (), ""):
        text = f"{text} (default: {item.default})"
    if several:
        parser.add_argument(flag, help=text, metavar=metavar, nargs="+", default=item.default)
        return
    kind = plain if plain in (int, float) else str
    parser.add_argument(flag, help=text, metavar=metavar or kind.__name__.upper(), type=kind, default=item.default)
