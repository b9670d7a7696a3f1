"""What a kind of backend tells about the objects in a database.

A kind that has tables, collections or labels brings `tools/<kind>/objects.py` with
`build_source`; search, resources and completion are made from it, and no kind makes its
own. A source shows only what the backend's own tools show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from mcphub_server.tools.objects.patterns import NamePattern


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list: so many items, behind so many others."""

    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object whose name matches.

    Attributes:
        kind: What it is: table, column, collection, label …
        name: Its name.
        container: What it is in, such as the schema; empty where there is nothing.
        detail: Its type, or what is said of it.
    """

    kind: str
    name: str
    container: str = ""
    detail: str = ""

    def describe(self) -> dict[str, Any]:
        """Return it as an answer shows it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Found:
    """Objects that a search found.

    Attributes:
        objects: Those of the window, and one more if there are more.
        gap: What was not looked at; empty: everything was.
    """

    objects: Sequence[FoundObject]
    gap: str = ""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object with a schema: a table, a collection, a label.

    Attributes:
        path: Its name, behind what it is in; one part for each of `places`.
        text: What is said of it.
    """

    path: tuple[str, ...]
    text: str = ""


class ObjectSource(Protocol):
    """The objects of one backend, for the current caller.

    Attributes:
        noun: What has a schema, in the singular.
        contents: What a search finds, for the tool's description.
        places: The parts of an object's path, as templates and prompts call them.
        revealing: The tools that show a schema; who may call none sees none.

    Every method raises ToolFailure.
    """

    noun: str
    contents: str
    places: tuple[str, ...]
    revealing: frozenset[str]

    async def search(self, pattern: NamePattern, window: Window) -> Found:
        """Return the objects whose name matches, in an order that stays."""
        ...

    async def list_objects(self, window: Window) -> Sequence[ListedObject]:
        """Return objects with a schema, and one more if there are more."""
        ...

    async def describe(self, path: Sequence[str], max_bytes: int) -> dict[str, Any]:
        """Return an object's schema; raise BadArgument for an unknown one."""
        ...

    async def complete(
        self, place: str, begun: str, others: Mapping[str, str]
    ) -> Sequence[str]:
        """Return values of a place that begin so, one more than fit into an answer.

        `others` are the values of the other arguments. Where it has no schema at all,
        a table is named with its schema.
        """
        ...
