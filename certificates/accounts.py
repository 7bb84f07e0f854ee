"""Opening an account at a CA: it is registered when it is first needed."""

from certificates import limits
from certificates.acme.client import Acme
from certificates.acme.errors import AcmeError
from certificates.acme.keys import account_key, new_key
from certificates.models import Account
from jobs.run import Run
from organizations.models import Organization


def account_at(organization: Organization, directory_url: str, **contact: str) -> Account:
    """The organization's account there, of which nobody has told the CA yet where it is new. `contact`: email, eab_kid
    and eab_key count until the CA knows it."""
    account, is_new = Account.objects.get_or_create(
        organization=organization, directory_url=directory_url, defaults={"private_key": new_key(), **contact}
    )
    given = {name: value for name, value in contact.items() if value}
    if given and not is_new and not account.url:
        Account.objects.filter(pk=account.pk).update(**given)
    return account


def open_account(run: Run, account: Account) -> Acme:
    """Raises AcmeError, Unreachable, Refused, and Postponed where the CA's limit of new accounts is near."""
    acme = Acme(account.directory_url, account_key(account.private_key), account.url)
    if not account.url:
        limits.wait_for_account(account)
        account.url = acme.register(account.email, account.eab_kid, account.eab_key)
        with run.write():
            Account.objects.filter(pk=account.pk).update(url=account.url, terms_url=acme.terms_url[:500])
        run.line(f"Registered an account at {acme.host}.")
    return acme


def forget_if_unknown(account: Account, error: AcmeError) -> None:
    """An account that the CA has forgotten is registered anew the next time."""
    if error.problem == "accountDoesNotExist":
        Account.objects.filter(pk=account.pk).update(url="")
