"""image_machine: an image in an emulated machine, with a host on each port.

Each host is a network namespace that owns the machine's tap itself, so that nothing but the gate joins them; it goes
with its namespace. Emulation is TCG, never kvm. Used by tools/run-image and by tests/image.
"""
import codecs
import os
import re
import select
import socket
import subprocess
import tempfile
import time

# The neighbours of a gate with the example town's first policy: port, name, address, gateway, MAC.
HOSTS = (
    ("mynumber", "10.1.0.20", "10.1.0.1", "02:00:00:01:00:20"),
    ("lgwan", "10.2.0.8", "10.2.0.1", "02:00:00:02:00:08"),
    ("internet", "192.0.2.25", "192.0.2.1", "02:00:00:03:00:25"),
)
MEMORY_MIB = 512


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class Machine:
    """One emulated box. serial: "stdio" (a person's terminal) or "socket" (a program: expect())."""

    def __init__(self, disk, serial="socket", keep=False, ports=len(HOSTS), firmware="bios", watchdog="reset", more=()):
        self.work = tempfile.mkdtemp(prefix="sekisho-image-")
        self.tag = f"{os.getpid() % 10000}{os.path.basename(self.work)[-2:]}"
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.spaces, self.text, self.seen, self.line = [], "", 0, None
        words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-smp", "1", "-cpu", "max", "-m", str(MEMORY_MIB), "-display", "none",
                 "-drive", f"file={disk},format=raw,if=virtio,snapshot={'off' if keep else 'on'}",
                 "-device", "i6300esb", "-watchdog-action", watchdog]
        if firmware == "uefi":
            words += ["-bios", "/usr/share/ovmf/OVMF.fd"]
        if serial == "stdio":
            words += ["-serial", "mon:stdio"]
        else:
            words += ["-serial", f"unix:{self.work}/serial,server=on,wait=off", "-monitor", f"unix:{self.work}/monitor,server=on,wait=off"]
        taps = [f"skt{self.tag}{i}"[:15] for i in range(ports)]
        for i, tap in enumerate(taps):
            run("ip", "tuntap", "add", tap, "mode", "tap")
            words += ["-netdev", f"tap,id=n{i},ifname={tap},script=no,downscript=no",
                      "-device", f"virtio-net-pci,netdev=n{i},mac=02:00:00:0a:00:{i:02x},addr=0x{0x10 + i:x}"]
        self.process = subprocess.Popen([*words, *more], stdin=None if serial == "stdio" else subprocess.DEVNULL)
        self.wait_for_taps(taps)
        for tap, host in zip(taps, HOSTS):
            self.add_host(tap, *host)
        if serial == "socket":
            self.connect()

    def wait_for_taps(self, taps):
        """A tap has its carrier once QEMU has opened it: only then may it move."""
        for tap in taps:
            run("ip", "link", "set", tap, "up")
            for _ in range(200):
                with open(f"/sys/class/net/{tap}/carrier", encoding="ascii") as file:
                    if file.read().strip() == "1":
                        break
                time.sleep(0.05)

    def add_host(self, tap, name, address, gateway, mac):
        space = f"sekisho-image-{name}-{self.tag}"
        run("ip", "netns", "add", space)
        self.spaces.append(space)
        run("ip", "link", "set", tap, "netns", space)
        for words in (("link", "set", "lo", "up"), ("link", "set", tap, "address", mac), ("addr", "add", f"{address}/24", "dev", tap),
                      ("link", "set", tap, "up"), ("route", "add", "default", "via", gateway)):
            run("ip", "-n", space, *words)

    def space(self, name):
        return next(s for s in self.spaces if s.startswith(f"sekisho-image-{name}-"))

    # -- The serial line -------------------------------------------------------------------------------------

    def connect(self):
        for _ in range(200):
            self.line = socket.socket(socket.AF_UNIX)
            try:
                self.line.connect(f"{self.work}/serial")
                return
            except OSError:
                self.line.close()
                time.sleep(0.05)
        raise RuntimeError("the emulated machine did not start")

    def expect(self, pattern, seconds=120):
        """Waits until the pattern was printed after what was expected before; returns what came up to its end."""
        end = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.text[self.seen:])
            if match:
                start, self.seen = self.seen, self.seen + match.end()
                return self.text[start:self.seen]
            left = end - time.monotonic()
            if left <= 0 or self.process.poll() is not None:
                raise AssertionError(f"never came: {pattern}\n--- the line:\n{self.text[-3000:]}")
            if select.select([self.line], [], [], min(left, 1))[0]:
                self.text += self.decoder.decode(self.line.recv(65536))

    def send(self, text):
        self.line.sendall(text.encode())

    def command(self, words, prompt, seconds=60):
        """Types a line and returns what was printed until the prompt came again."""
        self.send(words + "\r")
        return self.expect(prompt, seconds)

    def monitor(self, words):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"{self.work}/monitor")
            line.recv(4096)
            line.sendall((words + "\n").encode())
            time.sleep(0.2)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        if self.line is not None:
            self.line.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", space], check=False)
        subprocess.run(["rm", "-rf", self.work], check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
