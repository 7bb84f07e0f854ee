"""What belongs to another organization is not there: nowhere does an answer tell it from what was never made."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from deploynix.actor import Actor
from deploynix.ids import new_id
from tests.apiclient import ApiClient, Response
from tests.everything import Call, Everything, calls
from tokens.models import KEY_ID_PREFIX
from tokens.wire import LIVE_PREFIX, new_token

pytestmark = pytest.mark.django_db
CLOSED = [call for call in calls() if not call.is_public]
NAMED = [call for call in CLOSED if call.places]
# Collections whose ids another one has, too.
PARTS = {"credentials": {"dns-providers", "git-providers"}}
# Fields of bodies that name something.
REFERENCES = {
    *("backup_id", "credential_id", "database_id", "project_id", "release_id", "schedule_id", "server_id", "servers"),
    *("site_id", "site_ids", "sites"),
}
# Parameters of lists that name something, and the collection that it is in.
FILTERS = {
    "backup": "backups",
    "credential": "credentials",
    "project": "projects",
    "schedule": "schedules",
    "site": "sites",
    "subject_id": "servers",
}


@pytest.fixture(autouse=True)
def _many_requests(settings: Settings) -> None:
    settings.RATE_LIMIT_GENERAL = settings.RATE_LIMIT_TOKENS = settings.RATE_LIMIT_DOWNLOADS = 10**6


@pytest.fixture
def own(owner: Actor) -> Everything:
    return Everything(owner)


@pytest.fixture
def foreign(outsider: Actor) -> Everything:
    return Everything(outsider)


def made_up(collection: str) -> str:
    return KEY_ID_PREFIX + new_token(LIVE_PREFIX).public_id if collection == "api-keys" else new_id()


def told(response: Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that an answer tells, but its number and what is left of the rate limit."""
    own = {"X-Request-ID", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    return response.status_code, response.content, [pair for pair in response.items() if pair[0] not in own]


def test_every_operation_that_names_something_is_asked() -> None:
    collections = {place for call in NAMED for place in call.places}
    assert len(NAMED) > 50
    assert {"servers", "sites", "jobs", "tokens", "api-keys", "access-tokens", "teams", "errors"} <= collections


def test_an_address_with_an_id_of_another_organization_is_not_found_as_one_that_is_made_up(
    api: ApiClient, own: Everything, foreign: Everything
) -> None:
    for call in NAMED:
        for place in call.places:
            others = [pk for name, pk in own.ids.items() if pk != own.ids[place] and name not in PARTS.get(place, ())]
            ids = [made_up(place), foreign.ids[place], new_id(), *foreign.ids.values(), *others]
            answers = [told(api.call(call.method, call.address({**own.ids, place: pk}), own.body(call))) for pk in ids]
            assert answers[0][0] == 404, (str(call), place)
            assert [answer for answer in answers if answer != answers[0]] == [], (str(call), place)


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_list_below_an_id_of_another_organization_tells_nothing(
    method: str, api: ApiClient, own: Everything, foreign: Everything
) -> None:
    for call in NAMED:
        if call.method == "GET":
            answers = [told(api.call(method, call.address(ids))) for ids in (foreign.ids, Nowhere())]
            assert answers[0] == answers[1], str(call)
            assert answers[0][0] == 404, str(call)


def test_a_body_with_an_id_of_another_organization_is_refused_as_one_that_is_made_up(
    api: ApiClient, own: Everything, foreign: Everything
) -> None:
    asked = 0
    for call in CLOSED:
        body = full_body(call, own)
        for mine, theirs in references(call, own, foreign):
            if mine not in set(leaves(body)):
                continue
            own.prepare(call)
            bodies = [replaced(body, mine, other) for other in (theirs, new_id())]
            answers = [told(api.call(call.method, call.address(own.ids), one)) for one in bodies]
            assert answers[0] == answers[1], str(call)
            # What never changes is refused for that.
            assert answers[0][0] == (409 if call.operation.status == 409 else 422), str(call)
            asked += 1
    assert asked > 10


def test_a_filter_by_an_id_of_another_organization_finds_as_much_as_one_that_is_made_up(
    api: ApiClient, own: Everything, foreign: Everything
) -> None:
    asked = 0
    for call in CLOSED:
        names = set(call.operation.query().fields) & FILTERS.keys() if call.operation.query else set()
        for name in names:
            base = f"{call.address(own.ids)}?per_page=100&{name}="
            ids = [foreign.ids[FILTERS[name]], new_id()]
            answers = [api.get(base + pk) for pk in ids]
            # Links repeat the filter.
            bodies = [answer.content.replace(pk.encode(), b"") for answer, pk in zip(answers, ids, strict=True)]
            assert (answers[0].status_code, bodies[0]) == (answers[1].status_code, bodies[1]), str(call)
            asked += 1
    assert asked > 4


class Nowhere(dict[str, str]):
    def __missing__(self, collection: str) -> str:
        return made_up(collection)


def full_body(call: Call, own: Everything) -> Any:
    """The operation's example, and all that it may name besides."""
    named = own.named_for(call)
    fields = REFERENCES.intersection(call.operation.input().fields) if call.operation.input else ()
    return {**(own.body(call) or {}), **{name: named[name] for name in fields}}


def references(call: Call, own: Everything, foreign: Everything) -> list[tuple[str, str]]:
    """Each id that a body may name, and that of its like in the other organization."""
    pairs = {pk: foreign.ids[collection] for collection, pk in own.ids.items()}
    pairs[own.storage.pk] = foreign.storage.pk
    pairs[own.releases[0].pk] = foreign.releases[0].pk
    return list(pairs.items())


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    else:
        yield value


def replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {name: replaced(part, old, new) for name, part in value.items()}
    if isinstance(value, list):
        return [replaced(part, old, new) for part in value]
    return new if value == old else value
