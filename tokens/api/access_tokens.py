"""Access tokens."""

from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.throttling import NEW_TOKEN
from deploynix.api.views import Response, View
from tokens.actions import create_access_token, refuse_change, revoke_token
from tokens.api.key_serializers import AccessTokenInput, AccessTokenOutput, NewAccessTokenOutput
from tokens.models import AccessToken, TokenQuerySet


class AccessTokenView(View):
    tag = "Access tokens"

    @property
    def tokens(self) -> TokenQuerySet:
        return AccessToken.objects.visible_to(self.actor).unrevoked()


class AccessTokens(AccessTokenView):
    abilities = {"GET": "token:read", "POST": "token:create"}
    limits = {"POST": (NEW_TOKEN,)}

    @operation("List access tokens", page=AccessTokenOutput)
    def get(self, request: HttpRequest) -> Response:
        """Those of the whole organization, without those that were deleted."""
        return self.page(_shown(self.tokens), AccessTokenOutput)

    @operation("Create an access token", input=AccessTokenInput, one=NewAccessTokenOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        """The token's text, `value`, is shown only here. It can neither do nor see more nor live longer than the token
        that asks."""
        token, text = create_access_token(self.actor, **self.input(AccessTokenInput))
        data = self.row(_shown(AccessToken.objects.filter(pk=token.pk)), AccessTokenOutput)
        return Response({"data": data}, 201, once={"data": data | {"value": text}})


class AccessTokenDetail(AccessTokenView):
    abilities = {"GET": "token:read", "PUT": "token:update", "PATCH": "token:update", "DELETE": "token:delete"}

    @operation("Show an access token", one=AccessTokenOutput)
    def get(self, request: HttpRequest, token: str) -> Response:
        return self.one(_shown(self.tokens.filter(pk=token)), AccessTokenOutput)

    @operation("Update an access token", input=AccessTokenInput, status=409)
    def put(self, request: HttpRequest, token: str) -> Response:
        """Always refused: an access token never changes. Delete it, and make another."""
        self.find(self.tokens, token)
        refuse_change()

    @operation("Change fields of an access token", input=AccessTokenInput, status=409)
    def patch(self, request: HttpRequest, token: str) -> Response:
        """Always refused, as PUT is."""
        return self.put(request, token)

    @operation("Delete an access token", status=204)
    def delete(self, request: HttpRequest, token: str) -> Response:
        """It opens nothing from the next request on."""
        revoke_token(self.actor, token=self.find(self.tokens, token))
        return self.done()


def _shown(tokens: TokenQuerySet) -> TokenQuerySet:
    return tokens.annotate(
        scopes=F("grants"),
        has_passphrase=ExpressionWrapper(~Q(passphrase=""), output_field=BooleanField()),
        servers=F("resources__servers"),
        sites=F("resources__sites"),
    )
