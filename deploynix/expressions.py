"""Expressions that more than one app's queries use."""

from django.db.models import IntegerField, Subquery


class RowCount(Subquery):
    """The number of rows of a queryset, which may be sliced, as one value of an outer query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
