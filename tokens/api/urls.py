from django.urls import path

from tokens.api import access_tokens, auth_test, keys, leaks, views

urlpatterns = [
    path("access-tokens", access_tokens.AccessTokens.as_view()),
    path("access-tokens/<str:token>", access_tokens.AccessTokenDetail.as_view()),
    path("api-keys", keys.ApiKeys.as_view()),
    path("api-keys/<str:key>", keys.ApiKeyDetail.as_view()),
    path("api-keys/<str:key>/rotate", keys.RotateApiKey.as_view()),
    path("auth/test", auth_test.AuthTest.as_view()),
    path("login", views.Login.as_view()),
    path("logout", views.Logout.as_view()),
    path("register", views.Register.as_view()),
    path("tokens", views.Tokens.as_view()),
    path("tokens/leaked", leaks.LeakedTokens.as_view()),
    path("tokens/<str:token>", views.TokenDetail.as_view()),
    path("user", views.CurrentUser.as_view()),
]
