from django.urls import path

from domains.views import applications, connecting, connections, zones
from providers.base import Kind

ZONES = "settings/dns-providers/<str:pk>/zones"
RECORD = f"{ZONES}/<str:apex>/records/<str:record_id>"
DNS = {"kind": Kind.DNS}
APPLICATION = "applications/<str:application>"
CONNECTION = f"{APPLICATION}/connections/<str:connection>"
KEEP = {"keep_records": True}

urlpatterns = [
    path("applications", applications.ApplicationList.as_view(), name="application_list"),
    path("applications/new", applications.ApplicationCreate.as_view(), name="application_create"),
    path(APPLICATION, applications.ApplicationDetail.as_view(), name="application_detail"),
    path(f"{APPLICATION}/connect", connecting.ConnectDomain.as_view(), name="connection_create"),
    path(CONNECTION, connections.ConnectionDetail.as_view(), name="connection_detail"),
    path(f"{CONNECTION}/apply", connections.ApplyConnection.as_view(), name="connection_apply"),
    path(f"{CONNECTION}/check", connections.CheckConnection.as_view(), name="connection_check"),
    path(f"{CONNECTION}/delete", connections.DeleteConnection.as_view(), name="connection_delete"),
    path(f"{CONNECTION}/disconnect", connections.DisconnectDomain.as_view(), name="connection_disconnect"),
    path(f"{CONNECTION}/disconnect/keep", connections.DisconnectDomain.as_view(), KEEP, name="connection_leave"),
    path(f"{CONNECTION}/discover", connections.DiscoverConnection.as_view(), name="connection_discover"),
    path(f"{CONNECTION}/go", connections.GoToProvider.as_view(), name="connection_go"),
    path(f"{APPLICATION}/credentials/use", applications.UseCredential.as_view(), name="application_use_credential"),
    path(
        f"{APPLICATION}/credentials/<str:credential>/drop",
        applications.DropCredential.as_view(),
        name="application_drop_credential",
    ),
    path(f"{APPLICATION}/delete", applications.DeleteApplication.as_view(), name="application_delete"),
    path(f"{APPLICATION}/settings", applications.ApplicationSettings.as_view(), name="application_settings"),
    path("domain-connect/return", connections.ReturnFromProvider.as_view(), name="connection_return"),
    path("settings/domain-connect", connections.DomainConnectSettings.as_view(), name="settings_domain_connect"),
    path("settings/domain-connect/template", connections.DomainConnectTemplate.as_view(), name="connection_template"),
    path(ZONES, zones.ZoneList.as_view(), DNS, name="zones"),
    path(f"{ZONES}/<str:apex>", zones.ZoneDetail.as_view(), DNS, name="zone_detail"),
    path(RECORD, zones.RecordDetail.as_view(), DNS, name="zone_record"),
    path(f"{RECORD}/remove", zones.RemoveRecord.as_view(), DNS, name="zone_record_remove"),
]
