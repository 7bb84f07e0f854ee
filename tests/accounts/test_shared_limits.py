from pathlib import Path

import pytest

from tests.deploynix.test_settings import setting


@pytest.mark.parametrize(
    ("url", "backend"),
    [
        ("redis://127.0.0.1:6379/0", "RedisCache redis://127.0.0.1:6379/0"),
        ("unix:///run/deploynix/redis.sock", "RedisCache unix:///run/deploynix/redis.sock"),
        ("memory://", "LocMemCache"),
    ],
)
def test_web_processes_count_together_where_there_is_a_redis(tmp_path: Path, url: str, backend: str) -> None:
    cache = "settings.CACHES['default']"
    said = setting(tmp_path, f"{cache}['BACKEND'].rpartition('.')[2], {cache}['LOCATION']", REDIS_URL=url)

    assert said.replace("'", "").strip("()").replace(",", "").strip() == backend
