"""test_town.py: the example town behaves as its table says: the same packets that tools/quickstart shows."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

import cases  # noqa: E402
import quickstart  # noqa: E402
import stage  # noqa: E402


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
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
