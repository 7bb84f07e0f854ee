import os

from django.apps import AppConfig


class FarVendorConfig(AppConfig):
    name = "bench.farvendor"

    def ready(self) -> None:
        from providers.dns.cloudflare import Cloudflare

        Cloudflare.base_url = os.environ["FAR_VENDOR"]
