"""A group of subcommands of which one need not be named: ``yilian registry CONFIG``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


def defaulting(word: str) -> type[TyperGroup]:
    """A group in which a first word that names no subcommand belongs to the one called ``word``."""

    class Group(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            known = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
            if known or (not args and self.no_args_is_help):
                return super().parse_args(ctx, list(args))
            return super().parse_args(ctx, [word, *args])

    return Group
