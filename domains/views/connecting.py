"""Connecting a domain: first its name, then the ways that it offers and the records that are wanted."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import cached_property

from deploynix.errors import Invalid
from domains import actions
from domains.forms import ROWS, ConnectForm, DomainForm, RecordFormSet, Records
from domains.models import Way
from domains.views.applications import ApplicationPage
from domains.wanted import plain_domain
from domains.ways import Facts, choices_of, facts_of, usable_credentials
from organizations.pages import FormErrorsMixin, add_errors
from providers.models import Credential


class ConnectDomain(ApplicationPage, FormErrorsMixin[ConnectForm]):
    """`?domain=` asks its name servers how it can be connected."""

    ability = "provider:create"
    template_name = "connections/connect.html"

    @cached_property
    def domain_form(self) -> DomainForm:
        """Of the first step; valid where the second one can be shown."""
        given = self.request.POST if self.request.method == "POST" else self.request.GET
        form = DomainForm(given if "domain" in given else None)
        if form.is_valid():
            try:
                form.cleaned_data["domain"] = plain_domain(form.cleaned_data["domain"])
            except Invalid as error:
                add_errors(form, error)
        return form

    @property
    def domain(self) -> str:
        return str(self.domain_form.cleaned_data["domain"]) if self.domain_form.is_valid() else ""

    @cached_property
    def facts(self) -> Facts:
        return facts_of(self.domain)

    @cached_property
    def credentials(self) -> list[Credential]:
        return usable_credentials(self.actor, self.application, self.facts)

    @cached_property
    def records(self) -> Records:
        data = self.request.POST.copy() if self.request.method == "POST" else None
        if data is not None and "more" in data:
            rows = data.get("records-TOTAL_FORMS", "")
            data["records-TOTAL_FORMS"] = str((int(rows) if rows.isdecimal() and len(rows) < 4 else 0) + ROWS)
        return cast(Records, RecordFormSet(data, prefix="records"))

    def get_form(self, form_class: Any = None) -> ConnectForm:
        credentials = [(row.pk, f"{row} ({row.declaration.label})") for row in self.credentials]
        data = self.request.POST if self.request.method == "POST" else None
        initial = {"domain": self.domain, "way": choices_of(self.facts, self.credentials)[0].way}
        return ConnectForm(data, credentials=credentials, initial=initial)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if not self.domain:
            return super().get_context_data(form=None, domain_form=self.domain_form)
        choices = choices_of(self.facts, self.credentials)
        return super().get_context_data(
            domain_form=self.domain_form,
            domain=self.domain,
            facts=self.facts,
            choices=choices,
            records=self.records,
            **kwargs,
        )

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.domain:
            return self.render_to_response(self.get_context_data(), status=422)
        form = self.get_form()
        if "more" in request.POST:
            return self.render_to_response(self.get_context_data(form=form))
        is_filled = self.records.is_valid()
        return self.form_valid(form) if form.is_valid() and is_filled else self.form_invalid(form)

    def perform(self, form: ConnectForm) -> HttpResponseBase:
        given = form.cleaned_data
        filled = self.records.filled
        by_id = {row.pk: row for row in self.credentials}
        try:
            connection = actions.connect_domain(
                self.actor,
                application=self.application,
                domain=self.domain,
                way=given["way"],
                records=[row.cleaned_data for row in filled],
                credential=by_id.get(given["credential_id"]) if given["way"] == Way.CREDENTIAL else None,
                zone=given["zone"] if given["way"] == Way.CREDENTIAL else "",
            )
        except Invalid as error:
            raise Invalid(self._left(error)) from error
        messages.success(self.request, f"{connection} is being connected.")
        return redirect(connection)

    def _left(self, error: Invalid) -> dict[str, list[str]]:
        """Shows what is said of a record at its row, and returns the rest."""
        left = {}
        for name, texts in error.errors.items():
            what, _, place = name.partition(".")
            position, _, field = place.partition(".")
            if what == "records" and field:
                for text in texts:
                    self.records.filled[int(position)].add_error(field, text)
            else:
                left[name] = texts
        return left or {"__all__": ["Look at the records."]}
