"""What every word of every vocabulary opens, written out: whoever changes it sees it here."""

from collections.abc import Mapping

import pytest

from deploynix.abilities import DUTY_PERMISSIONS, RESOURCE_PERMISSIONS, SCOPES
from tokens.vocabularies import VOCABULARIES, opened
from tokens.wire import ACCESS_PREFIX, DUTY_PREFIX, LIVE_PREFIX, PREFIXES, TEST_PREFIX

OF_RESOURCES = """
servers:read:
  server:read
servers:write:
  server:create
  server:update
servers:delete:
  server:delete
instances:read:
  site:read
instances:write:
  site:create
  site:update
instances:delete:
  site:delete
backups:read:
  backup:read
backups:write:
  backup:create
teams:read:
  organization:read
teams:write:
  organization:create
  organization:update
billing:read:
  billing:read
servers:*:
  server:create
  server:delete
  server:read
  server:update
instances:*:
  site:create
  site:delete
  site:deploy
  site:read
  site:rollback
  site:schedule
  site:suspend
  site:update
  site:zero-downtime
backups:*:
  backup:create
  backup:delete
  backup:read
  backup:restore
  backup:update
teams:*:
  organization:create
  organization:read
  organization:update
billing:*:
  billing:read
*:read:
  backup:read
  billing:read
  organization:read
  server:read
  site:read
*:write:
  backup:create
  organization:create
  organization:update
  server:create
  server:update
  site:create
  site:update
*:delete:
  server:delete
  site:delete
"""

OF_DUTIES = """
read:
  activity:read
  audit:read
  backup:read
  billing:read
  certificate:read
  crontab:read
  daemon:read
  database:read
  env:read
  error:read
  job:read
  member:read
  network-rule:read
  organization:read
  project:read
  provider:read
  queue-worker:read
  redirect:read
  script:read
  server:read
  site:read
  ssh-key:read
write:
  activity:create
  backup:create
  backup:update
  certificate:create
  crontab:create
  crontab:update
  daemon:create
  daemon:update
  database:create
  database:update
  env:update
  error:create
  error:update
  job:update
  network-rule:create
  organization:create
  organization:update
  project:create
  project:update
  provider:create
  provider:update
  queue-worker:create
  queue-worker:update
  redirect:create
  redirect:update
  script:create
  script:update
  server:create
  server:update
  site:create
  site:update
  ssh-key:create
delete:
  backup:delete
  certificate:delete
  crontab:delete
  daemon:delete
  database:delete
  network-rule:delete
  project:delete
  provider:delete
  queue-worker:delete
  redirect:delete
  script:delete
  server:delete
  site:delete
  ssh-key:delete
deploy:
  site:deploy
  site:read
manage_servers:
  server:create
  server:delete
  server:read
  server:update
manage_projects:
  project:create
  project:delete
  project:read
  project:update
manage_apps:
  site:create
  site:delete
  site:deploy
  site:read
  site:rollback
  site:schedule
  site:suspend
  site:update
  site:zero-downtime
view_logs:
  log:read
manage_backups:
  backup:create
  backup:delete
  backup:read
  backup:restore
  backup:update
"""

OF_SCOPES = """
all:
  activity:create
  activity:read
  env:read
  env:reveal
  env:update
  error:create
  error:read
  script:read
  script:run
  site:deploy
  site:read
  site:rollback
  site:schedule
  site:suspend
  site:zero-downtime
basic_deployment:
  site:deploy
  site:read
advanced_deployment:
  site:deploy
  site:read
  site:rollback
  site:schedule
  site:suspend
  site:zero-downtime
activity_tracker:
  activity:create
activity_tracker_analytics:
  activity:read
error_tracker:
  error:create
  error:read
modify_env:
  env:read
  env:reveal
  env:update
run_scripts:
  script:read
  script:run
"""


def printed(words: Mapping[str, frozenset[str]]) -> str:
    lines = [line for word, opens in words.items() for line in (f"{word}:", *(f"  {name}" for name in sorted(opens)))]
    return "\n".join(["", *lines, ""])


@pytest.mark.parametrize(
    ("words", "expected"),
    [(RESOURCE_PERMISSIONS, OF_RESOURCES), (DUTY_PERMISSIONS, OF_DUTIES), (SCOPES, OF_SCOPES)],
    ids=["resources", "duties", "scopes"],
)
def test_each_word_opens_what_is_written_here(words: Mapping[str, frozenset[str]], expected: str) -> None:
    text = printed(words)
    print(text)
    assert text == expected


def test_the_prefix_tells_the_vocabulary() -> None:
    assert VOCABULARIES[LIVE_PREFIX].opens == VOCABULARIES[TEST_PREFIX].opens == RESOURCE_PERMISSIONS
    assert VOCABULARIES[DUTY_PREFIX].opens == DUTY_PERMISSIONS
    assert VOCABULARIES[ACCESS_PREFIX].opens == SCOPES


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_word_is_explained(prefix: str) -> None:
    vocabulary = VOCABULARIES[prefix]
    assert vocabulary.texts.keys() == vocabulary.opens.keys()


def test_a_word_opens_no_more_than_the_role_of_who_made_the_token() -> None:
    assert opened(LIVE_PREFIX, ("servers:*",), "viewer") == {"server:read"}
    assert opened(LIVE_PREFIX, ("teams:write",), "admin") == {"organization:create"}


def test_a_word_that_no_longer_exists_opens_nothing() -> None:
    assert opened(DUTY_PREFIX, ("manage_everything", "deploy"), "owner") == {"site:read", "site:deploy"}


@pytest.mark.parametrize("word", [*DUTY_PERMISSIONS, *SCOPES, *RESOURCE_PERMISSIONS])
def test_no_key_and_no_access_token_can_manage_tokens(word: str) -> None:
    opens = DUTY_PERMISSIONS.get(word) or SCOPES.get(word) or RESOURCE_PERMISSIONS[word]
    assert not {name for name in opens if name.startswith("token:")}
