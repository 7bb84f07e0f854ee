from django.urls import path

from dashboard import views

urlpatterns = [
    path("", views.Dashboard.as_view(), name="dashboard"),
    path("running", views.RunningJobs.as_view(), name="dashboard_running"),
]
