"""test_watch.py: `sekisho watch` beside a wire: flows are identified and judged, nothing is lost without being said, and what was
learned survives the command.

Two hosts with a cable; watch reads the server's end. The conversations are small and made here: DNS questions and answers, and
a TLS conversation from a capture of our own, played by two sockets.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), os.path.join(HERE, "../../../tools/lib")]

import ns  # noqa: E402
import stage  # noqa: E402
from bench_inline import CAPTURE, NAME, flights  # noqa: E402

SERVER, CLIENT = "192.0.2.130", "192.0.2.5"
POLICY = f"""
set segment office kind lgwan interface eth0 address 192.0.2.1/25 network 192.0.2.0/25
set segment servers kind other interface eth1 address 192.0.2.129/25 network 192.0.2.128/25
set host pc segment office address {CLIENT} section "住民課"
set host server segment servers address {SERVER}
set allow web from pc to server service tcp/443 application tls server-name other.example.jp purpose "x" applicant "x"
set allow web approval ciso name "x" date 2026-04-01
set allow web starts 2026-04-01 expires 2027-03-31
"""


def dns_pair(number):
    name = b"\x06renkei\x07example\x02lg\x02jp\x00"
    question = name + struct.pack(">HH", 1, 1)
    ask = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + question
    answer = struct.pack(">HHHHHH", number, 0x8180, 1, 1, 0, 0) + question + b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + b"\x0a\x02\x00\x08"
    return ask, answer


class Wire:
    def __init__(self):
        self.space = ns.Space(f"sekisho-w{os.getpid()}-")
        with self.space.batched():
            for name in ("server", "client"):
                self.space.add(name)
            self.space.ip("server", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", self.space.full("client"))
            for name, address in (("server", SERVER), ("client", CLIENT)):
                self.space.ip(name, "addr", "add", address + "/24", "dev", "eth0")
                self.space.ip(name, "link", "set", "eth0", "up")

    def ask_names(self, count):
        server = self.space.socket("server", socket.AF_INET, socket.SOCK_DGRAM)
        client = self.space.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((SERVER, 53))
        client.settimeout(5)
        for i in range(count):
            ask, answer = dns_pair(i + 1)
            client.sendto(ask, (SERVER, 53))
            _, who = server.recvfrom(2000)
            server.sendto(answer, who)
            client.recvfrom(2000)
        server.close()
        client.close()

    def talk_tls(self):
        first, second, third = flights(CAPTURE)
        listener = self.space.socket("server", socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((SERVER, 443))
        listener.listen()

        def serve():
            got, _ = listener.accept()
            got.recv(len(first), socket.MSG_WAITALL)
            got.sendall(second)
            got.recv(len(third), socket.MSG_WAITALL)
            got.close()
        worker = threading.Thread(target=serve)
        worker.start()
        client = self.space.socket("client", socket.AF_INET, socket.SOCK_STREAM)
        client.connect((SERVER, 443))
        client.sendall(first)
        client.recv(len(second), socket.MSG_WAITALL)
        client.sendall(third)
        client.recv(1)
        client.close()
        worker.join()
        listener.close()

    def watch(self, sekisho, *words):
        return subprocess.Popen(["ip", "netns", "exec", self.space.full("server"), sekisho, "--lang", "en", "watch", "eth0", *words],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def watched(wire, sekisho, talk, *words):
    """(rows of JSON or text, exit, stderr) of a watch during `talk`, ended by an interrupt."""
    p = wire.watch(sekisho, *words)
    time.sleep(1.5)
    talk()
    time.sleep(1)
    os.killpg(p.pid, signal.SIGINT)
    out, err = p.communicate(timeout=20)
    return out, p.returncode, err


def rows(out):
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def main():
    options = stage.arguments(__doc__)
    sekisho = os.path.join(options.build, "src/console/sekisho")
    tap, wire, work = stage.Tap(), Wire(), tempfile.mkdtemp(prefix="sekisho-watch-")
    policy, saved = os.path.join(work, "policy"), os.path.join(work, "learned")
    with open(policy, "w", encoding="utf-8") as f:
        f.write(POLICY)

    def both():
        wire.ask_names(3)
        wire.talk_tls()
    try:
        out, code, err = watched(wire, sekisho, both, "--json")
        flows = {(r["application"], r["server_name"]) for r in rows(out) if "src" in r}
        tap.check("flows are identified, with the name that the client asked for", code == 0 and {("dns", None), ("tls", NAME)} <= flows,
                  f"{code} {out} {err}")
        counters = [r for r in rows(out) if r.get("event") == "counters"]
        tap.check("counters say that nothing was lost", bool(counters) and counters[-1]["lost"] == 0, counters)
        out, code, err = watched(wire, sekisho, both, policy, "--json")
        tls = [r for r in rows(out) if r.get("dport") == 443]
        tap.check("by a policy: another server name is refused and the rule is named", len(tls) == 1 and tls[0]["verdict"] == "refuse"
                  and tls[0]["why"] == "server-name" and tls[0]["rule"] == "web", f"{tls} {err}")
        dns = [r for r in rows(out) if r.get("dport") == 53]
        tap.check("by a policy: what no rule allows is said", len(dns) == 1 and dns[0]["reason"] == "no-rule", f"{dns} {err}")
        out, code, err = watched(wire, sekisho, lambda: wire.ask_names(2), "--learn", "7", "--save", saved)
        tap.check("learning ends with drafts", code == 0 and "application dns" in out and 'purpose ""' in out, f"{code} {out} {err}")
        out, code, err = watched(wire, sekisho, wire.talk_tls, "--learn", "7", "--save", saved)
        tap.check("it goes on with what was saved", code == 0 and "application dns" in out and f"application tls server-name {NAME}" in out,
                  f"{code} {out} {err}")
        out, code, err = watched(wire, sekisho, both, policy, "--learn", "7")
        tap.check("with a policy drafts use its names and sections", "from pc to server service udp/53" in out and "住民課" in out, out + err)
        with open(saved, "a", encoding="ascii") as f:
            f.write("nonsense\n")
        out, code, err = watched(wire, sekisho, lambda: None, "--learn", "7", "--save", saved)
        tap.check("a damaged table is refused with its line, and kept", code == 3 and "line" in err and open(saved, encoding="ascii").read().endswith("nonsense\n"),
                  f"{code} {err}")
        done = subprocess.run([sekisho, "--lang", "en", "watch", "none0"], capture_output=True, text=True, check=False)
        tap.check("an interface that does not exist is an error", done.returncode == 3 and "none0" in done.stderr, done.stderr)
    finally:
        wire.space.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
