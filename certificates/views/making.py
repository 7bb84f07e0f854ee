"""Issuing a certificate, and uploading one."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from certificates import actions
from certificates.actions import checks
from certificates.actions.issuing import chosen_challenge
from certificates.forms.issuing import CertificateForm, NamesForm
from certificates.forms.uploading import UploadForm
from certificates.models import Certificate, Challenge
from certificates.preview import places_of
from certificates.views.certificates import shown
from deploynix.errors import Invalid
from organizations.pages import FormErrorsMixin, ListPage
from providers.base import Kind
from providers.models import Credential
from sites.models import Site
from sites.views.sites import SitePage


class CertificateCreate(ListPage[Site]):
    """Which site it is for."""

    model = Site
    ability = "certificate:create"
    template_name = "certificates/choose.html"
    search_fields = ("domain", "aliases", "server__name")
    ordering = "domain"

    def get_queryset(self) -> QuerySet[Site]:
        rows = super().get_queryset().select_related("server")
        return rows.only("domain", "aliases", "server__name")


class CertificatesPage(SitePage):
    """What the pages of a site's certificates share."""

    tab = "certificates"


class SiteCertificates(CertificatesPage):
    ability = "certificate:read"

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        rows = shown(Certificate.objects.visible_to(self.actor).filter(site=self.site))
        return self.show("certificates/site.html", certificates=rows.order_by("-id"))


class NamesPage(CertificatesPage):
    ability = "certificate:create"

    @cached_property
    def credentials(self) -> QuerySet[Credential]:
        return Credential.objects.visible_to(self.actor).filter(kind=Kind.DNS).order_by("name")

    @property
    def form_options(self) -> dict[str, Any]:
        return {"site": self.site, "credentials": self.credentials}


class Proof(NamesPage):
    """The part of the form that follows what is typed, and looks for whoever holds the zones."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        proof = proof_of(NamesForm(request.GET, **self.form_options))
        if proof.get("is_looked_for"):
            places = places_of(self.actor.organization, proof["names"])
            proof |= {"places": places, "is_missing": not all(place.credential for place in places)}
        return render(request, "certificates/proof.html", proof | {"actor": self.actor, "site": self.site})


class IssueCertificate(NamesPage, FormErrorsMixin[CertificateForm]):
    template_name = "certificates/issue.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form") or self.get_form()
        given = {name: form[name].value() or "" for name in NamesForm.base_fields}
        proof = proof_of(NamesForm(given, **self.form_options))
        return super().get_context_data(**kwargs | {"form": form} | proof)

    def get_form(self, form_class: Any = None) -> CertificateForm:
        return CertificateForm(self.request.POST or None, **self.form_options)

    def perform(self, form: CertificateForm) -> HttpResponse:
        return redirect(actions.issue_certificate(self.actor, site=self.site, **form.values))


class UploadCertificate(CertificatesPage, FormErrorsMixin[UploadForm]):
    ability = "certificate:create"
    template_name = "certificates/upload.html"
    form_class = UploadForm

    def perform(self, form: UploadForm) -> HttpResponse:
        return redirect(actions.upload_certificate(self.actor, site=self.site, **form.cleaned_data))


def proof_of(form: NamesForm) -> dict[str, Any]:
    """How what stands in the form is proven, and why so; or what is wrong with it in `error`."""
    if not form.is_valid():
        return {"error": next(text for texts in form.errors.values() for text in texts)}
    given = form.cleaned_data
    try:
        names = checks.names_of(form.site, given["names"], given["domain"])
        challenge = chosen_challenge(names, given["challenge"], given["credential"])
    except Invalid as error:
        return {"error": next(text for texts in error.errors.values() for text in texts)}
    return {
        "names": names,
        "challenge": challenge,
        "is_chosen": bool(given["challenge"] or given["credential"]),
        "credential": given["credential"],
        "is_looked_for": challenge == Challenge.DNS and given["credential"] is None,
    }
