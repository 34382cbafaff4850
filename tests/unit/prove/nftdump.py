#!/usr/bin/python3
"""Loads an nft file in a namespace of its own and writes the kernel's raw dump of table inet sekisho.

usage: nftdump.py RULESET.nft OUT.dump     (root; nothing outside the new namespace is touched)
The dump is what the evaluator reads: netlink messages of the table, its chains, sets, rules and elements.
"""
import os, socket, struct, subprocess, sys

NFNL_SUBSYS_NFTABLES = 10
GETTABLE, GETCHAIN, GETRULE, GETSET, GETSETELEM = 1, 4, 7, 10, 13
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_DONE, NLMSG_ERROR = 3, 2
NFPROTO_INET = 1


def attr(kind, text):
    body = text.encode() + b"\0"
    raw = struct.pack("=HH", 4 + len(body), kind) + body
    return raw + b"\0" * (-len(raw) % 4)


def dump(sock, message, attrs=b""):
    body = struct.pack("=BBH", NFPROTO_INET, 0, 0) + attrs
    sock.send(struct.pack("=IHHII", 16 + len(body), NFNL_SUBSYS_NFTABLES << 8 | message, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body)
    out = []
    while True:
        data = sock.recv(1 << 20)
        while data:
            length, kind = struct.unpack_from("=IH", data)
            if kind == NLMSG_DONE:
                return out
            if kind == NLMSG_ERROR:
                raise OSError(-struct.unpack_from("=i", data, 16)[0], "netlink")
            out.append(data[:length] + b"\0" * (-length % 4))
            data = data[(length + 3) // 4 * 4:]


def set_name(message):
    pos, found = 20, {}
    while pos < len(message):
        length, kind = struct.unpack_from("=HH", message, pos)
        found[kind & 0x3fff] = message[pos + 4:pos + length]
        pos += (length + 3) // 4 * 4
    return found[1].rstrip(b"\0").decode(), found[2].rstrip(b"\0").decode()


def main():
    ruleset, out = sys.argv[1:]
    if os.environ.get("SEKISHO_NFTDUMP") != "inside":
        env = dict(os.environ, SEKISHO_NFTDUMP="inside")
        os.execvpe("unshare", ["unshare", "-n", sys.executable, sys.argv[0], ruleset, out], env)
    subprocess.run(["nft", "-f", ruleset], check=True)
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    sock.bind((0, 0))
    messages = []
    for kind in (GETTABLE, GETCHAIN, GETSET, GETRULE):
        messages += dump(sock, kind)
        if kind == GETSET:
            sets = [set_name(m) for m in messages if struct.unpack_from("=H", m, 4)[0] & 0xff == 9]
    for table, name in sets:
        messages += dump(sock, GETSETELEM, attr(1, table) + attr(2, name))
    with open(out, "wb") as f:
        f.write(b"".join(messages))


main()
