"""Applies a template as a DNS provider does: reads the request from standard input, and writes what becomes of it."""

import json
import sys
import tempfile
from urllib.parse import parse_qsl

import dns.resolver
from domainconnectzone import DomainConnect, DomainConnectTemplates, InvalidSignature, qsfilter

given = json.load(sys.stdin)
template, query = given["template"], given["query"]
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = [given["resolver"]]
dns.resolver.default_resolver = resolver

with tempfile.TemporaryDirectory() as nothing:
    DomainConnectTemplates(nothing).validate_template(template)
values = dict(parse_qsl(query, keep_blank_values=True))
own = {"domain", "host", "groupId", "redirect_uri", "state", "sig", "key"}
variables = {name: value for name, value in values.items() if name not in own}
try:
    new, deleted, _ = DomainConnect(template=template).apply_template(
        given["records"],
        values["domain"],
        values["host"],
        variables,
        group_ids=values["groupId"].split(","),
        qs=qsfilter(query, ["sig", "key"]),
        sig=values["sig"],
        key=values["key"],
    )
except InvalidSignature as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({"new": new, "deleted": deleted}))
