"""Who hosts a domain's DNS, known by its name servers, and how people enter a record there."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """`provider` is the key of the DNS provider that a credential is connected for; empty where there is none.

    `where` is the way to the records in its control panel; `name_field` and `value_field` are what it calls these two.
    `apex` is what is entered as the name of the domain itself, `is_absolute` that names are entered whole.
    """

    label: str
    suffixes: tuple[str, ...]
    provider: str = ""
    where: str = ""
    name_field: str = "Name"
    value_field: str = "Value"
    apex: str = "@"
    is_absolute: bool = False

    def entered(self, label: str, full_name: str) -> str:
        """A record's name as it is typed there; `label` is relative to the zone, and empty for its apex."""
        return full_name if self.is_absolute else label or self.apex


ANY = Host("your DNS provider", ())
HOSTS = (
    Host("Cloudflare", ("ns.cloudflare.com",), "cloudflare", "DNS → Records → Add record", "Name", "Content"),
    Host("DigitalOcean", ("digitalocean.com",), "digitalocean", "Networking → Domains", "Hostname", "Value"),
    Host("Gandi", ("gandi.net",), "gandi", "Domain → DNS Records → Add record", "Name", "Value"),
    Host("deSEC", ("desec.io", "desec.org"), "desec", "Domain Management → the domain", "Subname", "Content", ""),
    Host(
        "Hetzner",
        ("ns.hetzner.com", "ns.hetzner.de", "second-ns.com", "second-ns.de", "first-ns.de"),
        "hetzner",
        "Console → DNS → the zone",
        "Name",
        "Value",
    ),
    Host("Vercel", ("vercel-dns.com",), "vercel", "Domains → the domain → DNS Records", "Name", "Value", ""),
    Host("DNSimple", ("dnsimple.com", "dnsimple-edge.net"), "dnsimple", "DNS → Record Editor", "Name", "Content", ""),
    Host("Porkbun", ("porkbun.com",), "porkbun", "Domain Management → DNS", "Host", "Answer", ""),
    Host("Linode", ("linode.com",), "linode", "Domains → the domain", "Hostname", "Value", ""),
    Host("Vultr", ("vultr.com",), "vultr", "Network → DNS → the domain", "Name", "Data", ""),
    Host("Name.com", ("name.com",), "namecom", "My Domains → Manage DNS Records", "Host", "Answer"),
    Host("Netlify", ("nsone.net",), "netlify", "Domains → the domain → DNS records", "Name", "Value"),
    Host("GoDaddy", ("domaincontrol.com",), "godaddy", "Domain Portfolio → DNS → Add New Record", "Name", "Value"),
    Host("AWS Route 53", (".awsdns-",), "route53", "Hosted zones → Create record", "Record name", "Value", ""),
    Host("Google Cloud DNS", ("googledomains.com",), "gcpdns", "Cloud DNS → the zone", "DNS name", "Data", ""),
    Host(
        "Azure DNS",
        ("azure-dns.com", "azure-dns.net", "azure-dns.org", "azure-dns.info"),
        "azuredns",
        "DNS zones → Record sets",
        "Name",
        "Value",
    ),
    Host("Namecheap", ("registrar-servers.com",), "namecheap", "Domain List → Manage → Advanced DNS", "Host", "Value"),
    Host(
        "Squarespace",
        ("squarespacedns.com", "squarespace-dns.com"),
        "",
        "Domains → the domain → DNS → DNS settings → Custom records",
        "Host",
        "Data",
    ),
    Host("IONOS", ("ui-dns.com", "ui-dns.de", "ui-dns.org", "ui-dns.biz"), "", "Domains → DNS", "Hostname", "Value"),
    Host("Wix", ("wixdns.net",), "", "Domains → Manage DNS Records", "Host name", "Value", "", is_absolute=True),
    Host("OVHcloud", ("ovh.net", "anycast.me"), "", "Domain names → DNS zone", "Sub-domain", "Target", ""),
    Host("Strato", ("strato.de", "rzone.de", "stratoserver.net"), "", "Domains → DNS", "Prefix", "Value"),
)


def host_of(servers: Iterable[str]) -> Host:
    """By the names of the zone's name servers; `ANY` for one that is not known."""
    names = [server.rstrip(".").lower() for server in servers]
    return next((host for host in HOSTS if any(_serves(host, name) for name in names)), ANY)


def host_named(label: str) -> Host:
    return next((host for host in HOSTS if host.label == label), ANY)


def _serves(host: Host, server: str) -> bool:
    """The servers of Amazon differ at the end as well: ns-1.awsdns-01.co.uk."""
    return any(
        suffix in server if suffix.startswith(".") else f".{server}".endswith(f".{suffix}") for suffix in host.suffixes
    )
