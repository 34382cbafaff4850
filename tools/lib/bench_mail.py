"""bench_mail.py: `tools/bench mail`: what the mail gate costs, beside the tools that people would use instead.

text      tests/bench/mail_text: charsets, HTML, the filter of characters, and every bomb, against raw loops
clean     cleaner and verifier in one process against GMime (parse, decode, charset, strip tags; it writes, lists, hashes and
          verifies nothing), on three made sets and on the mails of a directory. MB of mail a CPU second, rounds interleaved
memory    one mail of 200 MB of each kind through the cleaner by a pipe: peak resident memory
smtp      mails a second through the gate's processes and through Postfix as an inline proxy (smtpd_proxy_filter), in front of
          the same sink, under the same load
"""
import argparse
import base64
import json
import os
import quopri
import random
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
START = time.monotonic()
LINES = ["いつもお世話になっております。企画課の髙橋です。", "先日ご依頼の㈱山田商事のお見積りについて、下記のとおりご連絡いたします。",
         "・品目① ノートパソコン 98,000円", "・品目② ﾌﾟﾘﾝﾀ 32,000円 (税込)", "会議は令和8年11月20日（金）午前10時から、第2会議室で行います。",
         "ご不明な点がございましたら、内線1234までお問い合わせください。よろしくお願いいたします。"]


def step(text):
    print(f"[{time.monotonic() - START:4.0f}s] {text}", flush=True)


# -- the sets ------------------------------------------------------------------------------------------------------

def wrapped(data):
    return b"\r\n".join(base64.b64encode(data[i:i + 57]) for i in range(0, len(data), 57)) + b"\r\n"


def japanese_text(rng):
    return "\r\n".join(rng.choice(LINES) for _ in range(rng.randrange(8, 60))) + "\r\n"


def part(rng, text):
    """A text part in one of the ways in which Japanese mail is sent."""
    way = rng.randrange(4)
    if way == 0:
        return b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n" + text.encode("iso2022_jp_ext", "replace")
    if way == 1:
        return b"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(text.encode())
    page = "<html><body>" + "".join(f"<p style=\"font-size:10pt\">{line}<br></p>" for line in text.splitlines()) + "</body></html>"
    if way == 2:
        body = quopri.encodestring(page.encode()).replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n")
        return b"Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + body
    return b"Content-Type: text/plain; charset=Shift_JIS\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text.encode("cp932", "replace")


def japanese_mail(rng, attach):
    subject = base64.b64encode(rng.choice(LINES).encode()[:45 // 3 * 3]).decode()
    head = (f"From: =?UTF-8?B?6auY5qmL?= <a{rng.randrange(999)}@example.com>\r\nTo: b@town.example.lg.jp\r\n"
            f"Subject: =?UTF-8?B?{subject}?=\r\nDate: Fri, 20 Nov 2026 10:00:00 +0900\r\nMessage-ID: <{rng.random()}@example.com>\r\n"
            "MIME-Version: 1.0\r\n").encode()
    body = part(rng, japanese_text(rng))
    if not attach or rng.random() > 0.15:
        return head + body
    pdf = b"%PDF-1.7\n" + rng.randbytes(rng.randrange(60_000, 1_200_000))
    return (head + b"Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\n" + body + b"\r\n--=_b\r\n"
            b"Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(pdf) + b"--=_b--\r\n")


def write_set(path, mails):
    with open(path, "wb") as f:
        for mail in mails:
            f.write(struct.pack("<I", len(mail)) + mail)


def corpus(where):
    found = []
    for folder, _, names in os.walk(where):
        for name in sorted(names):
            if name.endswith((".eml", ".msg", ".txt", ".in")):
                with open(os.path.join(folder, name), "rb") as f:
                    data = f.read()
                if re.match(rb"[A-Za-z][A-Za-z0-9-]*:", data):
                    found.append(re.sub(rb"\r?\n", b"\r\n", data))
    return found


def make_sets(work, where, megabytes):
    rng = random.Random(20261120)
    sets, real = {}, corpus(where) if where else []
    for name, attach in (("Japanese, with attachments", True), ("Japanese, text only", False)):
        mails, total = [], 0
        while total < megabytes << 20:
            mails.append(japanese_mail(rng, attach))
            total += len(mails[-1])
        sets[name] = os.path.join(work, name.replace(" ", "_") + ".set")
        write_set(sets[name], mails)
    mixed, total, others = [], 0, real or [japanese_mail(rng, True) for _ in range(50)]
    while total < megabytes << 20:
        mixed.append(rng.choice(others) if rng.random() < 0.7 else japanese_mail(rng, rng.random() < 0.2))
        total += len(mixed[-1])
    sets["mixed"] = os.path.join(work, "mixed.set")
    write_set(sets["mixed"], mixed)
    if real:
        sets["public mails"] = os.path.join(work, "public.set")
        write_set(sets["public mails"], real * max(1, (megabytes << 20) // sum(map(len, real))))
    return sets


# -- cleaner -------------------------------------------------------------------------------------------------------

def run_json(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.stdout.strip() else {"error": done.stderr.strip() or f"exit {done.returncode}"}


def clean(options, results):
    ours, peer = (os.path.join(options.build, "tests/bench", n) for n in ("mail_clean", "mail_gmime"))
    aims = {"mixed": 1.5, "Japanese, with attachments": 1.5, "Japanese, text only": 2.0, "public mails": 1.5}
    with tempfile.TemporaryDirectory() as work:
        step(f"making the sets ({options.megabytes} MB each)")
        sets = make_sets(work, options.mails, options.megabytes)
        print(f"\n{'MB of mail a CPU second':32} {'sekisho':>9} {'GMime':>9} {'ratio':>7} {'aim':>6}   refused, memory (KiB)")
        for name, path in sets.items():
            mine = [run_json(ours, path, "1") for _ in range(options.rounds)]
            theirs = [run_json(peer, path, "1") for _ in range(options.rounds)] if os.path.exists(peer) else []
            rate = mine[0]["bytes"] / 1e6 / statistics.median(m["seconds"] for m in mine)
            other = theirs[0]["bytes"] / 1e6 / statistics.median(m["seconds"] for m in theirs) if theirs and "bytes" in theirs[0] else 0
            results[name] = {"sekisho": rate, "gmime": other, "ratio": rate / other if other else None, "aim": aims[name],
                             "mails": mine[0]["mails"], "refused": mine[0]["refused"], "unverified": mine[0]["unverified"]}
            print(f"{name:32} {rate:9.0f} {other:9.0f} {rate / other if other else 0:6.2f}x {aims[name]:5.1f}x   "
                  f"{mine[0]['refused']} of {mine[0]['mails']}, {mine[0]['rss']}", flush=True)


KINDS = {
    "base64 attachment": (b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n", b"QUJD" * 19 + b"\r\n"),
    "base64 text": (b"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                    base64.b64encode(("あいうえお" * 4)[:19].encode()) + b"\r\n"),
    "ISO-2022-JP text": (b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n", LINES[0].encode("iso2022_jp_ext", "replace") + b"\r\n"),
    "quoted-printable HTML": (b"Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
                              b"<p>=E3=81=82=E3=81=84</p><b>x</b>\r\n")}


def memory(options, results):
    command = [os.path.join(options.build, "src/console/sekisho"), "clean"]
    print(f"\n{'one mail of 200 MB':32} {'MB/s of CPU':>12} {'peak memory (KiB), over that of a mail of 1 KB':>50}")
    small = 0
    for kind, (head, line) in [("nothing", (b"\r\n", b"x\r\n")), *KINDS.items()]:
        size = 200_000_000 if kind != "nothing" else 1000
        with open(os.devnull, "wb") as null:
            p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=null, stderr=null)
            block, sent = line * (65536 // len(line) + 1), 0
            try:
                p.stdin.write(b"From: a@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n" + head)
                while sent < size:
                    p.stdin.write(block[:size])
                    sent += len(block)
                p.stdin.close()
            except BrokenPipeError:
                pass
            _, _, usage = os.wait4(p.pid, 0)
        if kind == "nothing":
            small = usage.ru_maxrss
            continue
        rate = sent / 1e6 / (usage.ru_utime + usage.ru_stime)
        results["200 MB " + kind] = {"rate": rate, "rss": usage.ru_maxrss, "over_small": usage.ru_maxrss - small}
        print(f"{kind:32} {rate:12.0f} {usage.ru_maxrss:18} {usage.ru_maxrss - small:31}", flush=True)


# -- SMTP ----------------------------------------------------------------------------------------------------------

def smtp(options, results):
    """In network namespaces of its own."""
    if not shutil.which("smtp-source") or not shutil.which("postfix"):
        step("smtp: not installed: postfix (tools/install-deps bench)")
        return
    done = subprocess.run(["unshare", "--net", "--mount", sys.executable, os.path.abspath(__file__), "--inside", options.build,
                           str(options.seconds)], capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    if done.returncode != 0:
        step("smtp failed: " + done.stderr[-800:])
        return
    results["smtp"] = json.loads(done.stdout.strip().splitlines()[-1].split("# ", 1)[1])


def start_proxy(work):
    """Postfix as an inline proxy in front of the sink; it stores nothing."""
    for target in ("/var/spool/postfix", "/var/lib/postfix"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", target], check=True)
    etc = os.path.join(work, "etc")
    shutil.copytree("/etc/postfix", etc, symlinks=True)
    subprocess.run(["mount", "--bind", etc, "/etc/postfix"], check=True)
    shutil.chown("/var/lib/postfix", "postfix")
    with open("/etc/postfix/main.cf", "w", encoding="ascii") as f:
        f.write("compatibility_level=3.6\nmydestination=\ninet_interfaces=192.0.2.25\ninet_protocols=ipv4\nalias_maps=\n"
                "disable_dns_lookups=yes\nmaillog_file=/dev/stdout\nmaillog_file_prefixes=/dev\nsmtpd_peername_lookup=no\n"
                "mynetworks=192.0.2.0/24\nsmtpd_recipient_restrictions=permit_mynetworks,reject\nlocal_recipient_maps=\n"
                "smtpd_tls_security_level=none\ndefault_process_limit=100\nsmtpd_client_connection_count_limit=0\n"
                "smtpd_client_connection_rate_limit=0\n")
    with open("/etc/postfix/master.cf", "w", encoding="ascii") as f:
        f.write("postlog unix-dgram n - n - 1 postlogd\nsmtp inet n - n - - smtpd -o smtpd_proxy_filter=10.2.0.8:25\n"
                "cleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\n"
                "anvil unix - - n - 1 anvil\nqmgr unix n - n 300 1 qmgr\npickup unix n - n 60 1 pickup\nerror unix - - n - - error\n"
                "retry unix - - n - - error\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
                "flush unix n - n 1000? 0 flush\nscache unix - - n - 1 scache\nsmtp unix - - n - - smtp\nverify unix - - n - 1 verify\n"
                "local unix - n n - - local\nvirtual unix - n n - - virtual\nlmtp unix - - n - - lmtp\n")
    log = open(os.path.join(work, "postfix.log"), "wb")  # pylint: disable=consider-using-with
    return subprocess.Popen(["postfix", "start-fg"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def wait_for(address, work):
    """Until a mail server greets there."""
    for _ in range(60):
        try:
            with socket.create_connection((address, 25), timeout=2) as sock:
                if sock.recv(100).startswith(b"220"):
                    return
        except OSError:
            pass
        time.sleep(0.25)
    with open(os.path.join(work, "postfix.log"), encoding="utf-8", errors="replace") as f:
        raise RuntimeError(f"{address} does not greet: {f.read()[-1500:]}")


def load(address, count, sessions, persistent):
    """Mails a second that smtp-source brings through."""
    words = ["smtp-source", "-4", "-s", str(sessions), "-m", str(count), "-l", "4096", "-f", "a@example.com",
             "-t", "b@town.example.lg.jp", *(["-d"] if persistent else []), f"{address}:25"]
    begin = time.monotonic()
    done = subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"{address}: {done.stderr}")
    return count / (time.monotonic() - begin)


def race(work, seconds):
    """Rounds of all of them, interleaved."""
    ways, results = {"sink alone": "10.2.0.8", "Postfix, inline proxy": "192.0.2.25", "sekisho": "192.0.2.1"}, {}
    for address in ways.values():
        wait_for(address, work)
    for persistent in (False, True):
        rates = {name: [] for name in ways}
        for _ in range(3):
            for name, address in ways.items():
                rates[name].append(load(address, max(100, int(100 * seconds)), 10, persistent))
        results["persistent" if persistent else "one a connection"] = {name: statistics.median(r) for name, r in rates.items()}
    return results


def inside(build, seconds):
    sys.path.insert(0, os.path.join(ROOT, "tests/netns/mail"))
    import stand  # pylint: disable=import-outside-toplevel,import-error
    stand.own_network()
    with open(os.path.join(ROOT, "tests/netns/mail/mail.policy"), encoding="utf-8") as f:
        text = f.read() + "set mail inbound flood slow 0 stop 0 sender-slow 0 sender-stop 0\n"
    sink = subprocess.Popen(["smtp-sink", "-4", "-u", "postfix", "10.2.0.8:25", "512"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    results, proxy = {}, None
    try:
        with tempfile.TemporaryDirectory() as work, stand.Stand(build, text):
            os.chmod(work, 0o755)
            proxy = start_proxy(work)
            results = race(work, seconds)
    finally:
        sink.kill()
        if proxy is not None:
            os.killpg(proxy.pid, signal.SIGTERM)
    print(f"\n{'mails of 4 KB a second, 10 sessions':32} {'sink':>9} {'Postfix':>9} {'sekisho':>9} {'ratio':>7} {'aim':>6}")
    for name, m in results.items():
        aim = 0.6 if name == "persistent" else 1.0
        print(f"{name:32} {m['sink alone']:9.0f} {m['Postfix, inline proxy']:9.0f} {m['sekisho']:9.0f} "
              f"{m['sekisho'] / m['Postfix, inline proxy']:6.2f}x {aim:5.1f}x")
    print("# " + json.dumps(results))


def main():
    if sys.argv[1:2] == ["--inside"]:
        return inside(sys.argv[2], float(sys.argv[3]))
    parser = argparse.ArgumentParser(prog="tools/bench mail", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="text clean memory smtp (none: all)")
    parser.add_argument("--build", required=True)
    parser.add_argument("--mails", default=os.path.join(ROOT, "../shared/data/mail"), help="a directory of mails")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=60, help="of each set")
    parser.add_argument("--seconds", type=float, default=20, help="hundreds of mails of each SMTP run")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if not os.path.isdir(options.mails):
        options.mails = None
    results = {}
    if not options.parts or "text" in options.parts:
        subprocess.run([os.path.join(options.build, "tests/bench/mail_text")], check=False)
    for name, fn in (("clean", clean), ("memory", memory), ("smtp", smtp)):
        if not options.parts or name in options.parts:
            step(name)
            fn(options, results)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
