"""certificates.py: an authority, and certificates by it, as openssl makes them: PEM files, and their fingerprints."""
import os
import subprocess


def run(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """Certificates in a directory: NAME.crt, NAME.key."""

    def __init__(self, directory, name="ca"):
        self.directory, self.name = directory, name
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "100", "-subj",
            f"/CN={name}", "-keyout", self.path(name + ".key"), "-out", self.path(name + ".crt"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name, host, kind="ec", days=100):
        """A certificate for that host; days < 0: one that is over."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if kind == "ec" else ["-newkey", "rsa:2048"]
        with open(self.path(name + ".ext"), "w", encoding="ascii") as f:
            f.write(f"subjectAltName=DNS:{host}\n")
        run("req", *key, "-nodes", "-subj", f"/CN={host}", "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
        times = ["-days", str(days)]
        run("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path(self.name + ".crt"), "-CAkey",
            self.path(self.name + ".key"), "-CAcreateserial", *times, "-extfile", self.path(name + ".ext"), "-out",
            self.path(name + ".crt"))
        return self.path(name + ".crt"), self.path(name + ".key")

    def fingerprint(self, name):
        got = subprocess.run(["openssl", "x509", "-in", self.path(name + ".crt"), "-noout", "-fingerprint", "-sha256"], check=True,
                             capture_output=True, text=True).stdout
        return got.split("=")[1].strip()


__all__ = ["Authority"]
