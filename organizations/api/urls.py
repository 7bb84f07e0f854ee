from django.urls import path

from organizations.api import views

urlpatterns = [
    path("invoices", views.Invoices.as_view()),
    path("teams", views.Teams.as_view()),
    path("teams/<str:team>", views.TeamDetail.as_view()),
]
