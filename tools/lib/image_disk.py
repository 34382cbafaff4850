"""image_disk: from trees to a disk: initramfs, verified root, boot slots, boot loader, partition table.

Everything that would differ between two builds is given: times, identifiers, salts. The layout (GPT):

	1 bios    1 MiB   the boot loader for firmware of the BIOS kind
	2 esp    16 MiB   FAT: the boot loader for UEFI, and grubenv (which slot is next)
	3 boot-a 48 MiB   FAT: kernel, initramfs, their sums, and the root hash of slot A
	4 boot-b 48 MiB   the same for B
	5 root-a 96 MiB   squashfs, its dm-verity tree behind it
	6 root-b 96 MiB
	7 data   the rest ext4: policy, accounts, records
"""
import hashlib
import lzma
import os
import struct
import subprocess

from image_tree import ImageError

MIB = 1 << 20
SECTOR = 512
PARTITIONS = (  # name, MiB (0: the rest), type
    ("bios", 1, "21686148-6449-6E6F-744E-656564454649"),
    ("esp", 16, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
    ("boot-a", 48, "BC13C2FF-59E6-4262-A352-B275FD6F7172"),
    ("boot-b", 48, "BC13C2FF-59E6-4262-A352-B275FD6F7172"),
    ("root-a", 96, "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"),
    ("root-b", 96, "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"),
    ("data", 0, "0FC63DAF-8483-4772-8E79-3D69D8477DE4"),
)
GRUB_MODULES = ("part_gpt", "fat", "memdisk", "tar", "normal", "configfile", "linux", "loadenv", "search",
                "search_label", "regexp", "test", "echo", "serial", "terminal", "reboot", "sleep", "hashsum",
                "gcry_sha256")
VERITY_SALT = hashlib.sha256(b"sekisho root file system").hexdigest()


def identifier(text):
    """A UUID that depends on the text alone."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def run(*words, **kw):
    result = subprocess.run(words, capture_output=True, text=True, **kw)
    if result.returncode != 0:
        raise ImageError(f"{words[0]} failed: {(result.stderr or result.stdout).strip()[-800:]}")
    return result.stdout


def pack_initramfs(tree, out):
    """A cpio archive in a fixed order, owned by root, packed with zstd."""
    names = sorted(run("find", ".", "-mindepth", "1", cwd=tree).split("\n")[:-1])
    archive = subprocess.run(["cpio", "--reproducible", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=tree,
                             input="\n".join(names).encode(), capture_output=True, check=True).stdout
    subprocess.run(["zstd", "-q", "-19", "-T1", "-f", "-o", out], input=archive, check=True)


def put_modules(tree, lists):
    """Unpacks kernel modules into the initramfs, with a list for each moment at which some are loaded."""
    seen = set()
    for when, files in lists.items():
        with open(f"{tree}/m/{when}", "w", encoding="ascii") as table:
            for path in files:
                name = os.path.basename(path).removesuffix(".xz")
                if name in seen:
                    continue
                seen.add(name)
                table.write(name + "\n")
                with open(path, "rb") as file:
                    data = file.read()
                with open(f"{tree}/m/{name}", "wb") as file:
                    file.write(lzma.decompress(data) if path.endswith(".xz") else data)


def make_root(tree, out, epoch):
    """squashfs with its dm-verity tree behind it. Returns what the initramfs needs: "hash:blocks:start:salt"."""
    if os.path.exists(out):
        os.unlink(out)
    run("mksquashfs", tree, out, "-noappend", "-all-root", "-comp", "zstd", "-Xcompression-level", "19", "-no-xattrs",
        "-no-progress", "-quiet", "-processors", "1", "-reproducible", env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)})
    size = -(-os.path.getsize(out) // 4096) * 4096
    os.truncate(out, size)
    text = run("veritysetup", "format", "--no-superblock", "--hash=sha256", "--data-block-size=4096",
               "--hash-block-size=4096", f"--data-blocks={size // 4096}", f"--hash-offset={size}",
               f"--salt={VERITY_SALT}", out, out)
    digest = next(line.split()[-1] for line in text.splitlines() if line.startswith("Root hash"))
    return f"{digest}:{size // 4096}:{size // 4096}:{VERITY_SALT}"


def make_fat(out, size, label, files, epoch):
    """A FAT file system of these files: {name in it: path}."""
    with open(out, "wb") as file:
        file.truncate(size)
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC"}
    serial = hashlib.sha256(label.encode()).hexdigest()[:8]
    run("mkfs.vfat", "--invariant", "-i", serial, "-n", label, out, env=env)
    made = set()
    for name, path in files.items():
        parent = os.path.dirname(name)
        for depth in range(1, len(parent.split("/")) + 1 if parent else 1):
            directory = "/".join(parent.split("/")[:depth])
            if directory not in made:
                made.add(directory)
                run("mmd", "-i", out, f"::{directory}", env=env)
        os.utime(path, (epoch, epoch))
        run("mcopy", "-m", "-i", out, path, f"::{name}", env=env)


def make_boot(out, work, kernel, initrd, arguments, verity, epoch):
    """A boot slot: what it starts, its sums, and what the initramfs is told."""
    slot = f"{work}/slot.cfg"
    with open(slot, "w", encoding="ascii") as file:
        file.write(f'set arguments="{arguments}"\nset verity={verity}\n')
    files = {"vmlinuz": kernel, "initrd": initrd, "slot.cfg": slot}
    sums = f"{work}/sums"
    with open(sums, "w", encoding="ascii") as file:
        for name, path in files.items():
            with open(path, "rb") as content:
                file.write(f"{hashlib.sha256(content.read()).hexdigest()}  {name}\n")
    make_fat(out, 48 * MIB, "SEKISHOBOOT", {**files, "sums": sums}, epoch)


def grub_environment(path, **words):
    """grubenv: a block of 1024 bytes, which the boot loader overwrites in place."""
    text = "# GRUB Environment Block\n" + "".join(f"{k}={v}\n" for k, v in words.items())
    with open(path, "wb") as file:
        file.write(text.encode().ljust(1024, b"#"))


def make_loaders(work, config, epoch):
    """The boot loader for both kinds of firmware. Its configuration lies inside it."""
    os.makedirs(f"{work}/mem/boot/grub", exist_ok=True)
    with open(config, encoding="utf-8") as source, open(f"{work}/mem/boot/grub/grub.cfg", "w", encoding="utf-8") as file:
        file.write(source.read())
    run("tar", "--sort=name", f"--mtime=@{epoch}", "--owner=0", "--group=0", "--numeric-owner", "-cf", f"{work}/mem.tar",
        "-C", f"{work}/mem", "boot")
    for target, out, more in (("i386-pc", "core.img", ("biosdisk", "ahci")), ("x86_64-efi", "bootx64.efi", ("efi_gop",))):
        run("grub-mkimage", "-O", target, "-o", f"{work}/{out}", "-m", f"{work}/mem.tar", "-p", "(memdisk)/boot/grub",
            *GRUB_MODULES, *[m for m in more if m != "ahci"])
    return f"{work}/core.img", f"{work}/bootx64.efi"


def bios_start(disk, core, first):
    """
    What grub-install does for firmware of the BIOS kind, without a mounted disk: the first sector of the disk loads
    core.img from sector `first`, and core.img's first sector knows where its rest lies.
    """
    with open("/usr/lib/grub/i386-pc/boot.img", "rb") as file:
        start = bytearray(file.read()[:440])
    start[0x5C:0x64] = struct.pack("<Q", first)
    start[0x66:0x68] = b"\x90\x90"
    with open(core, "rb") as file:
        data = bytearray(file.read())
    sectors = -(-len(data) // SECTOR) - 1
    data[500:512] = struct.pack("<QHH", first + 1, sectors, 0x820)
    disk.seek(0)
    disk.write(start)
    disk.seek(first * SECTOR)
    disk.write(data)


def make_disk(out, size_mib, board, contents, core):
    """contents: {name of the partition: path}. Returns {name: (offset, bytes)}."""
    rows, offset, places = [f"label: gpt\nlabel-id: {identifier(board)}\nfirst-lba: 34\n"], 1, {}
    for name, mib, kind in PARTITIONS:
        mib = mib or size_mib - offset - 1
        rows.append(f"start={offset * MIB // SECTOR}, size={mib * MIB // SECTOR}, type={kind}, name={name}, "
                    f"uuid={identifier(board + name)}\n")
        places[name] = (offset * MIB, mib * MIB)
        offset += mib
    if os.path.exists(out):
        os.unlink(out)
    with open(out, "wb") as disk:
        disk.truncate(size_mib * MIB)
    run("sfdisk", "--quiet", out, input="".join(rows))
    with open(out, "r+b") as disk:
        bios_start(disk, core, places["bios"][0] // SECTOR)
        for name, path in contents.items():
            start, room = places[name]
            if os.path.getsize(path) > room:
                raise ImageError(f"{name} needs {os.path.getsize(path) >> 20} MiB and has {room >> 20}")
            disk.seek(start)
            with open(path, "rb") as file:
                while block := file.read(MIB):
                    if block.strip(b"\0"):
                        disk.write(block)
                    else:
                        disk.seek(len(block), os.SEEK_CUR)
    return places


def make_data(out, size, epoch):
    """An empty ext4: what the box writes."""
    with open(out, "wb") as file:
        file.truncate(size)
    run("mke2fs", "-q", "-t", "ext4", "-L", "sekisho-data", "-U", identifier("data"), "-m", "1",
        "-E", f"hash_seed={identifier('hash')},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0", out,
        env={**os.environ, "E2FSPROGS_FAKE_TIME": str(epoch)})
