"""The API of every app, under /api/v1. What is not there answers 404 in JSON, too."""

from django.http import HttpRequest
from django.urls import include, path, re_path

from deploynix.api.docs import Description, swagger
from deploynix.api.exceptions import NotFound, handle
from deploynix.api.responses import Response


def missing(request: HttpRequest) -> Response:
    return handle(NotFound(), request)


urlpatterns = [
    path("docs", swagger, name="api_docs"),
    path("v1/schema", Description.as_view(), name="api_schema"),
    path("v1/", include("activity.api.urls")),
    path("v1/", include("backups.api.urls")),
    path("v1/", include("certificates.api.urls")),
    path("v1/", include("domains.api.urls")),
    path("v1/", include("jobs.api.urls")),
    path("v1/", include("organizations.api.urls")),
    path("v1/", include("providers.api.urls")),
    path("v1/", include("repositories.api.urls")),
    path("v1/", include("servers.api.urls")),
    path("v1/", include("sites.api.urls")),
    path("v1/", include("tokens.api.urls")),
    re_path(r"^", missing),
]
