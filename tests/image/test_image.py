#!/usr/bin/python3
"""test_image: the real image in an emulated machine: start, first administrator, login, damage, fall-back.

usage: test_image.py IMAGE    (TAP; needs root, for the hosts on its ports)

Each test starts from the image as it was built; the damaged ones from a copy in which some bytes are changed.
"""
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
    """A power cut in the middle of writing grubenv: it starts all the same."""
    with open(image, "rb") as disk:
        disk.seek(ESP * MIB)
        esp = disk.read(16 * MIB)
    place = esp.index(b"# GRUB Environment Block")
    disk = copy_with(image, {ESP * MIB + place: b"\0" * 1024})
    try:
        with Machine(disk) as machine:
            machine.expect(ASK_NAME)
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


TESTS = (test_start, test_uefi, test_damaged_kernel, test_damaged_root_start, test_damaged_root, test_lost_environment, test_lost_data)


def main(words):
    if os.geteuid() != 0 or shutil.which("qemu-system-x86_64") is None or not os.path.exists(words[0]):
        print("root, qemu-system-x86_64 and an image (tools/build-image) are needed")
        return 77
    failed = 0
    for number, test in enumerate(TESTS, 1):
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
