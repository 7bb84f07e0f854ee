"""What every server provider does, on its own vendor's terms."""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any, cast

import pytest

from providers.base import Kind, Verdict
from providers.contracts.servers import CloudServer, HttpServers, ServerSpec, version_of
from providers.errors import (
    Conflict,
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    SoldOut,
    Unavailable,
)
from providers.registry import providers_of
from tests.contract.state import ServerState
from tests.contract.vendor import Call, Reply, Vendor, recording, standing_in

# It speaks no HTTP of its own, and is tested against a stand-in of its own.
ELSEWHERE = {"aws"}
PROVIDERS = sorted(set(providers_of(Kind.SERVER)) - ELSEWHERE)
TOKEN = "01JD5W8Q2M7R4T6V9X1Z3B5C7D"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0fWQzXSvkk2Jv1ZYH4 web-1@deploynix"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK7Qm8pR3vLx0dN5Tg2B somebody@home"
USER_DATA = "#cloud-config\nhostname: wéb-1\n"
# The smallest page that every description allows.
PAGE = 25


@pytest.fixture(params=PROVIDERS)
def fixture(request: pytest.FixtureRequest) -> ModuleType:
    """Fails for a provider without one."""
    return importlib.import_module(f"tests.contract.servers.{request.param}")


@pytest.fixture
def state() -> ServerState:
    return ServerState()


@pytest.fixture
def vendors(fixture: ModuleType, state: ServerState) -> Iterator[list[Vendor]]:
    found: list[Vendor] = fixture.vendors(state)
    with standing_in(*found):
        yield found


@pytest.fixture
def provider(fixture: ModuleType, vendors: list[Vendor]) -> HttpServers:
    return provider_of(fixture)


def provider_of(fixture: ModuleType) -> HttpServers:
    key = fixture.__name__.rpartition(".")[2]
    return cast(HttpServers, providers_of(Kind.SERVER)[key](fixture.VALUES))


@pytest.fixture
def spec(fixture: ModuleType) -> ServerSpec:
    place = {"region": fixture.REGION, "size": fixture.SIZE, "image": fixture.IMAGE}
    return ServerSpec(TOKEN, "web-1", **place, public_keys=[KEY], user_data=USER_DATA, tags=["shop"])


def test_regions_are_those_where_servers_can_be_made(provider: HttpServers, fixture: ModuleType) -> None:
    names = {region.slug: region.name for region in provider.regions()}
    assert {fixture.REGION, fixture.ELSEWHERE} <= set(names)
    assert not fixture.CLOSED & set(names)
    assert all(names.values())


def test_sizes_are_those_of_the_region_the_cheapest_first(provider: HttpServers, fixture: ModuleType) -> None:
    sizes = provider.sizes(fixture.REGION)
    assert [size.slug for size in sizes][: len(fixture.SIZES)] == fixture.SIZES
    first = sizes[0]
    assert (str(first.monthly), first.currency, first.cpus, first.memory, first.disk) == fixture.CHEAPEST
    assert fixture.SIZE not in {size.slug for size in provider.sizes(fixture.ELSEWHERE)}


def test_images_are_what_can_be_provisioned_the_newest_first(provider: HttpServers, fixture: ModuleType) -> None:
    images = provider.images(fixture.REGION)
    assert [image.slug for image in images] == fixture.IMAGES
    assert [image.name.split()[0] for image in images] == ["Ubuntu", "Ubuntu", "Debian", "Debian"]


def test_a_server_is_made_as_it_was_specified(provider: HttpServers, state: ServerState, spec: ServerSpec) -> None:
    made = provider.create(spec)
    (machine,) = state.machines.values()
    assert made == CloudServer(machine.id, "web-1", is_running=False)
    assert (machine.name, machine.region, machine.size, machine.image) == ("web-1", spec.region, spec.size, spec.image)
    assert (machine.keys, machine.user_data) == ([KEY], USER_DATA)
    assert any(tag.startswith("shop") for tag in machine.tags)


def test_its_address_comes_when_it_starts(provider: HttpServers, state: ServerState, spec: ServerSpec) -> None:
    made = provider.create(spec)
    assert provider.get(made.id).ip_address == ""
    state.machines[made.id].start()
    assert provider.get(made.id) == CloudServer(made.id, "web-1", True, "198.51.100.7")


def test_a_second_create_finds_the_first_server(provider: HttpServers, state: ServerState, spec: ServerSpec) -> None:
    first = provider.create(spec)
    assert provider.create(spec).id == first.id
    assert len(state.machines) == 1
    other = provider.create(replace(spec, token="01JD5W8Q2M7R4T6V9X1Z3B5C7E", name="web-2"))
    assert other.id != first.id


def test_a_server_whose_answer_got_lost_is_found(provider: HttpServers, state: ServerState, spec: ServerSpec) -> None:
    state.loses_answers = True
    made = provider.create(spec)
    assert list(state.machines) == [made.id]


def test_another_call_that_came_first_is_found(
    provider: HttpServers, state: ServerState, spec: ServerSpec, vendors: list[Vendor], fixture: ModuleType
) -> None:
    def conflict(call: Call) -> Reply:
        fixture.create(state, call)
        return 409, fixture.ERROR

    vendors[0].on("POST", "/(droplets|instances|linode/instances|servers)", conflict)
    made = provider.create(spec)
    assert list(state.machines) == [made.id]


def test_a_failure_before_anything_was_made_can_be_repeated(
    provider: HttpServers, state: ServerState, spec: ServerSpec, vendors: list[Vendor], fixture: ModuleType
) -> None:
    answers = list(vendors[0]._routes)
    vendors[0].on("POST", ".*", (500, fixture.ERROR))
    with pytest.raises(Unavailable) as failure:
        provider.create(spec)
    assert failure.value.retryable
    assert not state.machines
    vendors[0]._routes[:] = answers
    assert provider.create(spec).id in state.machines


def test_a_name_that_is_used_again_needs_no_other_key_name(
    provider: HttpServers, state: ServerState, spec: ServerSpec
) -> None:
    provider.delete(provider.create(spec).id)
    provider.create(replace(spec, token="01JD5W8Q2M7R4T6V9X1Z3B5C7E", public_keys=[OTHER_KEY]))
    (machine,) = state.machines.values()
    assert machine.keys == [OTHER_KEY]


def test_deleting_twice_is_no_error(provider: HttpServers, state: ServerState, spec: ServerSpec) -> None:
    made = provider.create(spec)
    for _ in range(2):
        provider.delete(made.id)
    assert not state.machines
    with pytest.raises(NotFound, match="404"):
        provider.get(made.id)


def test_a_reboot_and_a_rebuild(
    provider: HttpServers, state: ServerState, spec: ServerSpec, fixture: ModuleType
) -> None:
    made = provider.create(spec)
    provider.reboot(made.id)
    provider.rebuild(made.id, fixture.IMAGE, [KEY])
    provider.rebuild(made.id, fixture.OTHER_IMAGE, [KEY])
    machine = state.machines[made.id]
    assert machine.done == ["reboot", "rebuild", "rebuild"]
    assert machine.image == fixture.OTHER_IMAGE
    assert machine.keys == [KEY]


@pytest.mark.parametrize("what", ["reboot", "rebuild"])
def test_what_is_done_to_a_server_that_is_gone(provider: HttpServers, fixture: ModuleType, what: str) -> None:
    with pytest.raises(NotFound):
        provider.reboot("4711") if what == "reboot" else provider.rebuild("4711", fixture.IMAGE, [KEY])


def test_a_key_is_known_by_its_body(provider: HttpServers, state: ServerState) -> None:
    first = provider.upload_ssh_key("laptop", KEY)
    again = provider.upload_ssh_key("another name", KEY.rpartition(" ")[0] + " another comment")
    assert again.id == first.id
    other = provider.upload_ssh_key("home", OTHER_KEY)
    assert {key.id for key in provider.ssh_keys()} == {first.id, other.id} == set(state.keys)
    for _ in range(2):
        provider.delete_ssh_key(first.id)
    assert [key.public_key for key in provider.ssh_keys()] == [OTHER_KEY]


def test_a_key_that_another_call_added_first_is_found(
    provider: HttpServers, state: ServerState, vendors: list[Vendor], fixture: ModuleType
) -> None:
    def refused(call: Call) -> Reply:
        state.add_key("theirs", KEY)
        return 422, fixture.ERROR

    vendors[0].on("POST", "/(account/keys|ssh_keys|ssh-keys|profile/sshkeys)", refused)
    assert provider.upload_ssh_key("laptop", KEY).id in state.keys


@pytest.mark.parametrize("name", ["", "..", "."])
def test_a_name_that_leads_elsewhere_is_nothing(
    provider: HttpServers, vendors: list[Vendor], fixture: ModuleType, name: str
) -> None:
    for call in (provider.get, provider.delete, provider.reboot, provider.delete_ssh_key):
        with pytest.raises(NotFound):
            call(name)
    assert not [call for vendor in vendors for call in vendor.calls]
    vendors[0].on("GET", ".*", (404, fixture.ERROR), is_described=False)
    with pytest.raises(NotFound):
        provider.get("../account?x=#")
    assert all("%2F" in call.path for vendor in vendors for call in vendor.calls)


def test_every_page_is_read(
    provider: HttpServers, state: ServerState, spec: ServerSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"providers.clients.{provider.key}.PER_PAGE", PAGE)
    for number in range(2 * PAGE + 1):
        state.add_key(f"key {number}", f"ssh-ed25519 AAAA{number}")
        state.add(f"other-{number}", spec.region, spec.size, spec.image)
    assert len(provider.ssh_keys()) == 2 * PAGE + 1
    first = provider.create(spec)
    assert provider.create(spec).id == first.id
    assert len(state.machines) == 2 * PAGE + 2


def test_an_unknown_region_is_named(provider: HttpServers, spec: ServerSpec) -> None:
    with pytest.raises(NotFound, match="no region moon-1") as failure:
        provider.create(replace(spec, region="moon-1"))
    assert "regions" in failure.value.hint


def test_a_size_that_is_sold_out_is_named(provider: HttpServers, state: ServerState, spec: ServerSpec) -> None:
    state.sold_out = {spec.region}
    with pytest.raises(SoldOut, match=f"no {spec.size} left in {spec.region}") as failure:
        provider.create(spec)
    assert "another region" in failure.value.hint
    assert not state.machines


def test_a_size_that_the_region_has_not_is_named(provider: HttpServers, spec: ServerSpec) -> None:
    with pytest.raises(SoldOut, match="no huge in"):
        provider.create(replace(spec, size="huge"))


@pytest.mark.parametrize("image", ["debian-4", "999999"])
def test_an_unknown_image_is_named(provider: HttpServers, spec: ServerSpec, image: str) -> None:
    with pytest.raises(NotFound, match=f"no image {image}"):
        provider.create(replace(spec, image=image))


def test_each_declared_permission_is_proven(provider: HttpServers, state: ServerState) -> None:
    findings = provider.verify()
    assert {check.permission for check in findings.checks} == {permission.key for permission in provider.permissions}
    for check in findings.checks:
        assert check.verdict == Verdict.GRANTED, check
        assert check.evidence.startswith(("GET /", "POST /"))
    assert [*state.machines, *state.keys] == [], "a probe left something behind"


def test_a_permission_that_is_missing_is_named_with_its_fix(
    provider: HttpServers, state: ServerState, fixture: ModuleType
) -> None:
    for permission in fixture.DENIABLE:
        state.denied = {permission}
        checks = {check.permission: check for check in provider.verify().checks}
        assert checks[permission].verdict == Verdict.DENIED
        assert "40" in checks[permission].evidence
        label = next(declared.label for declared in provider.permissions if declared.key == permission)
        assert label in checks[permission].fix


def test_a_call_without_its_permission_names_it(
    provider: HttpServers, state: ServerState, spec: ServerSpec, fixture: ModuleType
) -> None:
    state.denied = {fixture.CREATES}
    with pytest.raises(MissingPermission) as failure:
        provider.create(spec)
    assert failure.value.permission == fixture.CREATES
    assert failure.value.hint


def test_a_credential_that_may_do_more_is_flagged(
    provider: HttpServers, vendors: list[Vendor], fixture: ModuleType
) -> None:
    if not hasattr(fixture, "over_broad"):
        assert "narrower" in " ".join(provider.notes)
        return
    fixture.over_broad(vendors)
    excess = [check for check in provider.verify().checks if check.verdict == Verdict.EXCESS]
    assert [check.permission for check in excess] == [fixture.EXCESS]
    assert excess[0].fix


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, InvalidCredential),
        (404, NotFound),
        (409, Conflict),
        (422, ProviderError),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_refusals_and_failures_become_the_errors_of_one_tree(
    provider: HttpServers,
    vendors: list[Vendor],
    fixture: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    error: type[Exception],
) -> None:
    """The bodies of 401 and 429 are made up."""
    monkeypatch.setattr("deploynix.http.FIRST_PAUSE", 0.0)
    body = json.dumps(fixture.ERROR).replace("error", f"error {fixture.VALUES[provider.fields[0].name]}")
    answer_all(vendors, status, body, {"Retry-After": "3600"} if status == 429 else {})
    for call in (lambda: provider.get("4711"), provider.regions):
        with pytest.raises(error) as failure:
            call()
        assert fixture.VALUES[provider.fields[0].name] not in f"{failure.value} {getattr(failure.value, 'hint', '')}"
    if error in (InvalidCredential, RateLimited, Unavailable):
        with pytest.raises(error):
            provider.verify()


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", '{"result": '])
def test_what_makes_no_sense_is_an_error_too(provider: HttpServers, vendors: list[Vendor], body: str) -> None:
    answer_all(vendors, 200, body, {})
    with pytest.raises(Unavailable):
        provider.regions()
    with pytest.raises(Unavailable):
        provider.get("4711")


def test_one_string_is_the_credential(provider: HttpServers, fixture: ModuleType) -> None:
    (name, secret), *others = fixture.VALUES.items()
    assert not others
    assert provider.parse(secret) == {name: secret}


def answer_all(vendors: list[Vendor], status: int, body: object, headers: dict[str, str]) -> None:
    for vendor in vendors:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            vendor.on(method, ".*", (status, body, headers), is_described=False)


@pytest.mark.parametrize(
    ("system", "version"),
    [
        ("Debian 12 x64 (bookworm)", (12, 0)),
        ("debian-13", (13, 0)),
        ("ubuntu-22-04-x64", (22, 4)),
        ("Ubuntu 24.04 LTS x64", (24, 4)),
        ("Debian 11", None),
        ("ubuntu-20.04", None),
        ("Fedora 41", None),
        ("Alpine 3.22 for Debian", None),
    ],
)
def test_what_can_be_provisioned(system: str, version: tuple[int, int] | None) -> None:
    assert version_of(system) == version


DO, VULTR, LINODE = "libcloud/compute/digitalocean_v2", "libcloud/compute/vultr_v2", "linodego"
RECORDED: list[tuple[str, str, str, Callable[[HttpServers], Any], Any]] = [
    ("digitalocean", "/regions", f"{DO}/list_locations.json", lambda it: slugs(it.regions()), ["nyc1", "sfo1"]),
    ("digitalocean", "/sizes", "droplet_kit/sizes/all.json", lambda it: slugs(it.sizes("ams1")), ["512mb", "1gb"]),
    ("digitalocean", "/images", f"{DO}/list_images.json", lambda it: it.images("nyc1"), []),
    (
        "digitalocean",
        "/droplets/19",
        "droplet_kit/droplets/create.json",
        lambda it: it.get("19"),
        CloudServer("19", "test.example.com", True, "127.0.0.19"),
    ),
    ("digitalocean", "/account/keys", "droplet_kit/ssh_keys/all.json", lambda it: it.ssh_keys()[0].name, "Example Key"),
    ("vultr", "/regions", "vultr-php/v2-get-regions.json", lambda it: it.regions()[2].name, "Paris, FR"),
    ("vultr", "/plans", f"{VULTR}/list_sizes.json", lambda it: str(it.sizes("fra")[0].monthly), "5.00"),
    (
        "vultr",
        "/instances/123",
        f"{VULTR}/ex_get_node.json",
        lambda it: it.get("123"),
        CloudServer("123", "test", True, "45.76.36.72"),
    ),
    (
        "vultr",
        "/instances/123",
        f"{VULTR}/create_node.json",
        lambda it: it.get("123"),
        CloudServer("123", "test123", False),
    ),
    ("vultr", "/ssh-keys", f"{VULTR}/list_key_pairs.json", lambda it: it.ssh_keys()[0].name, "tester"),
    ("linode", "/regions", f"{LINODE}/TestRegions_List.yaml", lambda it: len(it.regions()), 34),
    (
        "linode",
        "/images",
        f"{LINODE}/TestImages_List.yaml",
        lambda it: slugs(it.images("us-east")),
        ["linode/ubuntu24.04", "linode/ubuntu22.04", "linode/debian13", "linode/debian12"],
    ),
    (
        "linode",
        "/linode/types",
        f"{LINODE}/TestTypes_List.yaml",
        lambda it: str(it.sizes("br-gru")[0].monthly),
        "16.80",
    ),
]


def slugs(found: Any) -> list[str]:
    return [each.slug for each in found]


@pytest.mark.parametrize(
    ("key", "path", "file", "ask", "expected"), RECORDED, ids=[f"{row[0]}{row[1]}" for row in RECORDED]
)
def test_recorded_answers_are_understood(
    key: str, path: str, file: str, ask: Callable[[HttpServers], Any], expected: Any
) -> None:
    fixture = importlib.import_module(f"tests.contract.servers.{key}")
    vendors: list[Vendor] = fixture.vendors(ServerState())
    vendors[0].on("GET", path, recording(file))
    with standing_in(*vendors):
        assert ask(provider_of(fixture)) == expected
