from django.urls import path

from domains.api import views

urlpatterns = [
    path("applications", views.Applications.as_view()),
    path("applications/<str:application>", views.ApplicationDetail.as_view()),
    path("applications/<str:application>/credentials", views.ApplicationCredentials.as_view()),
]
