"""talks.py: conversations between hosts of a town, as the gate's inspector meets them: TLS, SSH, RDP, HTTP, DNS.

Both ends are real sockets in the hosts' namespaces. TLS is the real one (module ssl, a certificate that lives as long as the
town); of SSH and RDP the opening messages are played, because it is these that the gate judges. Each conversation ends with a
token that the server must send back, so that one that "passes" did pass both ways.

TALKS: name -> (client, server). Both get a Talk; what they raise (a reset, silence) means that it did not go through.
"""
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

from gate import SLOW

PATIENCE = 3.0 * SLOW  # for a message of the other side
LARGE = [f"x-padding-{i:03d}" for i in range(250)]  # of ALPN: a ClientHello of 3.5 KB, as with keys of post-quantum cryptography


class Talk:
    """What both ends know. `heard` grows with whatever reaches the server."""

    def __init__(self, run, case, flow):
        self.run, self.case, self.flow, self.token = run, case, flow, flow.token
        self.heard = 0

    def server_context(self):
        work = self.run.gate.work
        cert, key = os.path.join(work, "talk.cert"), os.path.join(work, "talk.key")
        if not os.path.exists(cert):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-keyout", key, "-out", cert, "-subj", "/CN=throw-away", "-days", "2"],
                           check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context


def whole(conn, n):
    got = b""
    while len(got) < n:
        more = conn.recv(n - len(got))
        if not more:
            raise ConnectionResetError("the end came early")
        got += more
    return got


def until(conn, end):
    got = b""
    while not got.endswith(end):
        got += whole(conn, 1)
    return got


# -- TLS ---------------------------------------------------------------------------------------------------------

def client_context(case):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if case.get("hello") == "large":
        context.set_alpn_protocols(LARGE)
    return context


def client_hello(case, name):
    """The first bytes of a TLS client that asks for this server (None: for none), and what goes on with them."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(case).wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read(), tls, incoming, outgoing


def tls_client(talk, sock, name=None):
    """Handshake, then the token there and back. hello = "split": the ClientHello comes in two segments."""
    hello, tls, incoming, outgoing = client_hello(talk.case, name or talk.case.get("server_name"))
    if talk.case.get("hello") == "split":
        sock.sendall(hello[:60])
        time.sleep(0.05)  # the kernel joins no segments that were sent apart
        hello = hello[60:]
    sock.sendall(hello)

    def finish(step):
        while True:
            try:
                got = step()
                sock.sendall(outgoing.read())
                return got
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                data = sock.recv(65536)
                if not data:
                    raise ConnectionResetError("the end came early") from None
                incoming.write(data)
    finish(tls.do_handshake)
    finish(lambda: tls.write(talk.token))
    return finish(lambda: tls.read(len(talk.token))) == talk.token


def tls_server(talk, conn):
    with talk.server_context().wrap_socket(conn, server_side=True) as tls:
        tls.sendall(whole(tls, len(talk.token)))
        tls.recv(1)  # until the client has gone


# -- SSH (RFC 4253: lines that name the version; the rest is not needed here) --------------------------------------

def ssh_client(talk, sock):
    sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    return until(sock, b"\r\n").startswith(b"SSH-2.0-")


def ssh_server(talk, conn):
    until(conn, b"\r\n")
    conn.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    conn.recv(1)


# -- RDP (MS-RDPBCGR 2.2.1.1 and 2.2.1.2: an X.224 request that asks for TLS, its confirm, then TLS) ----------------

def x224(code, rest):
    return struct.pack(">BBHBBHHB", 3, 0, 11 + len(rest), 6 + len(rest), code, 0, 0x1234 if code == 0xd0 else 0, 0) + rest


def rdp_client(talk, sock):
    sock.sendall(x224(0xe0, b"Cookie: mstshash=user\r\n" + struct.pack("<BBHI", 1, 0, 8, 1)))
    answer = whole(sock, 19)
    return answer[5] == 0xd0 and tls_client(talk, sock)


def rdp_server(talk, conn):
    whole(conn, whole(conn, 4)[3] - 4)
    conn.sendall(x224(0xd0, struct.pack("<BBHI", 2, 0, 8, 1)))
    tls_server(talk, conn)


# -- HTTP (RFC 9112) ----------------------------------------------------------------------------------------------

def http_client(talk, sock):
    sock.sendall(talk.case["request"].encode() + b"\r\nHost: " + talk.case["server_name"].encode() + b"\r\n\r\n")
    head = until(sock, b"\r\n\r\n")
    return b" 200 " in head and whole(sock, len(talk.token)) == talk.token


def http_server(talk, conn):
    until(conn, b"\r\n\r\n")
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(talk.token), talk.token))
    conn.recv(1)


TALKS = {"tls": (tls_client, tls_server), "ssh": (ssh_client, ssh_server), "rdp": (rdp_client, rdp_server),
         "http": (http_client, http_server)}


# -- DNS (RFC 1035) -----------------------------------------------------------------------------------------------

def dns_question(ident, *labels):
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack(">HHHHHH", ident & 0xffff, 0x0100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)


def dns_answer(question):
    """That the name has the address 192.0.2.80."""
    return question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:] + b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + \
        socket.inet_aton("192.0.2.80")


def dns_talk(talk, server, client):
    client.connect((talk.flow.dst, talk.flow.dport))
    question = dns_question(talk.run.serial, *talk.case["question"].encode().split(b"."))
    client.send(question)
    asked, where = server.recvfrom(1000)
    talk.heard += len(asked)
    server.sendto(dns_answer(asked), where)
    return client.recv(1000) == dns_answer(question)


# -- both ends ----------------------------------------------------------------------------------------------------

def serve(talk, listener, server):
    try:
        conn, _ = listener.accept()
        with conn:
            conn.settimeout(PATIENCE)
            peeked = conn.recv(1, socket.MSG_PEEK)  # whatever comes through counts, also where the server is TLS's
            talk.heard += len(peeked)
            server(talk, conn)
    except (OSError, IndexError):
        pass  # the client's side tells


def stream_talk(talk, listener, sock):
    client, server = TALKS[talk.case["talk"]]
    listener.listen(1)
    thread = threading.Thread(target=serve, args=(talk, listener, server), daemon=True)
    thread.start()
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((talk.flow.dst, talk.flow.dport))
        talk.flow.sport = sock.getsockname()[1]
        return client(talk, sock)
    finally:
        sock.close()
        thread.join(PATIENCE)


def hold(run, case, flow, listener, sock):
    """(went through both ways, bytes that reached the server)"""
    talk = Talk(run, case, flow)
    for end in (listener, sock):
        end.settimeout(PATIENCE if case["expect"] == "arrives" else 1.0 * SLOW)
    try:
        good = (dns_talk if case["talk"] == "dns" else stream_talk)(talk, listener, sock)
    except (OSError, ssl.SSLError):
        good = False
    return good, talk.heard
