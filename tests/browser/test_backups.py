"""Backups, by clicking: made by a schedule, proven, restored beside and in the place of what is there, removed."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser import work
from tests.browser.conftest import Open
from tests.browser.people import Person
from tests.browser.survey import LOOKS, problems_of
from tests.browser.window import Window
from tests.browser.work import AgeKey, DeployedSite, ReadyServer
from tests.lab.seaweedfs import SeaweedFs

ROWS = "SELECT COUNT(*) FROM orders"


def sql(server: ReadyServer, database: str, text: str) -> str:
    """What the server's database answers."""
    return server.host.run("mariadb", "--batch", "--skip-column-names", database, stdin=text).stdout.strip()


@pytest.fixture
def schedule(window: Window, server: ReadyServer, store: SeaweedFs) -> str:
    work.connect_store(window, store, "Backups of the shop")
    return work.add_schedule(window, work.add_database(window, server.path, "shop"))


def test_a_backup_is_made_proven_and_restored(window: Window, server: ReadyServer, schedule: str) -> None:
    sql(server, "shop", "CREATE TABLE IF NOT EXISTS orders (id INT PRIMARY KEY); REPLACE INTO orders VALUES (1), (2);")
    window.open(schedule)
    window.click("Back up now")
    window.sees("Make the backup and send it to the store")
    window.shot("backups/under-way")
    work.becomes(window, "Completed")
    expect(window.page.get_by_role("region", name="Where it is stored")).to_contain_text("SHA-256")
    backup = window.path

    work.prove(window, backup)
    expect(window.page.get_by_role("region", name="Findings")).to_contain_text("It gave a row.")
    window.open(backup)
    window.sees("Proven")

    sql(server, "shop", "DELETE FROM orders")
    window.click("Restore", "link")
    window.page.get_by_label("A database of another name").check()
    window.fill(name="shop_beside")
    window.click("Go on")
    window.sees("Nothing is replaced.")
    window.click("Restore")
    work.becomes(window, "Succeeded")
    assert (sql(server, "shop_beside", ROWS), sql(server, "shop", ROWS)) == ("2", "0")

    window.open(f"{backup}/restore")
    window.click("Go on")
    window.sees("What is there now is replaced")
    button = window.page.get_by_role("button", name="Restore", exact=True)
    expect(button).to_be_disabled()
    window.fill(confirm="shop")
    button.click()
    work.becomes(window, "Succeeded")
    assert sql(server, "shop", ROWS) == "2"

    window.open(backup)
    window.fill(confirm="shop")
    window.click("Remove")
    expect(window.page.get_by_role("region", name="State")).to_contain_text("Removed", timeout=work.JOB_SECONDS * 1000)


def test_the_files_of_a_site_come_back_with_the_private_key_only(
    window: Window, site: DeployedSite, store: SeaweedFs
) -> None:
    work.connect_store(window, store, "Backups of the shop")
    work.share_folders(window, site.path, "storage")
    [folder] = site.host.run("find", "/", "-xdev", "-path", "*/shared/folders/storage").stdout.split()
    site.host.run("sh", "-c", 'echo "a photo" >"$1/photo"', "sh", folder)
    right, wrong = work.age_key(site.host), work.age_key(site.host)

    window.open(site.path)
    window.click("make one", "link")
    window.page.locator("main [name=encryption]").select_option("age")
    window.fill(recipient=right.public)
    window.click("Make a backup")
    work.becomes(window, "Completed")
    backup = window.path
    site.host.run("rm", f"{folder}/photo")

    restore_site(window, backup, wrong)
    work.becomes(window, "Failed")
    window.sees("at the stage decrypt")
    window.sees("What was there before is as it was.")
    window.shot("backups/wrong-key")
    restore_site(window, backup, right)
    work.becomes(window, "Succeeded")
    assert site.host.run("cat", f"{folder}/photo").stdout == "a photo\n"


def restore_site(window: Window, backup: str, key: AgeKey) -> None:
    window.open(f"{backup}/restore")
    window.click("Go on")
    window.fill(identity=key.private, confirm=work.DOMAIN)
    window.click("Restore")


def test_the_wizard_looks_well(open_window: Open, window: Window, owner: Person, schedule: str) -> None:
    backup = work.back_up(window, schedule)
    pages = {
        "backups/restore-own": f"{backup}/restore?where=own",
        "backups/restore-beside": f"{backup}/restore?where=beside&name=other",
        "backups/restore-wrong": f"{backup}/restore?where=beside",
    }
    for look, options in LOOKS.items():
        assert problems_of(open_window(owner, **options), look, pages) == []


def test_the_next_times_follow_what_is_typed(window: Window, schedule: str) -> None:
    window.open(f"{schedule}/edit")
    times = window.page.get_by_role("region", name="The next times")
    expect(times.get_by_role("listitem")).to_have_count(5)
    cron = window.page.locator("main [name=cron]")
    expect(cron).to_be_hidden()
    window.page.locator("main [name=preset]").select_option("other")
    cron.fill("15 6 * * *")
    expect(times.get_by_role("listitem").first).to_contain_text(", 06:15")
    cron.fill("nonsense")
    expect(times).to_contain_text("has five fields")
    window.shot("backups/cron-with-error")


def test_what_is_typed_while_an_answer_is_awaited_is_not_lost(window: Window, schedule: str) -> None:
    window.open(f"{schedule}/edit")
    window.page.locator("main [name=preset]").select_option("other")
    cron = window.page.locator("main [name=cron]")
    unanswered: list[Route] = []

    def hold(route: Route) -> None:
        unanswered.append(route)

    window.page.route("**/schedules/times?*cron=15*", hold)
    with window.page.expect_request("**/schedules/times?*cron=15*"):
        cron.fill("15 6 * * *")
    cron.fill("nonsense")
    unanswered.pop().continue_()
    expect(window.page.get_by_role("region", name="The next times")).to_contain_text("has five fields")


def test_a_download_is_shown_once(window: Window, schedule: str) -> None:
    backup = work.back_up(window, schedule)
    window.open(f"{backup}/download")
    window.click("Get the address")
    address = window.page.get_by_role("link", name=re.compile("Download")).get_attribute("href") or ""
    assert "X-Amz-Signature" in address
    window.open(f"{backup}/download")
    assert "X-Amz-Signature" not in window.page.content()


def test_without_script(open_window: Open, owner: Person, window: Window, schedule: str) -> None:
    backup = work.back_up(window, schedule)
    plain = open_window(owner, java_script_enabled=False)
    plain.open(f"{schedule}/edit")
    plain.page.locator("main [name=preset]").select_option("other")
    plain.fill(cron="45 4 * * *")
    plain.click("Save")
    plain.sees("The schedule is saved")
    plain.sees(", 04:45")
    plain.open(f"{backup}/restore")
    plain.click("Go on")
    with plain.expecting(422):
        plain.fill(confirm="another")
        plain.click("Restore")
        plain.sees("Type shop to confirm that it is replaced.")
