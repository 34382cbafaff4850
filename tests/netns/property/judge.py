"""judge.py: what should become of a packet, worked out from the policy's text alone.

A tiny evaluator that shares nothing with the product: it walks all rules for each packet, as a person with the paper
in hand would. It knows the first packet of a flow only.
"""
import datetime
import ipaddress

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ICMP = {4: "icmp", 6: "icmpv6"}


def minutes(text):
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def day_set(text):
    got = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        at = DAYS.index(first)
        while True:
            got.add(at % 7)
            if DAYS[at % 7] == (last or first):
                break
            at += 1
    return got


def in_force(rule, now):
    """Is the rule in force at the local time `now`? A window over midnight belongs to the day on which it began."""
    start, end = (minutes(t) for t in rule.get("hours", "00:00-00:00").split("-"))
    minute, day = now.hour * 60 + now.minute, now.date()
    if start < end:
        open_now = start <= minute < end
    else:
        open_now = start == end or minute >= start or minute < end
        if start != end and minute < end:
            day -= datetime.timedelta(days=1)
    if "starts" in rule and day < datetime.date.fromisoformat(rule["starts"]):
        return False
    if "expires" in rule and now.date() > datetime.date.fromisoformat(rule["expires"]):
        return False
    return open_now and day.weekday() in day_set(rule.get("days", "mon-sun"))


def grants(policy, rule, packet, now):
    if rule.get("application") or not in_force(rule, now):
        return False
    src, dst = ipaddress.ip_address(packet["src"]), ipaddress.ip_address(packet["dst"])
    if not any(src in n for n in policy.host_addresses(rule["from"], src.version)):
        return False
    if not any(dst in n for n in policy.host_addresses(rule["to"], dst.version)):
        return False
    wanted = ICMP[src.version] if packet["proto"] == "icmp" else packet["proto"]
    return any(proto == wanted and lo <= packet["port"] <= hi and family in (None, src.version)
               for use in rule["service"] for proto, lo, hi, family in policy.ports(use))


def bound_mac(policy, address):
    """The MAC that the policy binds to a source on the wire: the host's own, or its router's."""
    address = ipaddress.ip_address(address)
    router = policy.next_hop(address)[1]
    if router is not None:
        return policy.router[router].get("mac")
    for host in policy.host:
        if any(address in n and n.num_addresses == 1 for n in policy.host_addresses(host)):
            return policy.host[host].get("mac")
    return None


def judge(policy, packet, now):
    """"allow" or the word of the reason. packet: src, dst, proto, port, wire, smac."""
    source = policy.next_hop(packet["src"])[0]
    if source != packet["wire"]:
        return "spoof"
    mac = bound_mac(policy, packet["src"])
    if mac is not None and mac != packet["smac"]:
        return "mac"
    if policy.next_hop(packet["dst"])[0] is None:
        return "no-route"
    a, b = policy.segment_of(packet["src"]), policy.segment_of(packet["dst"])
    if any(grants(policy, rule, packet, now) for rule in policy.allow.values()):
        return "allow"
    kinds = {policy.segment[a]["kind"], policy.segment[b]["kind"]}
    return "forbidden-pair" if kinds == {"mynumber", "internet"} else "no-rule"
