from django.urls import path

from tokens.api import views

urlpatterns = [
    path("login", views.Login.as_view()),
    path("logout", views.Logout.as_view()),
    path("register", views.Register.as_view()),
    path("tokens", views.Tokens.as_view()),
    path("tokens/<str:token>", views.TokenDetail.as_view()),
    path("user", views.CurrentUser.as_view()),
]
