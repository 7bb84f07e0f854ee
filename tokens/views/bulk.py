"""Ending several tokens at once."""

from typing import ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from organizations.pages import PageMixin
from tokens.actions import revoke_tokens
from tokens.models import Kind, Token, TokenQuerySet
from tokens.views.base import KIND_PAGES


class RevokeTokens(PageMixin):
    """`token` names each one that was chosen in the list. What is not the actor's to revoke is left out."""

    kind: ClassVar[Kind]

    def get(self, request: HttpRequest) -> HttpResponse:
        pages, tokens = KIND_PAGES[self.kind], self.chosen(request.GET)
        if not tokens:
            messages.error(request, f"Nothing was done. Choose at least one {pages.noun}.")
            return redirect(pages.listing)
        context = {"tokens": tokens.select_related("user"), "pages": pages, "rail": reverse(pages.listing)}
        return render(request, "tokens/revoke_several.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        pages = KIND_PAGES[self.kind]
        count = revoke_tokens(self.actor, tokens=self.chosen(request.POST))
        what = f"{count} {pages.noun}s are" if count != 1 else f"One {pages.noun} is"
        messages.success(request, f"{what} revoked.")
        return redirect(pages.listing)

    def chosen(self, data: QueryDict) -> TokenQuerySet:
        rows = Token.objects.revocable_by(self.actor).unrevoked()
        return rows.filter(kind=self.kind, pk__in=data.getlist("token")).order_by("name", "id")


class RevokePersonalTokens(RevokeTokens):
    kind = Kind.PERSONAL


class RevokeApiKeys(RevokeTokens):
    ability = "token:delete"
    kind = Kind.API_KEY


class RevokeAccessTokens(RevokeTokens):
    ability = "token:delete"
    kind = Kind.ACCESS
