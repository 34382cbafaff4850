"""worlds.py: random small policies, and packets that come near them. Everything follows from one seed."""
import datetime
import random

HEAD = "set system hostname prop-01 timezone {zone} language en\n" \
       "set system limit new-per-source 0 open-per-source 0 half-open 0\n"
KINDS = [("lgwan", "other", "other"), ("mynumber", "lgwan", "internet"), ("lgwan", "lgwan", "other")]
PORTS = [22, 80, 443, 1000, 1005, 1010, 3389]


def segment_lines(index, kind):
    n = index + 1
    return (f"set segment s{n} kind {kind} interface eth{index} address 10.{n}.0.1/24 address 2001:db8:{n}::1/64 "
            f"network 10.{n}.0.0/16 network 2001:db8:{n}::/48\n"
            f"set router r{n} segment s{n} address 10.{n}.0.254 address 2001:db8:{n}::fe mac 02:00:00:0{n}:00:fe\n"
            f"set route 10.{n}.8.0/24 via r{n}\nset route 2001:db8:{n}:8::/64 via r{n}\n")


def host_lines(index):
    """Five hosts a segment: bound, unbound, behind the router, a range on the link, a range behind the router."""
    n = index + 1
    return (f"set host a{n} segment s{n} address 10.{n}.0.10 address 2001:db8:{n}::10 mac 02:00:00:0{n}:00:10\n"
            f"set host b{n} segment s{n} address 10.{n}.0.11 address 2001:db8:{n}::11\n"
            f"set host c{n} segment s{n} address 10.{n}.8.5 address 2001:db8:{n}:8::5 behind r{n}\n"
            f"set host d{n} segment s{n} address 10.{n}.0.64/28 address 2001:db8:{n}::40/124\n"
            f"set host e{n} segment s{n} address 10.{n}.8.128/27 behind r{n}\n")


class World:
    """One policy text and a supply of packets for it."""

    def __init__(self, seed, now, zone):
        self.random, self.now, self.zone = random.Random(seed), now, zone
        self.kinds = self.random.choice(KINDS)
        self.strict = "mynumber" in self.kinds
        self.text = self._text()

    def _text(self):
        parts = [HEAD.format(zone=self.zone)]
        for index, kind in enumerate(self.kinds):
            parts += [segment_lines(index, kind), host_lines(index)]
        parts += [self._rule(k) for k in range(self.random.randint(3, 14))]
        return "".join(parts)

    def _end(self, index):
        names = "abc" if self.strict else "abcde"
        if not self.strict and self.random.random() < 0.1:
            return f"s{index + 1}"
        return self.random.choice(names) + str(index + 1)

    def _service(self):
        r = self.random.random()
        if r < 0.15:
            return "icmp/echo-request"
        proto = self.random.choice(["tcp", "tcp", "udp"])
        low = self.random.choice(PORTS)
        return f"{proto}/{low}" if r < 0.7 else f"{proto}/{low}-{low + self.random.randint(1, 15)}"

    def _pair(self):
        if self.strict:  # mynumber never meets internet, lgwan meets internet only by other means
            return self.random.choice([(0, 1), (1, 0)])
        a = self.random.randrange(3)
        return a, self.random.choice([i for i in range(3) if i != a])

    def _rule(self, k):
        a, b = self._pair()
        name = f"rule{k}"
        # Names and what they grant differ by rule; a refusal for contradiction is avoided by not mixing one-way.
        line = (f"set allow {name} from {self._end(a)} to {self._end(b)} service {self._service()} "
                f'purpose "property" applicant "test"')
        if self.random.random() < 0.3:
            line += f" service {self._service()}"
        if self.strict:
            line += (' approval ciso name "A" date 2026-01-01 number "1"'
                     f" starts 2020-01-01 expires {self.now.year + 1}-03-31")
        line += self._times()
        return line + "\n"

    def _times(self):
        """Hours and days that are surely open or surely closed now: never within two hours of a border."""
        r = self.random.random()
        clock = lambda hours: f"{(self.now.hour + hours) % 24:02d}:00"
        if r < 0.1:
            return f" hours {clock(-3)}-{clock(5)}"
        if r < 0.2:
            return f" hours {clock(4)}-{clock(8)}"
        if r < 0.25:
            return f" starts {(self.now + datetime.timedelta(days=9)).date()}" if not self.strict else ""
        if r < 0.3:
            names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            return f" days {names[(self.now.weekday() + 3) % 7]}"
        return ""

    # -- packets -------------------------------------------------------------------------------------------

    def _address(self, index, family):
        n, r = index + 1, self.random
        last = r.choice([10, 11, 11, 12, 64, 70, 79, 80])
        if r.random() < 0.3:
            last = r.choice([5, 128, 140, 160])
            return f"10.{n}.8.{last}" if family == 4 else f"2001:db8:{n}:8::{r.choice([5, 6]):x}"
        return f"10.{n}.0.{last}" if family == 4 else f"2001:db8:{n}::{ {10: 0x10, 11: 0x11}.get(last, last):x}"

    def packet(self, policy, town):
        """Half of the packets follow a rule; most of those differ from it in one thing, or in none."""
        packet = self._stray()
        if self.random.random() < 0.7:
            packet = self._near(policy, packet)
        index = int(policy.segment_of(packet["src"])[1:]) - 1
        packet["wire"] = f"eth{index}"
        if self.random.random() < 0.04:
            packet["wire"] = f"eth{(index + 1) % 3}"
        packet["smac"] = town.mac_of(packet["src"])
        if self.random.random() < 0.08:
            packet["smac"] = "02:66:66:66:66:66"
        return packet

    def _stray(self):
        r = self.random
        a = r.randrange(3)
        b = r.choice([i for i in range(3) if i != a])
        family = r.choice([4, 6])
        proto = r.choice(["tcp", "tcp", "udp", "icmp"])
        port = (8 if family == 4 else 128) << 8 if proto == "icmp" else r.choice(PORTS)
        return {"src": self._address(a, family), "dst": self._address(b, family), "proto": proto, "port": port,
                "sport": r.randint(20000, 60000)}

    def _near(self, policy, stray):
        r = self.random
        rule = r.choice(list(policy.allow.values()))
        src, dst = policy.host_addresses(rule["from"]), policy.host_addresses(rule["to"])
        both = {n.version for n in src} & {n.version for n in dst}
        proto, low, high, family = r.choice([p for use in rule["service"] for p in policy.ports(use)])
        both &= {family} if family else {4, 6}
        if not both:
            return stray
        version = r.choice(sorted(both))
        inside = lambda nets: str(self._inside(r.choice([n for n in nets if n.version == version])))
        near = {"src": inside(src), "dst": inside(dst), "proto": "icmp" if proto.startswith("icmp") else proto,
                "port": r.choice([low, high, r.randint(low, high)]), "sport": stray["sport"]}
        if near["proto"] == "icmp":
            near["port"] = (8 if version == 4 else 128) << 8
        change = r.random()
        if change < 0.12 and near["proto"] != "icmp":
            near["port"] = r.choice([low - 1, high + 1])
        elif change < 0.2 and near["proto"] != "icmp":
            near["proto"] = "udp" if near["proto"] == "tcp" else "tcp"
        elif change < 0.28:
            near["src"], near["dst"] = near["dst"], near["src"]
        elif change < 0.36:
            near["dst"] = self._address(int(policy.segment_of(near["dst"])[1:]) - 1, version)
        return near

    def _inside(self, net):
        """An address of a range; of a whole segment one that is neither the gateway's nor a network's edge."""
        if net.num_addresses > 256:
            return net.network_address + self.random.choice([10, 11, 12, 70])
        return net.network_address + self.random.randrange(net.num_addresses)
