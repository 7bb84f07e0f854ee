from django.urls import path

from servers.views import databases, scripts, servers

urlpatterns = [
    path("scripts", scripts.ScriptList.as_view(), name="script_list"),
    path("scripts/new", scripts.ScriptCreate.as_view(), name="script_create"),
    path("scripts/<str:pk>", scripts.ScriptDetail.as_view(), name="script_detail"),
    path("scripts/<str:pk>/delete", scripts.DeleteScript.as_view(), name="script_delete"),
    path("scripts/<str:pk>/edit", scripts.ScriptEdit.as_view(), name="script_edit"),
    path("scripts/<str:pk>/run", scripts.RunScript.as_view(), name="script_run"),
    path("servers", servers.ServerList.as_view(), name="server_list"),
    path("servers/new", servers.ServerCreate.as_view(), name="server_create"),
    path("servers/<str:pk>", servers.ServerDetail.as_view(), name="server_detail"),
    path("servers/<str:pk>/accept-host-key", servers.AcceptHostKey.as_view(), name="server_accept_host_key"),
    path("servers/<str:pk>/apply", servers.ApplyConfiguration.as_view(), name="server_apply"),
    path("servers/<str:pk>/check", servers.CheckConfiguration.as_view(), name="server_check"),
    path("servers/<str:pk>/configuration", servers.ServerConfiguration.as_view(), name="server_configuration"),
    path("servers/<str:pk>/databases", databases.ServerDatabases.as_view(), name="server_databases"),
    path("servers/<str:pk>/databases/new", databases.DatabaseCreate.as_view(), name="database_create"),
    path("servers/<str:pk>/databases/sync", databases.SyncDatabases.as_view(), name="database_sync"),
    path("servers/<str:pk>/databases/<str:database>", databases.DatabaseDetail.as_view(), name="database_detail"),
    path(
        "servers/<str:pk>/databases/<str:database>/delete", databases.DeleteDatabase.as_view(), name="database_delete"
    ),
    path(
        "servers/<str:pk>/databases/<str:database>/users/<str:user>/delete",
        databases.DeleteDatabaseUser.as_view(),
        name="database_user_delete",
    ),
    path(
        "servers/<str:pk>/databases/<str:database>/users/<str:user>/password",
        databases.ChangeDatabasePassword.as_view(),
        name="database_user_password",
    ),
    path(
        "servers/<str:pk>/databases/<str:database>/users/<str:user>/privileges/<str:privileges>",
        databases.UpdateDatabaseUser.as_view(),
        name="database_user_update",
    ),
    path("servers/<str:pk>/delete", servers.DeleteServer.as_view(), name="server_delete"),
    path("servers/<str:pk>/jobs", servers.ServerJobs.as_view(), name="server_jobs"),
    path("servers/<str:pk>/logs", servers.ServerLogs.as_view(), name="server_logs"),
    path("servers/<str:pk>/provision", servers.ProvisionServer.as_view(), name="server_provision"),
    path("servers/<str:pk>/restart/<str:what>", servers.RestartServer.as_view(), name="server_restart"),
    path("servers/<str:pk>/settings", servers.ServerEdit.as_view(), name="server_settings"),
]
