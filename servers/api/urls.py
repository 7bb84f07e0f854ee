from django.urls import path

from servers.api import databases, scripts, views

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
    path("servers/<str:server>/databases", databases.Databases.as_view()),
    path("servers/<str:server>/databases/sync", databases.SyncDatabases.as_view()),
    path("servers/<str:server>/databases/<str:database>", databases.DatabaseDetail.as_view()),
    path("servers/<str:server>/databases/<str:database>/users", databases.DatabaseUsers.as_view()),
    path("servers/<str:server>/databases/<str:database>/users/<str:user>", databases.DatabaseUserDetail.as_view()),
    path(
        "servers/<str:server>/databases/<str:database>/users/<str:user>/password",
        databases.DatabasePassword.as_view(),
    ),
    path("servers/<str:server>/drift", views.Drift.as_view()),
    path("servers/<str:server>/logs", views.Logs.as_view()),
    path("servers/<str:server>/provision", views.Provision.as_view()),
    path("servers/<str:server>/restart", views.Restart.as_view()),
]
