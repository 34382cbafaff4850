"""test_vm.py: the gate on another kernel: starts an emulated machine (tools/vm) and passes on what guest.py says in it."""
import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VM = os.path.join(ROOT, "tools", "vm")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--kernel", default="6.12", choices=["6.12", "6.1"])
    parser.add_argument("--timeout", type=int, default=540)
    parser.add_argument("parts", nargs="*", help="parts of guest.py; none: all")
    options = parser.parse_args()
    ready = subprocess.run([VM, "--kernel", options.kernel, "--fetch"], capture_output=True, text=True, check=False)
    if ready.returncode != 0:
        print(f"1..0 # SKIP {ready.stderr.strip().splitlines()[-1] if ready.stderr.strip() else 'tools/vm cannot run here'}")
        return 0
    inner = ["/usr/bin/python3", os.path.join(HERE, "guest.py"), "--build", os.path.abspath(options.build), *options.parts]
    return subprocess.run([VM, "--kernel", options.kernel, "--timeout", str(options.timeout), "--", *inner],
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
