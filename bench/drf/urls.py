"""One list, with and without a rate limit. The product's counts the sites of each server besides."""

from rest_framework.routers import DefaultRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.throttling import UserRateThrottle
from rest_framework.viewsets import ModelViewSet

from servers.api.serializers import ServerOutput
from servers.models import Server


class ServerSerializer(ModelSerializer[Server]):
    class Meta:
        model = Server
        fields = [name for name in ServerOutput.columns() if name != "sites_count"]


class ServerViewSet(ModelViewSet[Server]):
    queryset = Server.objects.order_by("-id")
    serializer_class = ServerSerializer


class ThrottledServerViewSet(ServerViewSet):
    throttle_classes = [UserRateThrottle]


router = DefaultRouter(trailing_slash=False)
router.register("servers", ServerViewSet, basename="server")
router.register("throttled/servers", ThrottledServerViewSet, basename="throttled-server")
urlpatterns = router.urls
