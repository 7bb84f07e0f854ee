from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from deploynix.metrics import register_metrics
        from jobs.metrics import metrics

        register_metrics(metrics)
