"""The zones of a DNS credential, their records, and what name servers answer.

What asks a provider or a name server is a part of its page: htmx asks for it, at the page's own address, once the page
is drawn. Without JavaScript a link does, with `?now=1`.
"""

from abc import abstractmethod
from typing import Any, ClassVar

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from deploynix.errors import Error
from domains import contents
from domains.actions import add_record, changes_of, remove_record
from domains.contents import Value, is_zone_name
from domains.record_forms import RecordForm
from organizations.pages import ActionView, FormErrorsMixin
from providers.contracts.dns import TYPES
from providers.errors import NotFound
from providers.views import CredentialPage

PER_PAGE = 50
LONGEST_SEARCH = 255


class AskingPage(CredentialPage, TemplateView):
    """`asked()` is what the part shows besides; where it fails, that is the part's `failure`."""

    part: ClassVar[str]

    @property
    def is_part(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    @abstractmethod
    def asked(self) -> dict[str, Any]: ...

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        is_asked = self.is_part or "now" in self.request.GET
        found: dict[str, Any] = {}
        if is_asked:
            try:
                found = self.asked()
            except Error as error:
                found = {"failure": error}
        return super().get_context_data(part=self.part, is_asked=is_asked, **found, **kwargs)

    def get_template_names(self) -> list[str]:
        return [self.part if self.is_part else self.template_name or ""]

    @property
    def search(self) -> str:
        return self.request.GET.get("q", "").strip()[:LONGEST_SEARCH]

    def paged(self, rows: contents.Rows) -> dict[str, Any]:
        return {"page_obj": Paginator(rows, PER_PAGE).get_page(self.request.GET.get("page"))}


class ZoneList(AskingPage):
    template_name = "zones/list.html"
    part = "zones/zones.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(q=self.search, **kwargs)

    def asked(self) -> dict[str, Any]:
        return self.paged(contents.zones(self.credential, self.search))


class ZonePage(CredentialPage):
    """What the pages of one zone share."""

    @cached_property
    def zone(self) -> str:
        zone = str(self.kwargs["apex"])
        if not is_zone_name(zone):
            raise Http404
        return zone.lower()

    @property
    def zone_url(self) -> str:
        return reverse("zone_detail", args=[self.credential.pk, self.zone])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(zone=self.zone, zone_url=self.zone_url, **kwargs)


class ZoneDetail(ZonePage, AskingPage, FormErrorsMixin[RecordForm]):
    """`?q=` looks through the names, `?type=` through the types. Posting adds a record."""

    template_name = "zones/detail.html"
    part = "zones/records.html"
    form_class = RecordForm

    @property
    def type(self) -> str:
        given = self.request.GET.get("type", "")
        return given if given in TYPES else ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        jobs = changes_of(self.credential, self.zone)
        return super().get_context_data(
            q=self.search,
            type=self.type,
            types=sorted(TYPES),
            jobs=jobs,
            is_busy=any(job.is_open for job in jobs),
            **kwargs,
        )

    def asked(self) -> dict[str, Any]:
        return self.paged(contents.records(self.credential, self.zone, self.search, self.type))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.actor.require("provider:update")
        return super().post(request, *args, **kwargs)

    def perform(self, form: RecordForm) -> HttpResponse:
        value, _ = add_record(self.actor, credential=self.credential, zone=self.zone, **form.cleaned_data)
        messages.success(self.request, f"{value.type} {value.name} is being added.")
        return redirect("zone_record", self.credential.pk, self.zone, value.id)


class RecordPage(ZonePage):
    """What the pages of one record share."""

    @cached_property
    def value(self) -> Value:
        try:
            return Value.of(self.zone, self.kwargs["record_id"])
        except NotFound:
            raise Http404 from None


class RecordDetail(RecordPage, AskingPage):
    """A record, and how far the name servers know of it. Asks again while it is open."""

    template_name = "zones/record.html"
    part = "zones/propagation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        jobs = changes_of(self.credential, self.zone)
        job = next((job for job in jobs if job.params["record"] == self.value.id), None)
        return super().get_context_data(record=self.value, job=job, **kwargs)

    def asked(self) -> dict[str, Any]:
        found = contents.propagation(self.credential, self.value.name, self.value.type)
        rows = [self._compared(row) for row in found["servers"]]
        own = [row for row in rows if row["is_authoritative"]]
        return {
            "public_zone": found["zone"],
            "own": own,
            "resolvers": [row for row in rows if not row["is_authoritative"]],
            "told": told(sum(row["has_value"] for row in own), len(own)),
        }

    def _compared(self, row: dict[str, Any]) -> dict[str, Any]:
        values = [contents.shown(value) for value in row["values"] or ()]
        return row | {"has_value": self.value.shown in values, "values": values}


class RemoveRecord(RecordPage, ActionView):
    ability = "provider:update"

    @property
    def confirmation(self) -> str:
        return self.value.name

    def perform(self) -> str:
        remove_record(self.actor, credential=self.credential, zone=self.zone, value=self.value)
        return f"{self.value.type} {self.value.name} is being removed."

    def get_success_url(self) -> str:
        return self.zone_url


def told(seen: int, servers: int) -> dict[str, str]:
    """How many name servers answer the value."""
    if seen == servers:
        return {"status": "active", "label": "All name servers answer it"}
    label = f"{seen} of {servers} name servers answer it" if seen else "No name server answers it"
    return {"status": "pending", "label": label}
