from django.urls import path

from certificates.views import accounts, certificates, making

SITE = "servers/<str:server>/sites/<str:site>/certificates"

urlpatterns = [
    path("certificates", certificates.CertificateList.as_view(), name="certificate_list"),
    path("certificates/new", making.CertificateCreate.as_view(), name="certificate_create"),
    path("certificates/<str:pk>", certificates.CertificateDetail.as_view(), name="certificate_detail"),
    path("certificates/<str:pk>/chain", certificates.CertificateChain.as_view(), name="certificate_chain"),
    path("certificates/<str:pk>/delete", certificates.DeleteCertificate.as_view(), name="certificate_delete"),
    path("certificates/<str:pk>/renew", certificates.RenewCertificate.as_view(), name="certificate_renew"),
    path("certificates/<str:pk>/revoke", certificates.RevokeCertificate.as_view(), name="certificate_revoke"),
    path("settings/acme-accounts", accounts.AccountList.as_view(), name="settings_acme_accounts"),
    path(SITE, making.SiteCertificates.as_view(), name="site_certificates"),
    path(f"{SITE}/new", making.IssueCertificate.as_view(), name="site_certificate_issue"),
    path(f"{SITE}/new/proof", making.Proof.as_view(), name="site_certificate_proof"),
    path(f"{SITE}/upload", making.UploadCertificate.as_view(), name="site_certificate_upload"),
]
