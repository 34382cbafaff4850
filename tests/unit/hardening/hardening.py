#!/usr/bin/python3
"""hardening.py: reads every program that the build made: is it hardened as meson.build asks?

usage: hardening.py DIRECTORY WEAK_PROGRAM [--no-fortify]
       hardening.py --skip REASON

Programs are all ELF executables below DIRECTORY. One that is linked without shared libraries has no dynamic symbols: then its
own table tells, in which the C library's functions are too (that they are protected says less of ours). WEAK_PROGRAM was built without any of it and must fail every check:
so a check that cannot fail is found. Output is TAP. Reads ELF by itself (System V ABI, x86-64 psABI 1.0 "GNU
property"); needs no binutils.
"""
import os
import struct
import sys

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
PT_GNU_STACK, PT_GNU_RELRO, PT_GNU_PROPERTY = 0x6474E551, 0x6474E552, 0x6474E553
DT_NULL, DT_RPATH, DT_TEXTREL, DT_BIND_NOW, DT_RUNPATH, DT_FLAGS, DT_FLAGS_1 = 0, 15, 22, 24, 29, 30, 0x6FFFFFFB
DF_TEXTREL, DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 4, 8, 1, 0x08000000
EM_X86_64, EM_AARCH64 = 62, 183
SHT_SYMTAB, SHT_DYNSYM = 2, 11
STT_FUNC = 2


class Elf:
    """One 64-bit little-endian ELF file: segments, dynamic entries, dynamic symbols, property bits."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        header = struct.unpack_from("<16sHHIQQQIHHHHHH", self.data)
        self.type, self.machine = header[1], header[2]
        phoff, shoff, phsize, phnum, shsize, shnum = header[5], header[6], header[9], header[10], header[11], header[12]
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * phsize) for i in range(phnum)]
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * shsize) for i in range(shnum)]

    def segment(self, kind):
        """(flags, offset, size in the file) of the first segment of this kind, or None."""
        for s in self.segments:
            if s[0] == kind:
                return s[1], s[2], s[5]
        return None

    def dynamic(self):
        found, (_, offset, size) = {}, self.segment(PT_DYNAMIC)
        for at in range(offset, offset + size, 16):
            tag, value = struct.unpack_from("<qQ", self.data, at)
            if tag == DT_NULL:
                break
            found[tag] = value
        return found

    def is_static(self):
        return self.segment(PT_INTERP) is None

    def symbols(self, table=None):
        """Yields (name, type, defined here) of each dynamic symbol; of a static program: of each."""
        wanted = table or (SHT_SYMTAB if self.is_static() else SHT_DYNSYM)
        for s in self.sections:
            if s[1] != wanted:
                continue
            strings = self.sections[s[6]][4]
            for at in range(s[4] + 24, s[4] + s[5], 24):
                name, info, _, section = struct.unpack_from("<IBBH", self.data, at)
                end = self.data.index(b"\0", strings + name)
                yield self.data[strings + name:end].decode(), info & 15, section != 0

    def code(self):
        """The bytes of all executable segments."""
        return b"".join(self.data[s[2]:s[2] + s[5]] for s in self.segments if s[0] == PT_LOAD and s[1] & 1)

    def properties(self):
        """The AND of the x86 features (bit 0 IBT, 1 SHSTK) or the AArch64 ones (bit 0 BTI, 1 PAC)."""
        segment = self.segment(PT_GNU_PROPERTY)
        if segment is None:
            return 0
        wanted = 0xC0000002 if self.machine == EM_X86_64 else 0xC0000000
        at, end = segment[1] + 16, segment[1] + segment[2]
        while at + 8 <= end:
            kind, size = struct.unpack_from("<II", self.data, at)
            if kind == wanted:
                return struct.unpack_from("<I", self.data, at + 8)[0]
            at += 8 + (size + 7) // 8 * 8
        return 0


def pie(elf):
    return elf.type == 3 and bool(elf.dynamic().get(DT_FLAGS_1, 0) & DF_1_PIE)


def relro(elf):
    return elf.segment(PT_GNU_RELRO) is not None


def bind_now(elf):
    d = elf.dynamic()
    return DT_BIND_NOW in d or bool(d.get(DT_FLAGS, 0) & DF_BIND_NOW) or bool(d.get(DT_FLAGS_1, 0) & DF_1_NOW)


def no_executable_stack(elf):
    stack = elf.segment(PT_GNU_STACK)
    return stack is not None and not stack[0] & 1


def no_writable_code(elf):
    return not any(s[0] == PT_LOAD and s[1] & 3 == 3 for s in elf.segments)


def stack_protector(elf):
    return any(name == "__stack_chk_fail" for name, _, _ in elf.symbols())


def fortify(elf):
    return any(name.endswith("_chk") for name, _, _ in elf.symbols())


def shadow_stack(elf):
    """x86-64: marked for shadow stacks. AArch64: BTI and PAC. Elsewhere there is nothing of the kind."""
    return elf.properties() & 2 != 0 if elf.machine in (EM_X86_64, EM_AARCH64) else True


def branch_targets(elf):
    """x86-64: our functions begin with ENDBR64 (the mark for it needs the C library's help, the code does not)."""
    return elf.code().count(b"\xf3\x0f\x1e\xfa") > 10 if elf.machine == EM_X86_64 else True


def exports_nothing(elf):
    return not any(kind == STT_FUNC and here for name, kind, here in elf.symbols(SHT_DYNSYM)
                   if name not in ("_init", "_fini"))


def no_library_path(elf):
    d = elf.dynamic()
    return DT_RPATH not in d and DT_RUNPATH not in d


CHECKS = [pie, relro, bind_now, no_executable_stack, no_writable_code, stack_protector, fortify, shadow_stack,
          branch_targets, exports_nothing, no_library_path]


def programs(directory):
    """Paths of the executables: ELF with the right to run, and an interpreter unless it is static."""
    for where, folders, names in os.walk(directory):
        folders.sort()
        for path in sorted(os.path.join(where, n) for n in names):
            if not os.path.isfile(path) or not os.access(path, os.X_OK):
                continue
            with open(path, "rb") as f:
                if f.read(6) != b"\x7fELF\x02\x01":
                    continue
            elf = Elf(path)
            if not elf.is_static() or pie(elf):
                yield path


def main(args):
    if args[0] == "--skip":
        print(" ".join(args[1:]))
        return 77
    checks = [c for c in CHECKS if c is not fortify or "--no-fortify" not in args]
    rows = []
    for path in programs(args[0]):
        elf = Elf(path)
        missing = [c.__name__ for c in checks if not c(elf)]
        rows.append((not missing, os.path.basename(path), ", ".join(missing)))
    weak = Elf(args[1])
    blind = [c.__name__ for c in checks if c(weak)]
    rows.append((not blind, "a weak program fails every check", "but passes " + ", ".join(blind)))
    rows.append((len(rows) > 1, "there are programs", args[0]))
    for number, (good, name, why) in enumerate(rows, 1):
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        if not good:
            print(f"# {name}: {why}")
    print(f"1..{len(rows)}")
    return 0 if all(r[0] for r in rows) else 1


sys.exit(main(sys.argv[1:]))
