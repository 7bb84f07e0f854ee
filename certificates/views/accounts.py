"""Settings > ACME Accounts."""

from typing import Any

from django.db.models import Count, QuerySet

from certificates.acme.directories import directory_at
from certificates.models import Account
from organizations.pages import ListPage


class AccountList(ListPage[Account]):
    model = Account
    ability = "certificate:read"
    template_name = "certificates/accounts.html"
    search_fields = ("directory_url", "email")

    def get_queryset(self) -> QuerySet[Account]:
        rows = super().get_queryset().annotate(certificates_count=Count("certificates"))
        return rows.defer("private_key", "eab_key")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        for account in context["object_list"]:
            known = directory_at(account.directory_url)
            account.directory = known.label if known else ""
        return context
