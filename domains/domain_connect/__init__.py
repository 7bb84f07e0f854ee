"""Domain Connect: the owner of a domain is sent to the DNS provider, who asks for consent and writes the records.

Nothing that opens the zone is stored here. Only the synchronous flow is used.
https://github.com/Domain-Connect/spec
"""
