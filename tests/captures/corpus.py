"""corpus.py: public captures with labels, which others made; they lie beside the checkout and are never part of it.

Each source has expected.csv: a row a flow, the lower address first. Labels of grade A, B and U are taken; they are mostly votes of
tools, so corrected.csv names the wrong ones with what a person read in the packets, and refused.csv why a flow of a right label
does not pass.
"""
import csv
import fnmatch
import ipaddress
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.environ.get("SEKISHO_DATA") or os.path.join(ROOT, "..", "shared", "data")
PCAPS = os.path.join(DATA, "pcaps")
SOURCES = ("arkime", "ndpi", "suricata-verify", "wireshark", "zeek")

WORDS = {"TLS": "tls", "HTTP": "http", "SSH": "ssh", "SMTP": "smtp", "DNS": "dns", "NTP": "ntp", "SYSLOG": "syslog", "SNMP": "snmp",
         "LDAP": "ldap", "KRB5": "kerberos", "SMB": "smb", "RDP": "rdp", "VNC": "vnc", "PGSQL": "postgresql", "TDS": "tds", "FTP": "ftp",
         "POP3": "pop3", "IMAP": "imap"}


def table(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return list(csv.DictReader(f))


# (source, capture, flow) -> the label that the packets deserve, "" = none of ours.
CORRECTED = {(r["source"], r["capture"], r["flow"]): r["label"] for r in table("corrected.csv")}
REFUSED = table("refused.csv")


def refused(path, application, why):
    """The row of refused.csv that speaks of a refusal, or None; the first one counts."""
    capture = os.path.relpath(path, PCAPS)
    for r in REFUSED:
        if r["application"] == application and r["why"] in ("*", str(why)) and fnmatch.fnmatchcase(capture, r["capture"]):
            return r
    return None


def skip_unless_there():
    if not os.path.isdir(PCAPS):
        print(f"no captures in {os.path.normpath(PCAPS)}: the public captures are not part of this project")
        sys.exit(77)


def key(l4, a, pa, b, pb):
    """Both directions of a flow give the same."""
    ends = sorted([(ipaddress.ip_address(a).packed, int(pa)), (ipaddress.ip_address(b).packed, int(pb))])
    return (l4.lower(), *ends[0], *ends[1])


def files(malformed=False):
    """Paths of all captures of the labelled sources; of the malformed ones instead."""
    got = []
    for source in ("tcpdump",) if malformed else SOURCES:
        for folder, _, names in os.walk(os.path.join(PCAPS, source)):
            got += [os.path.join(folder, n) for n in names if n.endswith((".pcap", ".pcapng", ".gz", ".cap", ".ntar"))]
    return sorted(got)


def labels():
    """{(path, key): label}; flows without a good label are not in it."""
    got = {}
    for source in SOURCES:
        with open(os.path.join(PCAPS, source, "expected.csv"), encoding="utf-8") as f:
            for row in csv.DictReader(f):
                if row["grade"] not in ("A", "B", "U") or row["l4"] not in ("TCP", "UDP") or not row["label"]:
                    continue
                path = os.path.join(PCAPS, source, row["pcap"])
                try:
                    flow = key(row["l4"], row["ip_a"], row["port_a"], row["ip_b"], row["port_b"])
                except ValueError:  # some rows hold addresses that are none
                    continue
                text = f"{row['ip_a']}:{row['port_a']}-{row['ip_b']}:{row['port_b']}"
                got[(path, flow)] = CORRECTED.get((source, row["pcap"], text), row["label"])
    return got
