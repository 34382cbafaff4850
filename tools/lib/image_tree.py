"""image_tree: the files of the root file system and of the initramfs, from a manifest and nowhere else.

A pool is a directory into which Debian packages were unpacked (no script of theirs ran). Programs bring the libraries
that they name (ELF NEEDED, read by readelf), and nothing that is not listed or needed is copied. Whatever is missing
is an error: an image is whole or there is none.
"""
import os
import re
import shutil
import stat
import subprocess

# Where Debian keeps libraries; the image has a merged /usr.
LIBRARY_DIRS = ("usr/lib/{triplet}", "lib/{triplet}", "usr/lib64", "lib64", "usr/lib", "lib")
TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}


class ImageError(Exception):
    """What is wrong, where, and what would be right: one line for people."""


def read_words(path):
    """The lines of a table: their words, without comments. Yields (line number, words)."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#", 1)[0].split()
            if words:
                yield number, words


class Manifest:
    KINDS = {"own": 1, "deb": 2, "file": 2, "link": 2, "dir": 1, "package": 1}

    def __init__(self, path):
        self.rows, self.packages = [], []
        for number, words in read_words(path):
            kind, rest = words[0], words[1:]
            if self.KINDS.get(kind) != len(rest):
                raise ImageError(f"{path}:{number}: not a row of a manifest: {' '.join(words)}")
            if kind == "package":
                self.packages.append(rest[0])
                continue
            if not rest[0].startswith("/") or ".." in rest[0].split("/"):
                raise ImageError(f"{path}:{number}: not a path from the root: {rest[0]}")
            self.rows.append((f"{path}:{number}", kind, *rest))


class Tree:
    """A root directory that is being filled."""

    def __init__(self, root, pool, own, source, arch):
        self.root, self.pool, self.own, self.source = root, pool, own, source
        self.libraries = [d.format(triplet=TRIPLETS[arch]) for d in LIBRARY_DIRS]
        self.home = f"/usr/lib/{TRIPLETS[arch]}"
        self.waiting = []
        os.makedirs(root)

    def place(self, path):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    def copy(self, source, path, mode=None):
        if os.path.isdir(source):
            for name in sorted(os.listdir(source)):
                self.copy(os.path.join(source, name), f"{path}/{name}", mode)
            return
        full = self.place(path)
        shutil.copyfile(source, full)
        if mode is None:
            mode = 0o755 if os.stat(source).st_mode & stat.S_IXUSR else 0o644
        os.chmod(full, mode)
        with open(full, "rb") as file:
            if file.read(4) == b"\x7fELF":
                self.waiting.append(full)

    def add(self, where, kind, path, source=None):
        if kind == "dir":
            os.makedirs(self.root + path, exist_ok=True)
        elif kind == "link":
            os.symlink(source, self.place(path))
        else:
            base = {"own": self.own + path, "deb": f"{self.pool}/{source}", "file": f"{self.source}/{source}"}[kind]
            if not os.path.exists(base):
                raise ImageError(f"{where}: {base} is not there" +
                                 (": is its package listed?" if kind == "deb" else ""))
            self.copy(os.path.realpath(base), path)

    def find_library(self, name):
        for directory in self.libraries:
            path = f"{self.pool}/{directory}/{name}"
            if os.path.lexists(path):
                target = os.readlink(path) if os.path.islink(path) else name
                real = target.replace("//", "/")
                return self.pool + real if real.startswith("/") else os.path.join(os.path.dirname(path), real)
        return None

    def close(self):
        """Adds the libraries that the programs so far need, and those that these need."""
        done = set()
        while self.waiting:
            full = self.waiting.pop()
            text = subprocess.run(["readelf", "-Wdl", full], capture_output=True, text=True, check=True).stdout
            for name in re.findall(r"\(NEEDED\).*\[(.+)\]", text):
                if name not in done:
                    done.add(name)
                    self.add_library(name, full)
            for loader in re.findall(r"interpreter: (/\S+?)\]", text):
                if loader not in done:
                    done.add(loader)
                    self.copy(os.path.realpath(f"{self.pool}{loader}"), "/usr" + loader, 0o755)

    def add_library(self, name, wanted_by):
        source = self.find_library(name)
        if source is None or not os.path.exists(source):
            raise ImageError(f"{wanted_by[len(self.root):]} needs {name}, which no package of the manifest has")
        self.copy(os.path.realpath(source), f"{self.home}/{name}", 0o644)

    def check_programs(self):
        """A program that was built and is not in the manifest has been forgotten there."""
        for directory in ("usr/bin", "usr/libexec/sekisho"):
            for name in sorted(os.listdir(f"{self.own}/{directory}")):
                if not os.path.lexists(f"{self.root}/{directory}/{name}"):
                    raise ImageError(f"/{directory}/{name} was built, but rootfs/manifest does not list it")

    def fix_times(self, epoch):
        for directory, names, files in os.walk(self.root):
            for name in names + files:
                os.utime(os.path.join(directory, name), (epoch, epoch), follow_symlinks=False)
        os.utime(self.root, (epoch, epoch))


def module_order(pool, version, names):
    """The files of these kernel modules and of those they need, in an order in which they can be loaded."""
    base = f"{pool}/lib/modules/{version}"
    if not os.path.exists(f"{base}/modules.dep"):
        subprocess.run(["depmod", "-b", pool, version], check=True)
    needs, files, built_in = {}, {}, set()
    with open(f"{base}/modules.dep", encoding="utf-8") as file:
        for line in file:
            path, rest = line.split(":", 1)
            files[module_name(path)] = path
            needs[module_name(path)] = [module_name(p) for p in rest.split()]
    with open(f"{base}/modules.builtin", encoding="utf-8") as file:
        built_in = {module_name(line.strip()) for line in file}
    order = []

    def visit(name):
        for other in needs[name]:
            visit(other)
        if files[name] not in order:
            order.append(files[name])

    for name in names:
        name = name.replace("-", "_")
        if name in files:
            visit(name)
        elif name not in built_in:
            raise ImageError(f"the kernel {version} has no module {name}")
    return [f"{base}/{path}" for path in order]


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")
