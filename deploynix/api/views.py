"""The base class of every API view.

It takes the place of the framework's own request cycle, which costs more time than the database does: one
authenticator, one rate limit, one ability, one renderer. Serializers and the OpenAPI description stay the framework's.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from rest_framework.views import APIView

from deploynix.actor import Actor
from deploynix.api.dry_run import answer_undone
from deploynix.api.exceptions import MethodNotAllowed, NotFound, handle
from deploynix.api.headers import add_headers
from deploynix.api.idempotency import answer_once
from deploynix.api.operations import operation_of
from deploynix.api.pagination import asked_page, envelope, read_page
from deploynix.api.parsers import read_body
from deploynix.api.permissions import ANY_TOKEN, PUBLIC
from deploynix.api.rates import Spent, spend
from deploynix.api.responses import Response
from deploynix.api.rows import ListedRows, Listing, Rows
from deploynix.api.serializers import Input, Output, Query
from deploynix.api.throttling import VISITOR, Limit, throttle
from deploynix.errors import Throttled

__all__ = ["Response", "View"]
Row = TypeVar("Row", bound=Model)
Handler = Callable[..., Response]


class View(APIView):
    """`abilities` says for each method which ability it needs, or ANY_TOKEN, or PUBLIC; `tag` groups the operations
    in the documentation. Each handler carries `@operation`, takes the request and the path's values, and returns
    what one of the helpers below makes. `self.actor` is who asks; a public operation has none. `self.spent` is what
    is left of its token's rate limit, None where it has no limit. `limits` are counted besides, by method.
    """

    abilities: ClassVar[Mapping[str, str]] = {}
    tag: ClassVar[str] = ""
    limits: ClassVar[Mapping[str, tuple[Limit, ...]]] = {}
    # Whether a repeated POST with the same Idempotency-Key answers again what the first one did.
    idempotent: ClassVar[bool] = True

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    authentication_classes = APIView.authentication_classes[:1]
    parser_classes = renderer_classes = permission_classes = throttle_classes = ()
    request: HttpRequest  # type: ignore[assignment]
    actor: Actor
    spent: Spent | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.request = request
        try:
            response = self._answer(request, **kwargs)
        except Exception as exception:
            response = handle(exception, request)
        if hasattr(self, "actor"):
            add_headers(response, request, self.actor, self.spent)
        return response

    def _answer(self, request: HttpRequest, **kwargs: Any) -> Response:
        handler = self._handler(request)
        self._admit(request)
        # PostgreSQL refuses to look for such a text at all.
        if "\0" in request.path:
            raise NotFound
        self.operation = operation_of(handler)
        if hasattr(self, "actor") and self.actor.is_dry_run:
            return answer_undone(request, self.actor, lambda: self._perform(handler, request, **kwargs))
        return self._perform(handler, request, **kwargs)

    def _perform(self, handler: Handler, request: HttpRequest, **kwargs: Any) -> Response:
        if self.method != "GET" and self.operation.input is None:
            self.input(Input)
        if self.method == "POST" and self.idempotent and "Idempotency-Key" in request.headers:
            return answer_once(request, getattr(self, "actor", None), self.body, lambda: handler(request, **kwargs))
        return handler(request, **kwargs)

    def _admit(self, request: HttpRequest) -> None:
        ability = self.abilities[self.method]
        if ability != PUBLIC:
            self.actor = self._authenticated(request)
            self._spend()
        for limit in self.limits.get(self.method, (VISITOR,) if ability == PUBLIC else ()):
            throttle(request, limit, getattr(self, "actor", None))
        if ability not in (PUBLIC, ANY_TOKEN):
            self.actor.require(ability)
        if ability != PUBLIC:
            self._authenticator.admitted(request, self.actor, "" if ability == ANY_TOKEN else ability)

    def _spend(self) -> None:
        self.spent = spend(self.actor)
        if self.spent and self.spent.retry_after:
            raise Throttled(self.spent.retry_after)

    @property
    def method(self) -> str:
        method = self.request.method or ""
        return "GET" if method == "HEAD" else method

    def _handler(self, request: HttpRequest) -> Handler:
        allowed = [*self.abilities, *(["HEAD"] if "GET" in self.abilities else [])]
        handler = getattr(self, self.method.lower(), None) if request.method in allowed else None
        if handler is None:
            raise MethodNotAllowed(request.method or "", sorted(allowed))
        return handler  # type: ignore[no-any-return]

    def _authenticated(self, request: HttpRequest) -> Actor:
        _, actor = self._authenticator.authenticate(request)
        return actor  # type: ignore[no-any-return]

    @property
    def _authenticator(self) -> Any:
        return self.authentication_classes[0]()

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that was sent, not yet validated."""
        return read_body(self.request)

    def input(self, serializer: type[Input]) -> dict[str, Any]:
        """The body's validated values. A PUT may send back read-only fields of the answer; they are ignored."""
        body = self.body
        if self.method in ("PUT", "PATCH") and self.operation.output:
            read_only = set(self.operation.output.columns()) - set(serializer().fields)
            body = {name: value for name, value in body.items() if name not in read_only}
        return serializer.read(body, partial=self.method == "PATCH")

    def query(self, serializer: type[Query]) -> dict[str, Any]:
        """The query string's validated values, besides `page` and `per_page`."""
        return serializer.read(self.request.GET.dict())

    def find(self, queryset: QuerySet[Row], pk: str) -> Row:
        """The row with this id. Give rows that the actor may see; any other is 404."""
        row = queryset.filter(pk=pk).first()
        if row is None:
            raise NotFound
        return row

    def page(self, queryset: QuerySet[Any], output: type[Output]) -> Response:
        """One page of the list, newest first where the queryset has no order of its own."""
        return self._page(Rows(queryset, output))

    def listing(self, listing: Listing, **texts: str) -> Response:
        """One page of a list whose SQL is made once, for the lists that programs read all day."""
        # What a limited token sees is in the shape of its query.
        if self.actor.resources is not None:
            return self.page(listing.build(self.actor, **texts), listing.output)
        return self._page(ListedRows(listing, self.actor, **texts))

    def _page(self, source: Rows | ListedRows) -> Response:
        page = asked_page(self.request)
        rows, total = read_page(source, page)
        return Response(envelope(self.request, page, rows, total))

    def row(self, queryset: QuerySet[Any], output: type[Output]) -> dict[str, Any]:
        """The only row of `queryset`, as the API shows it; 404 where there is none."""
        row = queryset.values(*output.columns()).first()
        if row is None:
            raise NotFound
        return dict(row)

    def one(
        self,
        queryset: QuerySet[Any],
        output: type[Output],
        status: int = 200,
        message: str | None = None,
        once: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> Response:
        """`{"data": row}`, after `message` where there is one. Secrets made by this request go into `once`."""
        head = {"message": message} if message else {}
        return Response({**head, "data": self.row(queryset, output), **extra}, status, once)

    def accepted(self, message: str, *, job: Model, **data: Any) -> Response:
        """202: work has been queued. `data` is what else the answer holds, for example `data=self.row(...)`."""
        return Response({"message": message, **data, "job": self.job_address(job)}, 202)

    def job_address(self, job: Model | None) -> dict[str, str | None] | None:
        """A job as answers name it: `{id, url}`. That of a dry run is undone, and has no address."""
        if job is None:
            return None
        url = None if self.actor.is_dry_run else self.request.build_absolute_uri(f"/api/v1/jobs/{job.pk}")
        return {"id": job.pk, "url": url}

    def done(self) -> Response:
        """204: there is nothing to say."""
        return Response(status=204)
