from django.urls import path

from servers import views

urlpatterns = [
    path("servers", views.ServerList.as_view(), name="server_list"),
    path("servers/new", views.ServerCreate.as_view(), name="server_create"),
    path("servers/<str:pk>", views.ServerDetail.as_view(), name="server_detail"),
    path("servers/<str:pk>/accept-host-key", views.AcceptHostKey.as_view(), name="server_accept_host_key"),
    path("servers/<str:pk>/apply", views.ApplyConfiguration.as_view(), name="server_apply"),
    path("servers/<str:pk>/check", views.CheckConfiguration.as_view(), name="server_check"),
    path("servers/<str:pk>/configuration", views.ServerConfiguration.as_view(), name="server_configuration"),
    path("servers/<str:pk>/delete", views.DeleteServer.as_view(), name="server_delete"),
    path("servers/<str:pk>/jobs", views.ServerJobs.as_view(), name="server_jobs"),
    path("servers/<str:pk>/logs", views.ServerLogs.as_view(), name="server_logs"),
    path("servers/<str:pk>/provision", views.ProvisionServer.as_view(), name="server_provision"),
    path("servers/<str:pk>/restart/<str:what>", views.RestartServer.as_view(), name="server_restart"),
    path("servers/<str:pk>/settings", views.ServerEdit.as_view(), name="server_settings"),
]
