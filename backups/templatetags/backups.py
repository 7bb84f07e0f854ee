"""What pages of the apps below show of backups."""

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.db.models import Max

from backups.models import Backup
from servers.models import Database

register = template.Library()


@register.simple_tag
def newest_copies(databases: Iterable[Database]) -> dict[str, datetime]:
    """When the newest good backup of each was made, by the id of the database."""
    good = Backup.objects.good().filter(database__in=[database.pk for database in databases])
    return dict(good.order_by().values_list("database").annotate(Max("created_at")))


@register.filter
def of(values: dict[str, datetime], key: str) -> datetime | None:
    return values.get(key)
