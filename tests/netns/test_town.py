"""test_town.py: the example town behaves as its table says: the same packets that tools/quickstart shows."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import cases  # noqa: E402
import ns  # noqa: E402
import quickstart  # noqa: E402
import stage  # noqa: E402
from town import GATEWAY  # noqa: E402


def real_vlans(st):
    """A VLAN of the policy is one for the kernel too."""
    for name, (parent, vlan) in st.town.policy.links().items():
        if not parent:
            continue
        if name in st.town.plain_vlans:
            st.tap.skip(f"{name} is VLAN {vlan} of {parent}", "this kernel has no 8021q: a plain port stands for it")
            continue
        shown = st.town.space.ip(GATEWAY, "-d", "-o", "link", "show", "dev", name).stdout
        st.tap.check(f"{name} is VLAN {vlan} of {parent}", f"{name}@{parent}" in shown and f"802.1Q id {vlan} " in shown, shown)


def kernel_settings(st):
    """They are the gate's own, also where the kernel got its connection tracking only after the gate was started."""
    wanted = {"net/netfilter/nf_conntrack_tcp_loose": "0", "net/netfilter/nf_conntrack_tcp_be_liberal": "0",
              "net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1"}
    with ns.Inside(st.town.space.full(GATEWAY)):
        for name, value in wanted.items():
            with open("/proc/sys/" + name, encoding="ascii") as f:
                got = f.read().strip()
            st.tap.check(f"{name} is {value}", got == value, got)


def proved(st):
    """Asked again, the gate proves what this kernel holds; without a policy there is nothing to prove."""
    got = st.gate.ask("prove", "--json", check=False)
    said = json.loads(got.stdout) if got.stdout.strip() else {}
    st.tap.check("sekisho prove finds nothing", got.returncode == 0 and said.get("ok") and said.get("findings") == [] and
                 said.get("generation") == st.gate.status()["generation"], f"exit {got.returncode}: {got.stdout}{got.stderr}")


def main():
    options = stage.arguments(__doc__)
    table = cases.load(os.path.join(stage.ROOT, "tests/netns/town.toml"))
    with stage.Stage(options.build, quickstart.policy_text(), hosts=True, commit=False) as st:
        stage.raise_ports(st.town)
        runner = cases.Runner(st.town, st.gate)
        results = runner.run([c for c in table if c.get("phase") == "closed"])
        st.gate.commit_text(st.text)
        st.settle()
        runner.gateway_macs = {w: st.town.gateway_mac(w) for w in st.town.wires()}
        results += runner.run([c for c in table if c.get("phase") != "closed"])
        for result in results:
            st.tap.check(result.name, result.ok, f"expected {result.case['expect']}: {result.why}")
        real_vlans(st)
        kernel_settings(st)
        proved(st)
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
