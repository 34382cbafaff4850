"""test_peers.py: real servers and clients through the gate, each under a rule for its application and under a rule for another.

Under its own rule every conversation works, and nothing of it is refused. Under another application's rule, on the same port,
none works; the record says what was seen, and the connection's server never gets a byte that contradicts the rule.
"""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]

import peers  # noqa: E402
import stage  # noqa: E402

CLIENT, SERVER = "10.2.0.5", "10.9.0.8"
TOWN = f"""
set system hostname gate-01 timezone Asia/Tokyo language ja
set segment office kind lgwan label "庁内" interface eth0 address 10.2.0.1/24 network 10.2.0.0/24
set segment servers kind other label "サーバ室" interface eth1 address 10.9.0.1/24 network 10.9.0.0/24
set host client segment office address {CLIENT}
set host server segment servers address {SERVER}
"""
RULE = """set allow {name} from client to server{services} application {application}{options}
set allow {name} purpose "試験" applicant "情報政策課" approval ciso name "副町長" date 2026-04-01
set allow {name} starts 2026-04-01 expires 2027-03-31
"""
OPTIONS = {"tls": f" server-name {peers.NAME}"}
# Another application that may stand on the same transports.
OTHER = {"tls": "ssh", "dns": "kerberos", "kerberos": "dns", "syslog": "dns", "ldap": "dns", "ntp": "snmp", "snmp": "ntp"}


def services(recipe):
    row = peers.RECIPES[recipe]
    return sorted({(row["proto"], row["port"]), *row["session_ports"].values()})


def rule(recipe, application, options=""):
    text = "".join(f" service {proto}/{port}" for proto, port in services(recipe))
    return RULE.format(name=recipe.replace("_", "-"), services=text, application=application, options=options)


def policy(chosen, wrong):
    text = TOWN
    for recipe in chosen:
        own = peers.RECIPES[recipe]["application"]
        application = OTHER.get(own, "tls") if wrong else own
        extra = "" if wrong else OPTIONS.get(own, "")
        if own == "ftp" and not wrong:
            extra += " application-option active-data"
        text += rule(recipe, application, extra)
    return text


def mismatches(st):
    return [r for r in st.gate.drops() if r["reason"] in ("app-mismatch", "unfitting")]


def hold(st, recipe, wrong):
    """Holds a recipe's conversations; a check for each."""
    work = tempfile.mkdtemp(prefix="sekisho-peers-")
    place = peers.Place(work, st.town.space.full("server"), st.town.space.full("client"), SERVER, CLIENT)
    place.expect_refused = wrong
    name = f"{recipe} under {'another rule' if wrong else 'its own rule'}"

    def refusals():
        """Packets that were refused with a why; later packets of a refused flow have none."""
        return sum(r["count"] for r in mismatches(st) if r["why"] and ports & {r["dport"], r["sport"]})

    @contextlib.contextmanager
    def session(what):
        before = refusals()
        try:
            yield
        except (peers.Failed, subprocess.TimeoutExpired) as error:
            rows = [(r["reason"], r.get("why"), r.get("seen"), r["protocol"], r["dport"]) for r in mismatches(st)][-4:]
            st.tap.check(f"{name}: {what}", False, f"{error}\n{rows}")
            return
        end = time.monotonic() + (8 if wrong else 0)
        while (refused := refusals() > before) != wrong and time.monotonic() < end:
            time.sleep(0.2)
        st.tap.check(f"{name}: {what}", refused == wrong, f"refused: {refused}; {mismatches(st)[-2:]}")

    ports = {port for _, port in services(recipe)}
    place.make_session = session
    try:
        peers.RECIPES[recipe]["run"](place)
    except (peers.Failed, subprocess.TimeoutExpired, RuntimeError) as error:
        st.tap.check(f"{name}: its server runs", False, error)
    finally:
        place.close()
        shutil.rmtree(work, ignore_errors=True)


def main():
    parser_options = stage.arguments(__doc__)
    wanted = os.environ.get("PEERS", "").split() or list(peers.RECIPES)
    chosen = [r for r in wanted if not peers.missing(r)]
    with stage.Stage(parser_options.build, policy(chosen, False), hosts=True) as st:
        for recipe in wanted:
            if recipe not in chosen:
                st.tap.skip(recipe, f"not installed: {' '.join(peers.missing(recipe))}")
        for recipe in chosen:
            hold(st, recipe, False)
        st.gate.commit_text(policy(chosen, True))
        for recipe in chosen:
            hold(st, recipe, True)
        st.tap.check("no program of the gate complained", not st.gate.complaints(), st.gate.complaints())
    return st.tap.end()


if __name__ == "__main__":
    sys.exit(main())
