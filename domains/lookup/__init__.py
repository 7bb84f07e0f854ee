"""What name servers say: who serves a name, what each of them answers, and whether all show a value yet."""

from domains.lookup.aliases import follow_cname
from domains.lookup.asking import Answer, answers, public_answers
from domains.lookup.authority import Authority, NameServer, authority_of
from domains.lookup.caa import Caa, caa_of
from domains.lookup.waiting import NotSeen, Stopped, wait_until_seen
from domains.lookup.wire import LookupFailed, NoSuchDomain

__all__ = [
    "Answer",
    "Authority",
    "Caa",
    "LookupFailed",
    "NameServer",
    "NoSuchDomain",
    "NotSeen",
    "Stopped",
    "answers",
    "authority_of",
    "caa_of",
    "follow_cname",
    "public_answers",
    "wait_until_seen",
]
