from django.urls import path

from jobs.api import views

urlpatterns = [
    path("jobs", views.JobList.as_view()),
    path("jobs/<str:pk>", views.JobDetail.as_view()),
    path("jobs/<str:pk>/cancel", views.CancelJob.as_view()),
    path("jobs/<str:pk>/log", views.JobLog.as_view()),
    path("jobs/<str:pk>/retry", views.RetryJob.as_view()),
]
