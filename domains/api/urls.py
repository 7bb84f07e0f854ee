from django.urls import path

from domains.api import connections, views, zones

CONNECTIONS = "applications/<str:application>/connections"
CONNECTION = f"{CONNECTIONS}/<str:connection>"
ZONES = "dns-providers/<str:dns_provider>/zones"
ZONE = f"{ZONES}/<str:zone>"

urlpatterns = [
    path("applications", views.Applications.as_view()),
    path("applications/<str:application>", views.ApplicationDetail.as_view()),
    path("applications/<str:application>/credentials", views.ApplicationCredentials.as_view()),
    path(CONNECTIONS, connections.Connections.as_view()),
    path(CONNECTION, connections.ConnectionDetail.as_view()),
    path(f"{CONNECTION}/apply", connections.ApplyConnection.as_view()),
    path(f"{CONNECTION}/check", connections.CheckConnection.as_view()),
    path(f"{CONNECTION}/disconnect", connections.DisconnectConnection.as_view()),
    path(ZONES, zones.Zones.as_view()),
    path(f"{ZONE}/propagation", zones.Propagation.as_view()),
    path(f"{ZONE}/records", zones.Records.as_view()),
    path(f"{ZONE}/records/<str:record>", zones.RecordDetail.as_view()),
]
