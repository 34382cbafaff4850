"""servers.py DIR: what runs on the server of the inline tests, on the ports that its policy names.

443 TLS; 80 HTTP; 8444 something that waits and is not TLS; 9000 plain; 53/udp DNS. One connection is asked a line:
"ECHO text", "BULK bytes", "DRIP" (a line each 50 ms, without end). Certificate and key are DIR/cert and DIR/key.
"""
import socket
import ssl
import sys
import threading
import time


def serve(conn):
    try:
        with conn, conn.makefile("rwb", buffering=0) as f:
            for line in f:
                words = line.split()
                if words[0] == b"ECHO":
                    f.write(line)
                elif words[0] == b"BULK":
                    block, left = bytes(65536), int(words[1])
                    while left > 0:
                        conn.sendall(block[:left])
                        left -= len(block)
                elif words[0] == b"DRIP":
                    while True:
                        f.write(b"drip %.3f\n" % time.time())
                        time.sleep(0.05)
    except (OSError, ssl.SSLError, ValueError, IndexError):
        pass


def listen(port, handler):
    sock = socket.socket(socket.AF_INET6)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    sock.listen(256)

    def accept():
        while True:
            conn = sock.accept()[0]
            threading.Thread(target=handler, args=(conn,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def tls(context):
    def handler(conn):
        try:
            conn.settimeout(20)
            serve(context.wrap_socket(conn, server_side=True))
        except (OSError, ssl.SSLError):
            conn.close()
    return handler


def nonsense(conn):
    try:
        conn.recv(4096)
        conn.sendall(b"220 this is not what you asked for\r\n" * 4)
        conn.recv(4096)
    except OSError:
        pass
    conn.close()


def pages(conn):
    asked = b""
    try:
        with conn:
            while b"\r\n\r\n" not in asked:
                asked += conn.recv(4096)
            body = b"a page that works\n"
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                         % (len(body), body))
    except OSError:
        pass


def names():
    """Answers every question with 10.9.9.9."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", 53))
    while True:
        q, who = sock.recvfrom(2048)
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x09\x09\x09"
        sock.sendto(q[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + q[12:] + answer, who)


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1] + "/cert", sys.argv[1] + "/key")
    listen(443, tls(context))
    listen(80, pages)
    listen(8444, nonsense)
    listen(9000, serve)
    print("ready", flush=True)
    names()


main()
