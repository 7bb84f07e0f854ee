"""The OpenAPI description, and Swagger UI, which shows it without fetching anything from elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from deploynix.api.operations import operation
from deploynix.api.permissions import PUBLIC
from deploynix.api.responses import Response
from deploynix.api.schema import description
from deploynix.api.views import View


class Description(View):
    abilities = {"GET": PUBLIC}
    tag = "Description"

    @operation("Describe the API")
    def get(self, request: HttpRequest) -> Response:
        """This description, in OpenAPI 3.1."""
        return Response(encoded=description())


def swagger(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")
