from django.urls import path

from providers.api import credentials, repositories, views

urlpatterns = [
    path("git-providers", credentials.GitProviders.as_view()),
    path("git-providers/<str:git_provider>", credentials.GitProviderDetail.as_view()),
    path("git-providers/<str:git_provider>/repositories", repositories.Repositories.as_view()),
    path("providers", views.Providers.as_view()),
    path("providers/credentials", credentials.Credentials.as_view()),
    path("providers/credentials/<str:credential>", credentials.CredentialDetail.as_view()),
    path("providers/credentials/<str:credential>/verify", credentials.VerifyCredential.as_view()),
    path("providers/<str:provider>/images", views.Images.as_view()),
    path("providers/<str:provider>/regions", views.Regions.as_view()),
    path("providers/<str:provider>/sizes", views.Sizes.as_view()),
]
