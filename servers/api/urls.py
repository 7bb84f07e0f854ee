from django.urls import path

from servers.api import views

urlpatterns = [
    path("servers", views.Servers.as_view()),
    path("servers/<str:server>", views.ServerDetail.as_view()),
    path("servers/<str:server>/accept-host-key", views.AcceptHostKey.as_view()),
    path("servers/<str:server>/apply", views.Apply.as_view()),
    path("servers/<str:server>/drift", views.Drift.as_view()),
    path("servers/<str:server>/logs", views.Logs.as_view()),
    path("servers/<str:server>/provision", views.Provision.as_view()),
    path("servers/<str:server>/restart", views.Restart.as_view()),
]
