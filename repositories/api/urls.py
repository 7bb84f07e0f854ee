from django.urls import path

from repositories.api import views

urlpatterns = [
    path("git-repositories", views.GitRepositories.as_view()),
    path("git-repositories/<str:git_repository>", views.GitRepositoryDetail.as_view()),
]
