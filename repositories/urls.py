from django.urls import path

from providers.base import Kind
from repositories import views

REPOSITORIES = "settings/git-providers/<str:pk>/repositories"
REPOSITORY = f"{REPOSITORIES}/<str:repository>"
GIT = {"kind": Kind.GIT}

urlpatterns = [
    path(f"{REPOSITORIES}/connect", views.ConnectRepository.as_view(), GIT, name="repository_connect"),
    path(REPOSITORY, views.RepositoryRow.as_view(), GIT, name="repository_row"),
    path(f"{REPOSITORY}/disconnect", views.DisconnectRepository.as_view(), GIT, name="repository_disconnect"),
    path(f"{REPOSITORY}/read", views.ReadRepository.as_view(), GIT, name="repository_read"),
]
