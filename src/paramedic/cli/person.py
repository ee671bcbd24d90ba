"""Who says so: the operating-system user, or the name that is given."""

import getpass
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def person_option(function: Function) -> Function:
    return click.option(
        "--as", "person", default=user_name, metavar="NAME", help="Who says so.  [default: the operating-system user]"
    )(function)


def user_name() -> str:
    """The operating-system user's name; its number where it has none (a container without a user list)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"
