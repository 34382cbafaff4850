"""ns.py: network namespaces by name, links between them, and sockets inside them.

Everything made here carries the prefix of its Space and is removed by that name, never by pattern alone.
Needs root. A socket stays in the namespace in which it was opened, so one process can hold all of a town's.
"""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import threading

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SHARED = 4096, 16384, 1 << 20
_MNT_DETACH = 2
ETH_P_ALL = 3

# Classic BPF (code, jump if true, jump if false, constant): ARP and neighbour solicitations of others.
_QUESTIONS = [
    (0x20, 0, 0, 0xfffff004), (0x15, 7, 0, 4),       # PACKET_OUTGOING: what we sent ourselves
    (0x28, 0, 0, 12), (0x15, 6, 0, 0x0806),          # ARP
    (0x15, 0, 4, 0x86dd), (0x30, 0, 0, 20), (0x15, 0, 2, 58), (0x30, 0, 0, 54), (0x15, 1, 0, 135),
    (0x06, 0, 0, 0), (0x06, 0, 0, 0xffff),           # no, yes
]


def _attach(sock, program):
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", len(program), ctypes.addressof(code)))  # SO_ATTACH_FILTER


def run(*words, check=True, quiet=True, stdin=None):
    """Runs a command; its stderr is in the exception when it fails."""
    done = subprocess.run(words, input=stdin, capture_output=quiet, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}: {(done.stderr or '').strip()}")
    return done


class Inside:
    """with Inside("name"): the calling thread is in that namespace."""

    def __init__(self, name):
        self.path = f"/run/netns/{name}"

    def __enter__(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            _setns(there)
        finally:
            os.close(there)

    def __exit__(self, *_):
        _setns(self.home)
        os.close(self.home)


def _setns(fd):
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def make_namespace(full):
    """What `ip netns add` does, without a process; loopback is up."""
    _share_directory()
    path = f"/run/netns/{full}"
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0))
    wrong = []
    worker = threading.Thread(target=_unshare_onto, args=(path, wrong))
    worker.start()
    worker.join()
    if wrong:
        os.unlink(path)
        raise wrong[0]


def _share_directory():
    """/run/netns is a mount that all see alike, so that a namespace removed here is removed for everybody."""
    here = b"/run/netns"
    os.makedirs(here, exist_ok=True)
    if _libc.mount(b"", here, b"none", _MS_SHARED | _MS_REC, None) == 0:
        return
    if _libc.mount(here, here, b"none", _MS_BIND | _MS_REC, None) != 0 or \
            _libc.mount(b"", here, b"none", _MS_SHARED | _MS_REC, None) != 0:
        raise OSError(ctypes.get_errno(), "mount /run/netns")


def _unshare_onto(path, wrong):
    """In a thread of its own, which ends in the new namespace while the rest of the program stays where it was."""
    try:
        if _libc.unshare(_CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        if _libc.mount(b"/proc/thread-self/ns/net", path.encode(), b"none", _MS_BIND, None) != 0:
            raise OSError(ctypes.get_errno(), "mount " + path)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    except OSError as error:
        wrong.append(error)


class Space:
    """A set of namespaces with one prefix ("sekisho-"), removed together."""

    def __init__(self, prefix="sekisho-"):
        self.prefix = prefix
        self.names = []
        self.plan = None

    def full(self, name):
        return self.prefix + name

    def add(self, name):
        full = self.full(name)
        make_namespace(full)
        self.names.append(full)
        return full

    @contextlib.contextmanager
    def batched(self):
        """What ip() and veth() are asked inside is done at the end: cables first, then namespace after namespace, one
        process each. A town is raised in a third of the time, which matters most where a process is dear."""
        self.plan = {None: []}
        try:
            yield
            plan, self.plan = self.plan, None
            for full, lines in plan.items():
                run("ip", *(["-n", full] if full else []), "-batch", "-", stdin="\n".join(lines) + "\n")
        finally:
            self.plan = None

    def ip(self, name, *words, check=True):
        if self.plan is not None:
            return self.plan.setdefault(self.full(name), []).append(" ".join(words))
        return run("ip", "-n", self.full(name), *words, check=check)

    def sysctl(self, name, **values):
        """Keys with double underscores for slashes: net__ipv4__ip_forward=1."""
        with Inside(self.full(name)):
            for key, value in values.items():
                with open("/proc/sys/" + key.replace("__", "/"), "w", encoding="ascii") as f:
                    f.write(str(value))

    def veth(self, ns_a, if_a, ns_b, if_b, mac_a=None, mac_b=None):
        """A cable between two namespaces."""
        words = ["link", "add", "name", if_a, *(["address", mac_a] if mac_a else []), "netns", self.full(ns_a),
                 "type", "veth", "peer", "name", if_b, *(["address", mac_b] if mac_b else []), "netns", self.full(ns_b)]
        if self.plan is not None:
            self.plan[None].append(" ".join(words))
        else:
            run("ip", *words)

    def socket(self, name, *args):
        with Inside(self.full(name)):
            return socket.socket(*args)

    def packet_socket(self, name, interface, buffer=8 << 20, questions=False):
        """A raw socket on an interface: sends whole frames, and sees all frames in both directions; with `questions` only
        ARP and neighbour solicitations that arrive, whatever else passes."""
        sock = self.socket(name, socket.AF_PACKET, socket.SOCK_RAW, 0)
        if questions:
            _attach(sock, _QUESTIONS)
        sock.setsockopt(socket.SOL_SOCKET, 33, buffer)  # SO_RCVBUFFORCE
        sock.bind((interface, ETH_P_ALL))
        sock.setblocking(False)
        return sock

    def popen(self, name, words, **how):
        return subprocess.Popen(["ip", "netns", "exec", self.full(name), *words], **how)

    def remove(self):
        """Ends what runs inside (by pid), then the namespaces."""
        remove_namespaces(self.names)
        self.names.clear()


def remove_namespaces(names):
    """Ends what runs inside, then does what `ip netns del` does, without a process; a name that is not there is none."""
    paths = [path for path in map("/run/netns/{}".format, names) if os.path.exists(path)]
    rooms = {(seen.st_dev, seen.st_ino) for seen in map(os.stat, paths)}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            seen = os.stat(f"/proc/{pid}/ns/net")
            if (seen.st_dev, seen.st_ino) in rooms:
                os.kill(int(pid), 9)
        except OSError:  # it has ended meanwhile
            pass
    for path in paths:
        _libc.umount2(path.encode(), _MNT_DETACH)
        os.unlink(path)


def forget_connections(full):
    """`conntrack -F` in a namespace, without a process: one message to delete them all."""
    with Inside(full):
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
    with sock:
        # length, IPCTNL_MSG_CT_DELETE of ctnetlink, REQUEST|ACK, sequence, port; any family, version 0, resource 0
        sock.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 5, 1, 0, 0, 0, 0))
        code = struct.unpack_from("=i", sock.recv(4096), 16)[0]
        if code != 0:
            raise OSError(-code, "conntrack")


def tentative(full):
    """True while duplicate address detection goes on for an IPv6 address in the namespace."""
    with Inside(full), open("/proc/thread-self/net/if_inet6", encoding="ascii") as f:
        return any(int(line.split()[4], 16) & 0x40 for line in f)  # IFA_F_TENTATIVE


def existing(prefix):
    """Names of the namespaces that begin with the prefix."""
    done = run("ip", "netns", "list", check=False)
    return [line.split()[0] for line in done.stdout.splitlines() if line.startswith(prefix)]


def kernel_has(kind, *extra):
    """True when this kernel can make a link of this kind ("bridge", "vlan", ...)."""
    name = f"sekisho-probe-{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        if kind == "vlan":
            run("ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
            extra = ("id", "20")
            words = ("link", "add", "link", "v0", "name", "x0", "type", "vlan", *extra)
        else:
            words = ("link", "add", "name", "x0", "type", kind, *extra)
        return run("ip", "-n", name, *words, check=False).returncode == 0
    finally:
        run("ip", "netns", "del", name, check=False)
