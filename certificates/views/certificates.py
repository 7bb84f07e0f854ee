"""The pages of certificates."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseClientRedirect

from certificates import actions
from certificates.acme.directories import directory_at
from certificates.calendar import SOON, Calendar, calendar_of
from certificates.models import Certificate, Reason, Status
from deploynix.errors import Conflict
from jobs.models import Job
from organizations.pages import ActionView, ListPage, PageMixin

# Of the alarms that the page tells of by name.
MOST_ALARMS = 5
# Of the issuances on the page of one certificate.
LATEST = 25
UNDER_WAY = (Status.PENDING, Status.ISSUING, Status.INSTALLING)


def shown(certificates: QuerySet[Certificate]) -> QuerySet[Certificate]:
    """With what rows show, and without secrets."""
    private = ("current__private_key", "current__chain", "server__private_key", "server__login_key")
    return certificates.select_related("site", "server", "current").defer(*private, "site__deploy_private_key")


class CertificateList(ListPage[Certificate]):
    """`?soon=1` for those that end within a month, `?alarm=1` for those in trouble.

    What is asked for again while one is under way is the table alone.
    """

    model = Certificate
    ability = "certificate:read"
    search_fields = ("names", "site__domain", "server__name", "current__issuer")
    filters = ("status", "soon", "alarm")

    def get_queryset(self) -> QuerySet[Certificate]:
        rows = shown(super().get_queryset())
        if self.given["soon"]:
            rows = rows.filter(current__not_after__lte=timezone.now() + SOON).exclude(status=Status.REVOKED)
        if self.given["alarm"]:
            rows = rows.exclude(alarmed_at=None)
        return rows.filter(status=self.given["status"]) if self.given["status"] else rows

    @property
    def is_part(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(statuses=Status, **kwargs)
        page = context["page_obj"]
        context["is_busy"] = any(certificate.status in UNDER_WAY for certificate in page)
        if self.is_part or page.number > 1 or context["is_narrowed"] or not context["object_list"]:
            return context
        # One more than is shown says that there are more.
        alarms = shown(Certificate.objects.visible_to(self.actor)).exclude(alarmed_at=None).order_by("-alarmed_at")
        return context | {"calendar": self.calendar, "alarms": list(alarms[: MOST_ALARMS + 1])}

    @property
    def calendar(self) -> Calendar:
        rows = Certificate.objects.visible_to(self.actor).exclude(current=None).exclude(status=Status.REVOKED)
        wanted = ("names", "renew_at", "current__not_after")
        return calendar_of(rows.select_related("current").only(*wanted).order_by("id"))

    def get_template_names(self) -> list[str]:
        return ["certificates/found.html" if self.is_part else "certificates/list.html"]


class CertificatePage(PageMixin):
    """What all pages of one certificate share."""

    ability = "certificate:read"

    @cached_property
    def certificate(self) -> Certificate:
        rows = shown(Certificate.objects.visible_to(self.actor)).select_related("account", "credential")
        rows = rows.defer("account__private_key", "account__eab_key", "credential__sealed")
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get_success_url(self) -> str:
        return self.certificate.get_absolute_url()


class CertificateDetail(CertificatePage, TemplateView):
    """While a job is at work on it, the page asks for itself again."""

    @property
    def is_part(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().get(request, *args, **kwargs)
        except Http404:
            # The job that somebody looked on to may have been the one that deleted it.
            if self.is_part:
                return HttpResponseClientRedirect(reverse("certificate_list"))
            raise

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Before the row itself, so that what ends in between is shown as ended: then nothing asks again.
        jobs = Job.objects.visible_to(self.actor).open().about(Certificate(pk=self.kwargs["pk"]))
        job = jobs.order_by("-status", "id").first()
        certificate, account = self.certificate, self.certificate.account
        known = directory_at(account.directory_url) if account else None
        return super().get_context_data(
            certificate=certificate,
            issuances=certificate.issuances.defer("private_key", "chain").order_by("-id")[:LATEST],
            directory=known.label if known else account and account.directory_url,
            reasons=Reason.choices,
            job=job,
            steps=job.steps.all() if job else (),
            **kwargs,
        )

    def get_template_names(self) -> list[str]:
        return ["certificates/state.html" if self.is_part else "certificates/detail.html"]


class CertificateChain(CertificatePage):
    """The public chain as a file."""

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        if self.certificate.current is None:
            raise Conflict("This certificate has not been issued yet.", "Its page says how far that is.")
        response = HttpResponse(self.certificate.current.chain, content_type="application/pem-certificate-chain")
        name = slugify(self.certificate.names[0].replace(".", "-"))
        response["Content-Disposition"] = f'attachment; filename="{name}.pem"'
        return response


class RenewCertificate(CertificatePage, ActionView):
    ability = "certificate:create"

    def perform(self) -> str:
        actions.renew_certificate(self.actor, certificate=self.certificate)
        return "It is being ordered anew. What is installed stays until the new one is served."


class ConfirmedButton(CertificatePage, ActionView):
    ability = "certificate:delete"

    @property
    def confirmation(self) -> str:
        return str(self.certificate.names[0])


class RevokeCertificate(ConfirmedButton):
    def perform(self) -> str:
        reason = self.request.POST.get("reason", "")
        actions.revoke_certificate(self.actor, certificate=self.certificate, reason=reason)
        return "Its authority is being told."


class DeleteCertificate(ConfirmedButton):
    """Its page is gone at the end, so this leads elsewhere."""

    next_page = ""

    def perform(self) -> str:
        job = actions.delete_certificate(self.actor, certificate=self.certificate)
        self.next_page = reverse("job_detail", args=[job.pk]) if job else reverse("certificate_list")
        return "The certificate is being taken off the server." if job else "The certificate is deleted."

    def get_success_url(self) -> str:
        return self.next_page or super().get_success_url()
