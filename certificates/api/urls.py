from django.urls import path

from certificates.api import views

SITE = "servers/<str:server>/sites/<str:site>/certificates"

urlpatterns = [
    path("certificates", views.AllCertificates.as_view()),
    path("servers/<str:server>/certificates", views.ServerCertificates.as_view()),
    path("servers/<str:server>/certificates/<str:certificate>", views.ServerCertificateDetail.as_view()),
    path(SITE, views.Certificates.as_view()),
    path(f"{SITE}/<str:certificate>", views.CertificateDetail.as_view()),
    path(f"{SITE}/<str:certificate>/chain", views.Chain.as_view()),
    path(f"{SITE}/<str:certificate>/renew", views.RenewCertificate.as_view()),
    path(f"{SITE}/<str:certificate>/revoke", views.RevokeCertificate.as_view()),
]
