"""The pages of one connected domain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from deploynix.errors import Error
from domains import actions, verification
from domains.actions.connections import open_job
from domains.domain_connect.discovery import is_set_up
from domains.domain_connect.keys import key_name, public_records
from domains.domain_connect.template import NOT_SET_UP, file_name, template
from domains.hosts import Host, host_named
from domains.models import Connection, State, WantedRecord, Way
from domains.views.applications import ApplicationPage
from organizations.pages import ActionView, PageMixin

# A page that is open asks again and again; the name servers are asked no more often than this, in seconds.
LOOK_SECONDS = 4


class ConnectionPage(ApplicationPage):
    """What all pages of one connection share."""

    @cached_property
    def connection(self) -> Connection:
        rows = Connection.objects.visible_to(self.actor).filter(application=self.application)
        return get_object_or_404(rows.select_related("credential", "application"), pk=self.kwargs["connection"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs | {"connection": self.connection})

    def get_success_url(self) -> str:
        return self.connection.get_absolute_url()


class ConnectionDetail(ConnectionPage, TemplateView):
    """The part that is asked for again shows what the name servers say at that moment, while somebody is at it."""

    @property
    def is_part(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Before the row itself, so that what ends in between is shown as ended: then nothing asks again.
        job = open_job(Connection(pk=self.kwargs["connection"]))
        connection, host = self.connection, host_named(self.connection.dns_provider)
        is_live = connection.state == State.PENDING and connection.way == Way.MANUAL
        sights, failure = self.sights() if is_live and self.is_part else ({}, None)
        rows, conflicts = rows_of(connection, host, sights), list(connection.conflicts.all())
        return super().get_context_data(
            rows=rows,
            host=host,
            failure=failure,
            is_live=is_live,
            job=job,
            open_conflicts=[row for row in conflicts if not row.removed_at],
            overwritten=[row for row in conflicts if row.removed_at],
            has_own=any(row.record.put_at for row in rows),
            **kwargs,
        )

    def sights(self) -> tuple[dict[int, tuple[bool, str]], Error | None]:
        try:
            return sights_now(self.connection), None
        except Error as error:
            return {}, error

    def get_template_names(self) -> list[str]:
        return ["connections/state.html" if self.is_part else "connections/detail.html"]


class ConnectionButton(ConnectionPage, ActionView):
    ability = "provider:update"


class ApplyConnection(ConnectionButton):
    """With the conflicts that were ticked, if any."""

    def perform(self) -> str:
        conflicts = self.request.POST.getlist("conflicts")
        actions.apply_connection(self.actor, connection=self.connection, conflicts=conflicts)
        return "The records are being put in place."


class CheckConnection(ConnectionButton):
    def perform(self) -> str:
        actions.check_connection(self.actor, connection=self.connection)
        return "The name servers are being asked."


class DiscoverConnection(ConnectionButton):
    def perform(self) -> str:
        actions.discover_connection(self.actor, connection=self.connection)
        return "The DNS provider is being asked."


class DisconnectDomain(ConnectionButton):
    ability = "provider:delete"

    @property
    def confirmation(self) -> str:
        return self.connection.domain

    def perform(self) -> str:
        keep = self.kwargs.get("keep_records", False)
        job = actions.disconnect_connection(self.actor, connection=self.connection, keep_records=keep)
        return f"{self.connection} is {'being ' if job else ''}disconnected."


class DeleteConnection(ConnectionButton):
    ability = "provider:delete"

    def perform(self) -> str:
        actions.delete_connection(self.actor, connection=self.connection)
        self.kwargs["is_gone"] = True
        return f"{self.connection.domain} is removed."

    def get_success_url(self) -> str:
        return (self.application if self.kwargs.get("is_gone") else self.connection).get_absolute_url()


class GoToProvider(ConnectionPage):
    """Sends the person to the DNS provider. A form could not: what it leads to must be of this site."""

    ability = "provider:update"

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        try:
            return redirect(actions.hand_over(self.actor, connection=self.connection))
        except Error as error:
            messages.error(request, f"{error.message} {error.hint}".strip())
            return redirect(self.connection)


class ReturnFromProvider(PageMixin):
    """Where the DNS provider sends people back to; `?error=` as in OAuth 2.0 (RFC 6749, section 4.1.2.1)."""

    ability = "provider:update"

    def get(self, request: HttpRequest) -> HttpResponse:
        state, error = request.GET.get("state", ""), request.GET.get("error", "")
        try:
            connection = actions.take_back(self.actor, state=state, error=error)
        except Error as refusal:
            messages.error(request, f"{refusal.message} {refusal.hint}".strip())
            return redirect("application_list")
        if not error:
            messages.success(request, "Welcome back. The name servers are being asked.")
        return redirect(connection)


class DomainConnectSettings(PageMixin, TemplateView):
    """What the operator gives to DNS providers, and publishes."""

    ability = "provider:read"
    template_name = "connections/domain_connect.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(rail=reverse("settings_dns_providers"), **kwargs)
        if not is_set_up():
            return context | {"refusal": NOT_SET_UP}
        name = f"{key_name()}.{template()['syncPubKeyDomain']}"
        return context | {"template": template(), "file_name": file_name(), "key": name, "values": public_records()}


class DomainConnectTemplate(PageMixin):
    ability = "provider:read"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not is_set_up():
            return redirect("settings_domain_connect")
        headers = {"Content-Disposition": f'attachment; filename="{file_name()}"'}
        return JsonResponse(template(), json_dumps_params={"indent": 2}, headers=headers)


@dataclass(frozen=True, slots=True)
class Row:
    """A wanted record; `entered` is its name as it is typed at the DNS provider, the rest is what was seen of it."""

    record: WantedRecord
    entered: str
    is_seen: bool
    sight: str


def rows_of(connection: Connection, host: Host, sights: Mapping[int, tuple[bool, str]]) -> list[Row]:
    """With what was seen just now, where that is known, else with what was seen last."""
    rows = []
    for record in connection.records.all():
        is_seen, sight = sights.get(record.pk, (record.seen_at is not None, record.sight))
        rows.append(Row(record, entered_name(connection, host, record), is_seen, sight))
    return rows


def entered_name(connection: Connection, host: Host, record: WantedRecord) -> str:
    """Relative to the zone, which may be above the domain."""
    apex = connection.apex or connection.domain
    label = "" if record.full_name == apex else record.full_name.removesuffix(f".{apex}")
    return host.entered(label, record.full_name)


def sights_now(connection: Connection) -> dict[int, tuple[bool, str]]:
    """By record, whether it is seen, and what else is so. Raises as `verification.look`."""
    key = f"connection-sights:{connection.pk}"
    known: dict[int, tuple[bool, str]] | None = cache.get(key)
    if known is None:
        known = {sight.record.pk: (sight.is_seen, sight.text) for sight in verification.look(connection).sights}
        cache.set(key, known, LOOK_SECONDS)
    return known
