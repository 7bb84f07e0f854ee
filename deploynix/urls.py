from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("deploynix.api.urls")),
    path("", include("accounts.urls")),
    path("", include("activity.urls")),
    path("", include("backups.urls")),
    path("", include("certificates.urls")),
    path("", include("dashboard.urls")),
    path("", include("domains.urls")),
    path("", include("jobs.urls")),
    path("", include("organizations.urls")),
    path("", include("providers.urls")),
    path("", include("repositories.urls")),
    path("", include("servers.urls")),
    path("", include("sites.urls")),
    path("", include("tokens.urls")),
]
