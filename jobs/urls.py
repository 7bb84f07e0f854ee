from django.urls import path

from jobs import views

urlpatterns = [
    path("jobs", views.JobList.as_view(), name="job_list"),
    path("jobs/<str:pk>", views.JobDetail.as_view(), name="job_detail"),
    path("jobs/<str:pk>/cancel", views.CancelJob.as_view(), name="job_cancel"),
    path("jobs/<str:pk>/log", views.JobLogPart.as_view(), name="job_log"),
    path("jobs/<str:pk>/log.txt", views.JobLogFile.as_view(), name="job_log_file"),
    path("jobs/<str:pk>/retry", views.RetryJob.as_view(), name="job_retry"),
    path("jobs/<str:pk>/state", views.JobState.as_view(), name="job_state"),
]
