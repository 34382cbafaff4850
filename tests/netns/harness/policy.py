"""policy.py: reads lines of `set` for the tests, apart from the product's own reader and sharing nothing with it.

Only policies that `sekisho check` accepts are read, so there is no error handling beyond an exception with the line.
Words that the tests have no use for (labels, approvals, mail limits) are skipped.
"""
import ipaddress
import re

# Objects, and how many words follow each of their leaves. "flag": none, or one that is true/false.
LEAVES = {
    "segment": {"kind": 1, "label": 1, "interface": 1, "address": 1, "network": 1, "answer-ping": "flag", "mss": 1},
    "interface": {"parent": 1, "vlan": 1, "address": 1},
    "router": {"segment": 1, "address": 1, "mac": 1},
    "route": {"via": 1},
    "host": {"segment": 1, "address": 1, "mac": 1, "behind": 1, "label": 1, "section": 1, "location": 1,
             "external": 1},
    "host-group": {"member": 1},
    "service": None,
    "allow": {"from": 1, "to": 1, "service": 1, "application": 1, "application-option": 1, "server-name": 1, "alpn": 1,
              "domain-name": 1, "question-rate": 1, "screen-product": 1, "purpose": 1, "applicant": 1, "asset-class": 1, "starts": 1, "expires": 1, "days": 1, "hours": 1, "closed-dates": 1, "window": 1,
              "at-end": 1, "one-way": "flag", "fragments": "flag", "sanitised-by": 1, "sanitising-product": 1, "sanitising-statement": 1,
              "permitted-as": 1, "external-isolated": "flag", "reason": 1, "approved-by": 1, "report-due": 1,
              "exception": 0, "approval": 1, "name": 1, "date": 1, "number": 1},
}
MANY = {"interface", "address", "network", "member", "service", "server-name", "alpn", "domain-name", "application-option",
        "closed-dates"}
ICMP_TYPES = {"echo-request": (8, 128), "echo-reply": (0, 129)}


def words(line):
    """Words of one line; "double quotes" hold blanks, # begins a comment."""
    got = []
    for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line):
        if plain.startswith("#"):
            break
        got.append(plain or quoted)
    return got


class Policy:
    """Dictionaries by name in the order of the file; each value is a dictionary of leaves."""

    def __init__(self, text):
        self.interface, self.segment, self.router, self.route = {}, {}, {}, {}
        self.host, self.allow, self.service = {}, {}, {}
        self.host_group, self.system = {}, []
        for number, line in enumerate(text.splitlines(), 1):
            got = words(line)
            if not got:
                continue
            try:
                self._line(got)
            except (KeyError, IndexError) as error:
                raise ValueError(f"line {number}: {line}: {error!r}") from error

    def _line(self, got):
        kind = got[1]
        if kind in ("system", "mail"):
            self.system.append(got[1:])
            return
        table = getattr(self, kind.replace("-", "_"))
        name, rest = got[2], got[3:]
        item = table.setdefault(name, {})
        if LEAVES[kind] is None:
            item.setdefault("port", []).extend(w for w in rest if "/" in w)
            return
        while rest:
            leaf = rest.pop(0)
            arity = LEAVES[kind][leaf]
            if arity == "flag":
                value = rest.pop(0) != "false" if rest and rest[0] in ("true", "false") else True
            elif arity == 0:
                value = True
            else:
                value = rest.pop(0)
            if leaf in MANY:
                item.setdefault(leaf, []).append(value)
            else:
                item[leaf] = value

    # -- what the tests ask --------------------------------------------------------------------------------

    def host_addresses(self, name, family=None):
        """Networks of a host, host-group or segment, in the order of the file."""
        if name in self.host_group:
            return [a for m in self.host_group[name].get("member", []) for a in self.host_addresses(m, family)]
        if name in self.host:
            texts = self.host[name].get("address", [])
        else:
            texts = [n for n in self.segment[name].get("network", []) if n != "other"]
        nets = [ipaddress.ip_network(t, strict=False) for t in texts]
        return [n for n in nets if family in (None, n.version)]

    def host_of(self, address):
        """Name of the host with this address; a single address wins over a range. None when there is none."""
        address, found = ipaddress.ip_address(address), None
        for name in self.host:
            for net in self.host_addresses(name, address.version):
                if address in net:
                    if net.num_addresses == 1:
                        return name
                    found = found or name
        return found

    def machine(self, name, net):
        """The address at which one machine stands for a host: its own, or of a range the first from the tenth on
        that no other host has."""
        if net.num_addresses == 1:
            return net.network_address
        at = net.network_address + 10
        while self.host_of(at) != name:
            at += 1
        return at

    def ports(self, use):
        """[(proto, lo, hi, family or None)] of a service word or a named service; ICMP ports are type << 8 | code."""
        if use in self.service:
            return [p for word in self.service[use]["port"] for p in self.ports(word)]
        proto, _, what = use.partition("/")
        if proto in ("icmp", "icmpv6"):
            if what in ICMP_TYPES:
                four, six = ICMP_TYPES[what]
                both = [("icmp", four << 8, four << 8 | 255, 4), ("icmpv6", six << 8, six << 8 | 255, 6)]
                return both if proto == "icmp" else both[1:]
            kind, _, code = what.partition("/")
            lo = int(kind) << 8 | int(code or 0)
            return [(proto, lo, lo if code else lo | 255, 4 if proto == "icmp" else 6)]
        lo, _, hi = what.partition("-")
        return [(proto, int(lo), int(hi or lo), None)]

    def segment_of(self, address):
        """Name of the segment whose networks hold the address, by longest match; `other` takes the rest."""
        address = ipaddress.ip_address(address)
        best, length, other = None, -1, None
        for name, leaves in self.segment.items():
            for text in leaves.get("network", []):
                if text == "other":
                    other = name
                    continue
                net = ipaddress.ip_network(text, strict=False)
                if net.version == address.version and address in net and net.prefixlen > length:
                    best, length = name, net.prefixlen
        return best or other

    def connected(self):
        """[(interface, gateway's address object)]: the gateway's own addresses."""
        got = []
        for leaves in self.segment.values():
            first = leaves.get("interface", [None])[0]
            got += [(first, ipaddress.ip_interface(a)) for a in leaves.get("address", [])]
        for name, leaves in self.interface.items():
            got += [(name, ipaddress.ip_interface(a)) for a in leaves.get("address", [])]
        return got

    def next_hop(self, address):
        """(interface, router name or None) that leads to an address; (None, None) when no route does."""
        address = ipaddress.ip_address(address)
        best, length = (None, None), -1
        for interface, own in self.connected():
            if own.version == address.version and address in own.network and own.network.prefixlen > length:
                best, length = (interface, None), own.network.prefixlen
        for prefix, leaves in self.route.items():
            net = ipaddress.ip_network(prefix, strict=False)
            if net.version == address.version and address in net and net.prefixlen > length:
                router = leaves["via"]
                hops = [a for a in self.router[router]["address"]
                        if ipaddress.ip_interface(a).version == address.version]
                if hops:
                    best, length = (self.next_hop(ipaddress.ip_interface(hops[0]).ip)[0], router), net.prefixlen
        return best

    def links(self):
        """Names of the gateway's interfaces that carry traffic, in the order of the file, with (parent, vlan)."""
        names = []
        for leaves in self.segment.values():
            names += [i for i in leaves.get("interface", []) if i not in names]
        return {n: (self.interface.get(n, {}).get("parent"), int(self.interface.get(n, {}).get("vlan", 0)))
                for n in names}
