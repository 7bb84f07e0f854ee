from django.urls import path

from tokens import views

urlpatterns = [
    path("settings/tokens", views.TokensView.as_view(), name="settings_tokens"),
    path("settings/tokens/new", views.NewTokenView.as_view(), name="token_create"),
    path("settings/tokens/<str:pk>", views.TokenView.as_view(), name="token_detail"),
    path("settings/tokens/<str:pk>/revoke", views.RevokeTokenView.as_view(), name="token_revoke"),
]
