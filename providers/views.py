"""Settings > Server, DNS, Git and Backup Providers."""

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from organizations.pages import ActionView, FormErrorsMixin, ListPage, PageMixin
from providers import actions
from providers.base import KIND_LABELS, Kind, Provider, Verdict
from providers.forms import CredentialForm, ValuesForm, secret_form
from providers.models import Credential
from providers.registry import provider_of, providers_of
from providers.uses import uses_of

VERDICTS = {
    Verdict.GRANTED: "Granted",
    Verdict.DENIED: "Denied",
    Verdict.EXCESS: "More than needed",
    Verdict.UNTESTABLE: "Not testable",
}
# What a kind of provider is for, below the title of its page.
PURPOSES = {
    Kind.SERVER: "Accounts in which servers are made and removed.",
    Kind.DNS: "Accounts whose zones are shown and changed here, and in which TXT records prove that a domain is yours.",
    Kind.GIT: "Accounts whose repositories are deployed.",
    Kind.STORAGE: "Buckets in which backups are kept.",
}


class SectionConverter:
    """Names a kind in an address: `/settings/dns-providers`."""

    names = {kind: f"{label.lower()}-providers" for kind, label in KIND_LABELS.items()}
    regex = "|".join(names.values())

    def to_python(self, value: str) -> Kind:
        return next(kind for kind, name in self.names.items() if name == value)

    def to_url(self, value: str) -> str:
        return self.names[Kind(value)]


class SectionPage(PageMixin):
    """What the pages of one kind of provider share."""

    ability = "provider:read"

    @property
    def kind(self) -> Kind:
        return Kind(self.kwargs["kind"])

    @property
    def section(self) -> dict[str, str]:
        return {
            "kind": self.kind.value,
            "title": f"{KIND_LABELS[self.kind]} Providers",
            "url": f"/settings/{SectionConverter.names[self.kind]}",
            "purpose": PURPOSES[self.kind],
        }

    @cached_property
    def declaration(self) -> type[Provider]:
        try:
            return provider_of(self.kind, self.kwargs["provider"])
        except LookupError:
            raise Http404 from None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(section=self.section, **kwargs)  # type: ignore[misc,no-any-return]


class CredentialList(SectionPage, ListPage[Credential]):
    model = Credential
    template_name = "providers/list.html"
    search_fields = ("name", "provider", "account")

    def get_queryset(self) -> QuerySet[Credential]:
        return super().get_queryset().filter(kind=self.kind)


class ProviderChoice(SectionPage, TemplateView):
    ability = "provider:create"
    template_name = "providers/choose.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(providers=providers_of(self.kind).values(), **kwargs)


class CredentialCreate(SectionPage, FormErrorsMixin[CredentialForm]):
    ability = "provider:create"
    template_name = "providers/create.html"

    def get_form(self, form_class: Any = None) -> CredentialForm:
        return CredentialForm.new(self.declaration, self.request.POST or None)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        policy = policy_of(self.declaration, given_values(self.request.POST))
        return super().get_context_data(provider=self.declaration, policy=policy, **kwargs)

    def perform(self, form: CredentialForm) -> HttpResponse:
        credential = actions.create_credential(
            self.actor,
            kind=self.kind,
            provider=self.declaration.key,
            name=form.cleaned_data["name"],
            values=form.values,
        )
        messages.success(self.request, f"{credential} is connected. What it may do is being found out.")
        return redirect(credential)


class Policy(SectionPage):
    """The part of the guide that follows what is typed; the page sends it no secret."""

    ability = "provider:create"

    def get(self, request: HttpRequest, kind: Kind, provider: str) -> HttpResponse:
        policy = policy_of(self.declaration, given_values(request.GET))
        return render(request, "providers/policy_text.html", {"policy": policy})


class CredentialPage(SectionPage):
    """What the pages of one credential share."""

    @cached_property
    def credential(self) -> Credential:
        rows = Credential.objects.visible_to(self.actor).filter(kind=self.kind)
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        provider = self.credential.declaration
        return super().get_context_data(credential=self.credential, provider=provider, **kwargs)


class CredentialDetail(CredentialPage, TemplateView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Before the row itself, so that what ends in between is shown as ended: then nothing asks again.
        job = actions.open_check(Credential(pk=self.kwargs["pk"]))
        credential = self.credential
        return super().get_context_data(
            checklist=checklist(credential),
            job=job,
            uses=uses_of(credential),
            settings=settings_of(credential),
            policy=policy_of(credential.declaration, credential.settings),
            form=secret_form(credential),
            **kwargs,
        )

    def get_template_names(self) -> list[str]:
        is_part = self.request.headers.get("HX-Request") == "true"
        return ["providers/state.html" if is_part else "providers/detail.html"]


class CredentialEdit(CredentialPage, FormErrorsMixin[CredentialForm]):
    ability = "provider:update"
    template_name = "providers/edit.html"

    def get_form(self, form_class: Any = None) -> CredentialForm:
        return CredentialForm.of(self.credential, self.request.POST or None)

    def perform(self, form: CredentialForm) -> HttpResponse:
        values = form.values
        name = form.cleaned_data["name"]
        credential = actions.update_credential(self.actor, credential=self.credential, name=name, values=values)
        messages.success(self.request, f"{credential} is saved.")
        return redirect(credential)


class ReplaceSecret(CredentialPage, FormErrorsMixin[ValuesForm]):
    ability = "provider:update"
    template_name = "providers/secret.html"

    def get_form(self, form_class: Any = None) -> ValuesForm:
        return secret_form(self.credential, self.request.POST or None)

    def perform(self, form: ValuesForm) -> HttpResponse:
        credential = actions.replace_secret(self.actor, credential=self.credential, values=form.values)
        messages.success(self.request, "The secret is replaced, and being checked. Revoke the old one at the provider.")
        return redirect(credential)


class CheckCredential(CredentialPage, ActionView):
    ability = "provider:update"

    def perform(self) -> str:
        actions.verify_credential(self.actor, credential=self.credential)
        return "It is being checked."

    def get_success_url(self) -> str:
        return self.credential.get_absolute_url()


class DeleteCredential(CredentialPage, ActionView):
    ability = "provider:delete"

    @property
    def confirmation(self) -> str:
        return self.credential.name

    def perform(self) -> str:
        actions.delete_credential(self.actor, credential=self.credential)
        self.kwargs["is_gone"] = True
        return f"{self.credential.name} is disconnected. Revoke its {self.credential.declaration.credential}, too."

    def get_success_url(self) -> str:
        return self.section["url"] if self.kwargs.get("is_gone") else self.credential.get_absolute_url()


class Reference(PageMixin, TemplateView):
    """All providers in one table: what to make, and what it must be allowed."""

    ability = "provider:read"
    template_name = "providers/reference.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = [
            (kind.value, label, provider)
            for kind, label in KIND_LABELS.items()
            for provider in providers_of(kind).values()
        ]
        return super().get_context_data(rows=rows, **kwargs)


def checklist(credential: Credential) -> list[dict[str, Any]]:
    """A row for each permission that is declared, and for whatever else was found."""
    declared = {permission.key: permission for permission in credential.declaration.permissions}
    found = {row["permission"]: row for row in credential.findings}
    extra = [key for key in found if key not in declared]
    return [
        {
            "label": declared[key].label if key in declared else found[key]["label"],
            "declared": declared.get(key),
            "found": found.get(key),
            "verdict": VERDICTS[Verdict(found[key]["verdict"])] if key in found else "",
        }
        for key in [*declared, *extra]
    ]


def settings_of(credential: Credential) -> list[tuple[str, str]]:
    """The fields that are no secrets, by label."""
    fields = credential.declaration.fields
    shown = {field.name: dict(field.choices) for field in fields}
    values = credential.settings
    return [
        (field.label, shown[field.name].get(values[field.name], values[field.name]))
        for field in fields
        if field.name in values
    ]


def given_values(query: Mapping[str, str]) -> dict[str, str]:
    """What a form holds, by field."""
    return {name.removeprefix("values."): query[name] for name in query if name.startswith("values.")}


def policy_of(declaration: type[Provider], values: Mapping[str, str]) -> str:
    """The policy as JSON, with what is known so far; empty where the provider knows none."""
    known = {field.name: "" if field.secret else values.get(field.name, field.default) for field in declaration.fields}
    policy = declaration(known).policy()
    return json.dumps(policy, indent=2, ensure_ascii=False) if policy else ""
