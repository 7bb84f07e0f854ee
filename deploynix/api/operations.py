"""What an API handler declares about itself; the OpenAPI description is derived from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from deploynix.api.serializers import Input, Output, Query

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Maybe:
    """In what an answer holds: `value`, or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `summary` is a short imperative and unique; the handler's docstring says more.

    `input` is the body, `query` the query string. The answer is a list in pages (`page`), a resource (`one`), a
    resource that is the whole answer, without `data` around it (`bare`), or none of them: a message or nothing, by
    `status`. `job` says that it queues a job. `extra` says what else the answer holds, by name: an example, or an
    Output. `others` are statuses that do not follow from all of this, each with when it is answered.
    """

    summary: str
    input: type[Input] | None = None
    query: type[Query] | None = None
    page: type[Output] | None = None
    one: type[Output] | None = None
    bare: type[Output] | None = None
    status: int = 200
    job: bool = False
    message: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[int, str] = field(default_factory=dict)

    @property
    def output(self) -> type[Output] | None:
        return self.page or self.one or self.bare


def operation(summary: str, **declared: Any) -> Callable[[Handler], Handler]:
    """Declares a handler: `@operation("Add a server", input=ServerInput, one=ServerOutput, status=201)`."""
    declaration = Operation(summary, **declared)

    def declare(handler: Handler) -> Handler:
        handler.operation = declaration  # type: ignore[attr-defined]
        return handler

    return declare


def operation_of(handler: Callable[..., Any]) -> Operation:
    """Raises AttributeError for a handler without `@operation`."""
    return handler.operation  # type: ignore[attr-defined, no-any-return]
