from django.urls import path

from servers.api import scripts, views

urlpatterns = [
    path("script-runs/<str:run>", scripts.ScriptRunDetail.as_view()),
    path("scripts", scripts.Scripts.as_view()),
    path("scripts/<str:script>", scripts.ScriptDetail.as_view()),
    path("scripts/<str:script>/run", scripts.RunScript.as_view()),
    path("scripts/<str:script>/runs", scripts.ScriptRuns.as_view()),
    path("servers", views.Servers.as_view()),
    path("servers/<str:server>", views.ServerDetail.as_view()),
    path("servers/<str:server>/accept-host-key", views.AcceptHostKey.as_view()),
    path("servers/<str:server>/apply", views.Apply.as_view()),
    path("servers/<str:server>/drift", views.Drift.as_view()),
    path("servers/<str:server>/logs", views.Logs.as_view()),
    path("servers/<str:server>/provision", views.Provision.as_view()),
    path("servers/<str:server>/restart", views.Restart.as_view()),
]
