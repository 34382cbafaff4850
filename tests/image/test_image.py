#!/usr/bin/python3
"""test_image: the real image in an emulated machine: start, first administrator, login, damage, fall-back.

usage: test_image.py IMAGE [--all]    (TAP; needs root, for the hosts on its ports; without --all only the first three)

Each test starts from the image as it was built; the damaged ones from a copy in which some bytes are changed.
"""
import datetime
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools/lib"))
from image_machine import Machine  # noqa: E402

MIB = 1 << 20
# As tools/lib/image_disk.py lays them out, in MiB.
ESP, BOOT_A, ROOT_A, ROOT_B, DATA = 2, 18, 114, 210, 306
PASSWORD = "hakodate ringo 77"
ASK_NAME = r"tanaka\): "


def first_administrator(machine):
    machine.expect(r"\): ")
    machine.send("tanaka\r")
    machine.expect("records: ")
    machine.send("田中太郎\r")
    for text in ("short", PASSWORD):
        machine.expect("New password: ")
        machine.send(text + "\r")
    machine.expect("more: ")
    machine.send(PASSWORD + "\r")
    machine.expect("login: $")


def copy_with(image, changes):
    """A copy of the image with these bytes: {offset: bytes}."""
    path = tempfile.mktemp(prefix="sekisho-disk-", dir=os.path.dirname(image))
    subprocess.run(["cp", "--sparse=always", image, path], check=True)
    with open(path, "r+b") as disk:
        for offset, data in changes.items():
            disk.seek(offset)
            disk.write(data)
    return path


def flipped(image, offset):
    with open(image, "rb") as disk:
        disk.seek(offset)
        return {offset: bytes([disk.read(1)[0] ^ 0x10])}


def environment(disk):
    out = subprocess.run(["mtype", "-i", f"{disk}@@{ESP}M", "::grubenv"], capture_output=True, check=True).stdout
    return out.decode("latin-1").rstrip("#")


def test_start(image):
    """Closed, the serial line asks for the first administrator; then only he gets in; the boot loader is told."""
    disk = copy_with(image, {})
    try:
        with Machine(disk, keep=True) as machine:
            machine.expect(ASK_NAME)
            used = machine.cpu_seconds()
            for junk in ("\x00\x1b[A\x7f\x7f\xff\x15Root", "-x", ""):
                machine.send(junk + "\r")
                machine.expect("Not taken.*\\s+.*tanaka")
            first_administrator(machine)
            machine.send("root\r")
            machine.expect("Password: ")
            machine.send("\r")
            machine.expect("login: $")
            machine.send("tanaka\r")
            machine.expect("Password: ")
            machine.send("hakodate ringo 78\r")
            machine.expect("login: $")
            machine.send("tanaka\r")
            machine.expect("Password: ")
            machine.send(PASSWORD + "\r")
            machine.expect("failed tries before: 1")
            for _ in range(60):
                if "A_TRY=0" in environment(disk):
                    break
                subprocess.run(["sleep", "1"], check=True)
            assert "A_TRY=0" in environment(disk), f"the slot was not marked: {environment(disk)}"
        return f"{used:.1f} s of the emulator's CPU until the line asked"
    finally:
        os.unlink(disk)


POLICY = """set system hostname gate-01 timezone Asia/Tokyo language en
set segment mynumber kind mynumber interface eth0 address 10.1.0.1/24 network 10.1.0.0/16
set segment lgwan kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16
set segment internet kind internet interface eth2 address 192.0.2.1/24 network other
set host relay segment mynumber address 10.1.0.20 mac 02:00:00:01:00:20
set host renkei segment lgwan address 10.2.0.8 mac 02:00:00:02:00:08
set allow pittari from relay to renkei service tcp/443
set allow pittari purpose "applications" applicant "residents" asset-class 1
set allow pittari approval ciso name "deputy mayor" date 2026-04-01 number R8-014
set allow pittari starts 2026-04-01 expires {end}
"""
CONFIGURE, OPERATE = r"@[a-z0-9-]+# $", r"@[a-z0-9-]+> $"


def log_in(machine):
    machine.send("tanaka\r")
    machine.expect("Password: ")
    machine.send(PASSWORD + "\r")
    machine.expect(OPERATE)
    machine.command("set cli screen-length 0", OPERATE)


def talk(machine, source, target, address, port, seconds=8):
    """Does a line of text come through from a host of one port to a server on another?"""
    serve = f"import socket\ns=socket.create_server(('{address}',{port}))\ns.settimeout({seconds})\nc=s.accept()[0]\nc.sendall(c.recv(64))"
    call = f"import socket\ns=socket.create_connection(('{address}',{port}),{seconds - 2})\ns.sendall(b'tsukou tegata')\nprint(s.recv(64).decode())"
    server = subprocess.Popen(["ip", "netns", "exec", machine.space(target), "/usr/bin/python3", "-c", serve], stderr=subprocess.DEVNULL)
    try:
        subprocess.run(["sleep", "0.5"], check=True)
        said = subprocess.run(["ip", "netns", "exec", machine.space(source), "/usr/bin/python3", "-c", call], capture_output=True, text=True)
        return "tsukou tegata" in said.stdout
    finally:
        server.kill()
        server.wait()


def test_traffic(image):
    """From the first start to a policy in force, all on the serial line; the approved flow passes and nothing else; after a restart too."""
    end = (datetime.date.today() + datetime.timedelta(days=100)).isoformat()
    disk = copy_with(image, {})
    try:
        with Machine(disk, keep=True) as machine:
            first_administrator(machine)
            log_in(machine)
            assert not talk(machine, "mynumber", "lgwan", "10.2.0.8", 443), "it passed before there was a policy"
            machine.command("configure", CONFIGURE)
            for line in POLICY.format(end=end).splitlines():
                text = machine.command(line, CONFIGURE)
                assert "error" not in text, text
            machine.command("commit who tanaka why test", CONFIGURE + "|approval, if there is one: $", 120)
            machine.send("\r")
            machine.expect(CONFIGURE, 120)
            assert talk(machine, "mynumber", "lgwan", "10.2.0.8", 443), "the approved flow does not pass:\n" + machine.command("show", CONFIGURE)
            assert not talk(machine, "mynumber", "lgwan", "10.2.0.8", 444), "another port passes"
            assert not talk(machine, "lgwan", "mynumber", "10.1.0.20", 443), "the other direction passes"
            assert not talk(machine, "mynumber", "internet", "192.0.2.25", 443), "mynumber reaches the internet"
            machine.command("exit", OPERATE)
            text = machine.command("show log drops | no-more", OPERATE)
            assert "tcp/444" in text and "192.0.2.25" in text, text
        with Machine(disk, keep=True) as machine:
            machine.expect("login: $")
            log_in(machine)
            for _ in range(20):
                if talk(machine, "mynumber", "lgwan", "10.2.0.8", 443):
                    break
            else:
                raise AssertionError("after a restart the approved flow does not pass\n" + machine.command("show status", OPERATE))
            assert not talk(machine, "mynumber", "lgwan", "10.2.0.8", 444), "another port passes after a restart"
    finally:
        os.unlink(disk)


def test_accounts(image):
    """A second person: temporary password, a password of his own, what his role may; the administrator who disables him; a restart."""
    disk = copy_with(image, {})
    try:
        with Machine(disk, keep=True) as machine:
            first_administrator(machine)
            log_in(machine)
            text = machine.command("account add suzuki --role operator --person Suzuki", OPERATE)
            temporary = re.search(r"suzuki: (\S{4}-\S{4}-\S{4}-\S{4})", text)
            assert temporary, text
            assert "no administrator would be left" in machine.command("account disable tanaka", OPERATE)
            assert "was one" in machine.command("account add suzuki --role viewer --person Other", OPERATE)
            text = machine.command("account list | no-more", OPERATE)
            assert re.search(r"suzuki\s+operator\s+temporary", text) and re.search(r"tanaka\s+administrator\s+enabled", text), text
            machine.send("exit\r")
            machine.expect("login: $")
            machine.send("suzuki\r")
            machine.expect("Password: ")
            machine.send(temporary.group(1) + "\r")
            for words in ("New password: ", "more: "):
                machine.expect(words)
                machine.send("sapporo mikan 31\r")
            machine.expect(OPERATE)
            for words in ("account list", "account disable tanaka", "restart-box"):
                assert "administrator" in machine.command(words, OPERATE), words
            machine.send("exit\r")
            machine.expect("login: $")
            log_in(machine)
            machine.command("account disable suzuki", OPERATE)
            for _ in range(10):  # records are stored once a second
                text = machine.command("show log faults | no-more", OPERATE)
                if "tanaka: disabled: suzuki" in text:
                    break
            assert "tanaka: disabled: suzuki" in text, text
            machine.send("exit\r")
            machine.expect("login: $")
            machine.send("suzuki\r")
            machine.expect("Password: ")
            machine.send("sapporo mikan 31\r")
            machine.expect("login: $")
            log_in(machine)
            machine.send("restart-box\r")
            machine.expect("starting a", 120)
            machine.expect("login: $", 120)
    finally:
        os.unlink(disk)


def test_lockout(image):
    """Five wrong passwords: then the right one is refused too, for a minute, and taken after it."""
    with Machine(image) as machine:
        first_administrator(machine)
        for _ in range(5):
            machine.send("tanaka\r")
            machine.expect("Password: ")
            machine.send("not this one 11\r")
            machine.expect("login: $", 60)
        machine.send("tanaka\r")
        machine.expect("Password: ")
        machine.send(PASSWORD + "\r")
        text = machine.expect("login: $|failed tries", 60)
        assert "failed tries" not in text, "the right password is taken after five wrong ones"
        subprocess.run(["sleep", "65"], check=True)
        machine.send("tanaka\r")
        machine.expect("Password: ")
        machine.send(PASSWORD + "\r")
        machine.expect("failed tries", 60)


def test_uefi(image):
    with Machine(image, firmware="uefi") as machine:
        machine.expect(ASK_NAME, 240)


def falls_back(image, changes, said):
    disk = copy_with(image, changes)
    try:
        with Machine(disk) as machine:
            text = machine.expect("starting b", 240) + machine.expect(ASK_NAME, 240)
            assert re.search(said, text), f"nothing like {said} in:\n{text}"
    finally:
        os.unlink(disk)


def test_damaged_kernel(image):
    falls_back(image, flipped(image, (BOOT_A + 4) * MIB), "slot A is damaged")


def test_damaged_root_start(image):
    falls_back(image, flipped(image, ROOT_A * MIB + 8), "")


def test_damaged_root(image):
    falls_back(image, {ROOT_A * MIB + offset: b"\xff" * 4096 for offset in range(MIB, 5 * MIB, 65536)}, "")


def test_lost_environment(image):
    """A power cut in the middle of writing grubenv: it starts all the same. A terminal that shows Japanese is spoken to in it."""
    with open(image, "rb") as disk:
        disk.seek(ESP * MIB)
        esp = disk.read(16 * MIB)
    place = esp.index(b"# GRUB Environment Block")
    disk = copy_with(image, {ESP * MIB + place: b"\0" * 1024})
    try:
        with Machine(disk) as machine:
            machine.expect(r"\x1b\[6n")
            machine.send("\x1b[1;3R")
            machine.expect("最初の管理者を作ってください")
            machine.expect("tanaka\\): ")
    finally:
        os.unlink(disk)


def test_lost_data(image):
    """The data partition is gone: closed, and it says so."""
    disk = copy_with(image, {DATA * MIB: b"\0" * (4 * MIB)})
    try:
        with Machine(disk) as machine:
            machine.expect("the gate stays closed")
            machine.expect("The data partition cannot be used")
            machine.expect(ASK_NAME)
    finally:
        os.unlink(disk)


TESTS = (test_start, test_traffic, test_accounts, test_lockout, test_uefi, test_damaged_kernel, test_damaged_root_start, test_damaged_root, test_lost_environment, test_lost_data)


def main(words):
    if os.geteuid() != 0 or shutil.which("qemu-system-x86_64") is None or not os.path.exists(words[0]):
        print("root, qemu-system-x86_64 and an image (tools/build-image) are needed")
        return 77
    failed = 0
    for number, test in enumerate(TESTS if "--all" in words else TESTS[:3], 1):
        name = test.__name__.removeprefix("test_")
        try:
            note = test(words[0])
            print(f"ok {number} - {name}" + (f"\n# {note}" if note else ""), flush=True)
        except (AssertionError, OSError, RuntimeError, subprocess.CalledProcessError) as error:
            failed += 1
            print(f"not ok {number} - {name}")
            print("\n".join("# " + line for line in str(error).splitlines()), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
