from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from deploynix.errors import Invalid


class JSONParser(BaseParser):
    """A JSON object. An empty body is an empty object: where something is required, the serializer says so."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = stream.read()
        if not body.strip():
            return {}
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from error
        if not isinstance(data, dict):
            raise Invalid({"body": ["The body must be a JSON object."]})
        return data
