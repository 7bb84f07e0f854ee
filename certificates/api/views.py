"""Certificates, and the work on them."""

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest

from certificates import actions
from certificates.api.serializers import (
    CertificateInput,
    CertificateOutput,
    CertificateQuery,
    ChainOutput,
    RevokeInput,
)
from certificates.models import Certificate
from deploynix.api.operations import operation
from deploynix.api.views import Response
from deploynix.errors import Conflict, Invalid
from jobs.models import Job
from providers.base import Kind
from providers.models import Credential
from servers.models import Server
from sites.api.views import SiteView

QUEUED = "The certificate is queued."
RENEWAL = "The renewal is queued."
REVOCATION = "The revocation is queued."
REMOVAL = "The certificate is being removed."
NOT_INSTALLED = {204: "It was on no server"}
CURRENT = ("issuer", "serial", "fingerprint", "not_before", "not_after")


class CertificateView(SiteView):
    tag = "Certificates"

    @property
    def certificates(self) -> QuerySet[Certificate]:
        return Certificate.objects.visible_to(self.actor)

    def shown(self, certificate: Certificate) -> dict[str, Any]:
        return self.row(with_current(self.certificates.filter(pk=certificate.pk)), CertificateOutput)

    def queued(self, message: str, certificate: Certificate, job: Job | None) -> Response:
        assert job  # noqa: S101 -- the caller's action has just queued it
        return self.accepted(message, job=job, data=self.shown(certificate))

    def removed(self, certificate: Certificate) -> Response:
        job = actions.delete_certificate(self.actor, certificate=certificate)
        return self.queued(REMOVAL, certificate, job) if job else self.done()


def with_current(certificates: QuerySet[Certificate]) -> QuerySet[Certificate]:
    """With what is told of the one that is installed, and of its authority."""
    columns = {name: F(f"current__{name}") for name in CURRENT}
    return certificates.annotate(directory_url=F("account__directory_url"), **columns)


class AllCertificates(CertificateView):
    abilities = {"GET": "certificate:read"}

    @operation("List the certificates of all servers", query=CertificateQuery, page=CertificateOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(with_current(self.certificates.filter(**self.query(CertificateQuery))), CertificateOutput)


class ServerCertificates(CertificateView):
    abilities = {"GET": "certificate:read"}

    @operation("List the certificates of a server", page=CertificateOutput)
    def get(self, request: HttpRequest, server: str) -> Response:
        rows = with_current(self.certificates.filter(server=server))
        return self.page_under(Server.objects.visible_to(self.actor), server, rows, CertificateOutput)


class ServerCertificateDetail(CertificateView):
    abilities = {"GET": "certificate:read", "DELETE": "certificate:delete"}

    @operation("Show a certificate of a server", one=CertificateOutput)
    def get(self, request: HttpRequest, server: str, certificate: str) -> Response:
        return self.one(with_current(self.certificates.filter(server=server, pk=certificate)), CertificateOutput)

    @operation(
        "Delete a certificate of a server",
        one=CertificateOutput,
        status=202,
        job=True,
        message=REMOVAL,
        others=NOT_INSTALLED,
    )
    def delete(self, request: HttpRequest, server: str, certificate: str) -> Response:
        """The same as `DELETE` below its site."""
        return self.removed(self.find(self.certificates.filter(server=server), certificate))


class SiteCertificateView(CertificateView):
    def of_site(self, server: str, site: str) -> QuerySet[Certificate]:
        return self.certificates.filter(server=server, site=site)

    def certificate(self, server: str, site: str, certificate: str) -> Certificate:
        return self.find(self.of_site(server, site), certificate)

    def chosen(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values as the action takes them. Raises Invalid for a credential that is not there."""
        if "credential_id" not in values:
            return values
        credentials = Credential.objects.visible_to(self.actor).filter(kind=Kind.DNS)
        credential = credentials.filter(pk=values["credential_id"]).first()
        if credential is None:
            raise Invalid({"credential_id": ["The selected credential id is invalid."]})
        return {name: value for name, value in values.items() if name != "credential_id"} | {"credential": credential}


class Certificates(SiteCertificateView):
    abilities = {"GET": "certificate:read", "POST": "certificate:create"}

    @operation("List certificates", page=CertificateOutput)
    def get(self, request: HttpRequest, server: str, site: str) -> Response:
        rows = with_current(self.of_site(server, site))
        return self.page_under(self.sites(server), site, rows, CertificateOutput)

    @operation(
        "Issue a certificate", input=CertificateInput, one=CertificateOutput, status=202, job=True, message=QUEUED
    )
    def post(self, request: HttpRequest, server: str, site: str) -> Response:
        """Without a body, for all names of the site, by Let's Encrypt. With `chain` and `private_key` one that you have
        is installed; nothing renews it."""
        row = self.site(server, site)
        values = self.chosen(self.input(CertificateInput))
        make = actions.upload_certificate if "chain" in values else actions.issue_certificate
        certificate = make(self.actor, site=row, **values)
        return self.queued(QUEUED, certificate, certificate.job)


class CertificateDetail(SiteCertificateView):
    abilities = {"GET": "certificate:read", "DELETE": "certificate:delete"}

    @operation("Show a certificate", one=CertificateOutput)
    def get(self, request: HttpRequest, server: str, site: str, certificate: str) -> Response:
        return self.one(with_current(self.of_site(server, site).filter(pk=certificate)), CertificateOutput)

    @operation(
        "Delete a certificate", one=CertificateOutput, status=202, job=True, message=REMOVAL, others=NOT_INSTALLED
    )
    def delete(self, request: HttpRequest, server: str, site: str, certificate: str) -> Response:
        """Takes it off the server, with its key. It is not revoked by that."""
        return self.removed(self.certificate(server, site, certificate))


class RenewCertificate(SiteCertificateView):
    abilities = {"POST": "certificate:create"}

    @operation("Renew a certificate", one=CertificateOutput, status=202, job=True, message=RENEWAL)
    def post(self, request: HttpRequest, server: str, site: str, certificate: str) -> Response:
        """Now, whenever it is due. The one that is installed stays until the new one is served."""
        row = self.certificate(server, site, certificate)
        return self.queued(RENEWAL, row, actions.renew_certificate(self.actor, certificate=row))


class RevokeCertificate(SiteCertificateView):
    abilities = {"POST": "certificate:delete"}

    @operation(
        "Revoke a certificate", input=RevokeInput, one=CertificateOutput, status=202, job=True, message=REVOCATION
    )
    def post(self, request: HttpRequest, server: str, site: str, certificate: str) -> Response:
        """Tells its authority that nobody is to trust it any more. That cannot be undone."""
        row = self.certificate(server, site, certificate)
        job = actions.revoke_certificate(self.actor, certificate=row, **self.input(RevokeInput))
        return self.queued(REVOCATION, row, job)


class Chain(SiteCertificateView):
    abilities = {"GET": "certificate:read"}

    @operation("Show the chain of a certificate", one=ChainOutput, others={409: "It has not been issued yet"})
    def get(self, request: HttpRequest, server: str, site: str, certificate: str) -> Response:
        """What every visitor of the site is shown, too. The private key is never shown."""
        row = self.find(self.of_site(server, site).select_related("current"), certificate)
        if row.current is None:
            raise Conflict("This certificate has not been issued yet.", "See its job for how far that is.")
        return Response({"data": {"chain": row.current.chain, "fingerprint": row.current.fingerprint}})
