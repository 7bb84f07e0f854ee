from django.urls import path, register_converter

from providers import views
from providers.base import Kind

register_converter(views.SectionConverter, "section")

SECTION = "settings/<section:kind>"
LISTS = {
    "settings_server_providers": Kind.SERVER,
    "settings_dns_providers": Kind.DNS,
    "settings_git_providers": Kind.GIT,
    "settings_backup_providers": Kind.STORAGE,
}

urlpatterns = [
    *(
        path(
            f"settings/{views.SectionConverter.names[kind]}", views.CredentialList.as_view(), {"kind": kind}, name=name
        )
        for name, kind in LISTS.items()
    ),
    path("settings/providers", views.Reference.as_view(), name="settings_provider_reference"),
    path(f"{SECTION}/new", views.ProviderChoice.as_view(), name="credential_choose"),
    path(f"{SECTION}/new/<str:provider>", views.CredentialCreate.as_view(), name="credential_create"),
    path(f"{SECTION}/new/<str:provider>/policy", views.Policy.as_view(), name="credential_policy"),
    path(f"{SECTION}/<str:pk>", views.CredentialDetail.as_view(), name="credential_detail"),
    path(f"{SECTION}/<str:pk>/check", views.CheckCredential.as_view(), name="credential_check"),
    path(f"{SECTION}/<str:pk>/delete", views.DeleteCredential.as_view(), name="credential_delete"),
    path(f"{SECTION}/<str:pk>/edit", views.CredentialEdit.as_view(), name="credential_edit"),
    path(f"{SECTION}/<str:pk>/secret", views.ReplaceSecret.as_view(), name="credential_secret"),
]
