"""test_swap.py: while policies are committed under load, no approved packet is lost and no refused one passes.

Both families; each commit changes the rules of the very pair that carries the load.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import dates  # noqa: E402
import ns  # noqa: E402
import stage  # noqa: E402
from town import WIRES  # noqa: E402

COMMITS, RATE = 12, 15000
SHORT_COMMITS, SHORT_RATE = 4, 300
APPROVED, REFUSED = 5000, 6001


def counters(st):
    """Counts what leaves the gateway towards sv, by port, and reads the counts."""
    ns.run("ip", "netns", "exec", st.town.space.full(WIRES), "nft", "-f", "-", stdin=f"""
table netdev swap {{
	counter approved {{ }}
	counter refused {{ }}
	chain in {{
		type filter hook ingress device "w-eth1" priority 0;
		udp dport {APPROVED} counter name approved drop
		udp dport {REFUSED} counter name refused drop
	}}
}}""")

    def read():
        text = ns.run("ip", "netns", "exec", st.town.space.full(WIRES), "nft", "-j", "list", "counters").stdout
        return {c["counter"]["name"]: c["counter"]["packets"] for c in json.loads(text)["nftables"] if "counter" in c}
    return read


def sender(st, family, port, rate, stop):
    src, dst = ("10.2.20.10", "10.2.0.8") if family == 4 else ("2001:db8:2:20::10", "2001:db8:2::8")
    words = ["--dev", "w-eth2", "--smac", "02:00:00:02:20:10", "--dmac", st.town.gateway_mac("eth2"), "--src", src, "--dst",
             dst, "--dport", str(port), "--sport", "2000-2063", "--rate", str(rate), "--seconds", "120", "--until", stop]
    return st.town.space.popen(WIRES, [os.path.join(st.build, "tests/netns/load"), "raw", *words],
                               stdout=subprocess.PIPE, text=True)


def main():
    options = stage.arguments(__doc__)
    text = dates.shift(stage.read("tests/netns/reasons/reasons.policy"))
    with stage.Stage(options.build, text) as st:
        read = counters(st)
        stop = os.path.join(st.gate.work, "stop")
        commits, rate = (SHORT_COMMITS, SHORT_RATE) if options.short else (COMMITS, RATE)
        flows = {(f, p): sender(st, f, p, rate, stop) for f in (4, 6) for p in (APPROVED, REFUSED)}
        time.sleep(0.5)
        for i in range(commits):
            st.gate.commit_text(st.text + f"set allow extra from pc to sv service udp/{7000 + i}-{7100 + i}\n"
                                          f"set allow one from pc to sv service udp/{8000 + i}\n")
        with open(stop, "w", encoding="ascii"):
            pass
        sent = {key: json.loads(p.communicate()[0])["packets"] for key, p in flows.items()}
        time.sleep(0.3)
        got = read()
        approved = sum(n for (_, port), n in sent.items() if port == APPROVED)
        refused = sum(n for (_, port), n in sent.items() if port == REFUSED)
        st.tap.check(f"{commits} commits under load: no approved packet lost", approved > 0 and got["approved"] == approved,
                     f"{approved - got['approved']} of {approved} lost")
        st.tap.check(f"{commits} commits under load: no refused packet passed", refused > 0 and got["refused"] == 0,
                     f"{got['refused']} of {refused} passed")
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
