"""peers.py: real servers and clients from Debian, each as a short recipe: what to start, what conversations to hold.

A recipe gets a Place (two network namespaces, a directory) and holds its conversations inside `with place.session(NAME):`. What
a session is for is the caller's: tools/make-captures records each, tests send them through the gate. A recipe whose programs
are not there is left out, with its name and what is missing.

To add one: a function with @peer(...); `needs` are the programs it calls.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import time

PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin:/usr/lib/postgresql/17/bin"
RECIPES = {}
NAME = "renkei.example.lg.jp"


def peer(application, port, needs, proto="tcp", session_ports=None):
    def register(function):
        RECIPES[function.__name__] = {"run": function, "application": application, "port": port, "needs": needs, "proto": proto,
                                      "session_ports": session_ports or {}}
        return function
    return register


def missing(recipe):
    return [n for n in RECIPES[recipe]["needs"] if shutil.which(n, path=PATH) is None]


class Failed(Exception):
    pass


class Place:
    """Where a recipe runs. server_ip and client_ip are reachable from each other through whatever lies between."""

    def __init__(self, work, server, client, server_ip, client_ip, session=None):
        self.work, self.server, self.client, self.server_ip, self.client_ip = work, server, client, server_ip, client_ip
        self.make_session = session or contextlib.nullcontext
        self.running = []
        self.expect_refused = False
        os.makedirs(work, exist_ok=True)
        os.chmod(work, 0o755)

    def file(self, name, text, mode=0o644):
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def folder(self, name, owner=None, mode=0o755):
        path = os.path.join(self.work, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if owner:
            shutil.chown(path, owner, owner)
        return path

    def environment(self, extra):
        return {"PATH": PATH, "HOME": self.work, "LANG": "C.UTF-8", **(extra or {})}

    def start(self, *words, env=None, port=None, user=None, proto="tcp"):
        """A server in its namespace, until the recipe is over; waits until it listens on `port`."""
        log = open(os.path.join(self.work, os.path.basename(words[0]) + ".log"), "ab")
        command = ["ip", "netns", "exec", self.server, *(["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []),
                   *words]
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(env),
                             cwd=self.work, start_new_session=True)
        log.close()
        self.running.append(p)
        if port:
            self.wait_for(port, proto, p)
        return p

    def wait_for(self, port, proto, process, seconds=20):
        end = time.monotonic() + seconds
        kinds = {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6")}[proto]
        want = f":{port:04X}"
        while time.monotonic() < end:
            if process.poll() is not None:
                raise Failed(f"{process.args[3:6]} ended with {process.returncode}")
            for kind in kinds:
                text = subprocess.run(["ip", "netns", "exec", self.server, "cat", f"/proc/net/{kind}"], capture_output=True,
                                      text=True, check=False).stdout
                for line in text.splitlines()[1:]:
                    words = line.split()
                    if words[1].endswith(want) and words[3] in ("0A", "07"):
                        return
            time.sleep(0.05)
        raise Failed(f"nothing listens on {proto}/{port}")

    def here(self, *words, env=None, stdin="", check=True, user=None):
        """A command of no namespace: making keys and databases."""
        command = [*(["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=self.environment(env), cwd=self.work,
                              timeout=60, check=False)
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(words[:3])}: {done.returncode}: {(done.stderr or done.stdout)[-300:]}")
        return done

    def ask(self, *words, env=None, stdin="", good=(0,), seconds=20, wants=None, may_work=False):
        """A client. Fails unless it exits with one of `good` and its output holds `wants`; the other way round when the gate is
        to refuse it (may_work: what it says then does not tell)."""
        if self.expect_refused:
            seconds = min(seconds, 4)
        command = ["ip", "netns", "exec", self.client, "timeout", str(seconds), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, errors="replace", env=self.environment(env),
                              cwd=self.work, timeout=seconds + 10, check=False)
        text = done.stdout + done.stderr
        went = done.returncode in good and (wants is None or wants in text)
        if went == self.expect_refused and not (may_work and went):
            raise Failed(f"{' '.join(words[:6])}: exit {done.returncode}: {text[-300:]}")
        return done

    def python(self, code, **more):
        """A client in a few lines of Python: HOST is the server."""
        return self.ask("/usr/bin/python3", "-c", code.replace("HOST", self.server_ip), **more)

    def session(self, name):
        return self.make_session(name)

    def certificate(self):
        """(key, certificate) of NAME, made once."""
        key, cert = os.path.join(self.work, "key.pem"), os.path.join(self.work, "cert.pem")
        if not os.path.exists(cert):
            self.here("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                      "-out", cert, "-days", "30", "-subj", f"/CN={NAME}")
            os.chmod(key, 0o644)
        return key, cert

    def close(self):
        for p in self.running:
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGTERM)
        for p in self.running:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
        self.running = []


# -- recipes --------------------------------------------------------------------------------------------------------------


@peer("tls", 443, ("openssl",))
def tls(p):
    key, cert = p.certificate()
    p.start("openssl", "s_server", "-accept", "443", "-key", key, "-cert", cert, "-www", "-alpn", "h2,http/1.1", "-groups",
            "P-384:X25519", port=443)
    base = ["openssl", "s_client", "-connect", f"{p.server_ip}:443", "-servername", NAME, "-ign_eof"]
    get = "GET / HTTP/1.0\r\n\r\n"
    with p.session("tls13"):
        p.ask(*base, "-tls1_3", "-groups", "P-384", stdin=get, wants="HTTP/1.0 200")
    with p.session("tls12"):
        p.ask(*base, "-tls1_2", stdin=get, wants="HTTP/1.0 200")
    with p.session("hello-retry"):
        p.ask(*base, "-tls1_3", "-groups", "X25519:P-384", stdin=get, wants="HTTP/1.0 200")
    with p.session("alpn"):
        p.ask(*base, "-alpn", "http/1.1", stdin=get, wants="HTTP/1.0 200")
    ticket = os.path.join(p.work, "ticket")
    with p.session("ticket"):
        p.ask(*base, "-tls1_3", "-sess_out", ticket, stdin=get, wants="HTTP/1.0 200")
    with p.session("resumed"):
        given = ["-sess_in", ticket] if os.path.exists(ticket) else []  # none was given where it is refused
        p.ask(*base, "-tls1_3", *given, stdin=get, wants="HTTP/1.0 200")


@peer("ssh", 22, ("sshd", "ssh", "ssh-keygen"))
def ssh(p):
    os.makedirs("/run/sshd", exist_ok=True)
    for kind in ("host", "user"):
        key = os.path.join(p.work, kind)
        if not os.path.exists(key):
            p.here("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    keys = p.file("authorized", open(os.path.join(p.work, "user.pub"), encoding="ascii").read(), 0o600)
    conf = p.file("sshd_config", f"HostKey {p.work}/host\nAuthorizedKeysFile {keys}\nStrictModes no\nUsePAM no\n"
                  "PermitRootLogin yes\nPidFile none\n")
    p.start("/usr/sbin/sshd", "-D", "-e", "-f", conf, port=22)
    base = ["ssh", "-F", "none", "-i", f"{p.work}/user", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "ConnectTimeout=8", f"root@{p.server_ip}"]
    with p.session("command"):
        p.ask(*base, "echo crossed", wants="crossed")
    with p.session("other-kex"):
        p.ask(*base, "-o", "KexAlgorithms=diffie-hellman-group-exchange-sha256", "echo crossed", wants="crossed")


# Answers when it has the whole body, as most servers do.
TAKES_ALL = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        n = len(self.rfile.read(int(self.headers["Content-Length"])))
        text = b"got %d\\n" % n
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
http.server.HTTPServer(("", 8080), Handler).serve_forever()
"""


@peer("http", 80, ("curl",), session_ports={"upload": ("tcp", 8080)})
def http(p):
    p.folder("www")
    p.file("www/page.html", "<p>関所</p>\n" * 200)
    p.start("/usr/bin/python3", "-m", "http.server", "80", "--directory", os.path.join(p.work, "www"), port=80)
    base = ["curl", "-sS", "-i", "--max-time", "8", "-H", f"Host: {NAME}"]
    with p.session("get"):
        p.ask(*base, f"http://{p.server_ip}/page.html", wants="200 OK")
    with p.session("two-requests"):
        p.ask(*base, f"http://{p.server_ip}/page.html", f"http://{p.server_ip}/none", wants="404")
    with p.session("post"):
        p.ask(*base, "-d", "a=b", f"http://{p.server_ip}/page.html", wants="501")
    p.start("/usr/bin/python3", "-c", TAKES_ALL, port=8080)
    body = p.file("body", "住民票\n" * 4000)
    with p.session("upload"):  # larger than what an undecided flow may say
        p.ask(*base, "-H", "Expect:", "--data-binary", f"@{body}", f"http://{p.server_ip}:8080/", wants="got 40000")


@peer("dns", 53, ("unbound", "dig"), proto="udp", session_ports={"tcp": ("tcp", 53)})
def dns(p):
    conf = p.file("unbound.conf", f"""server:
 interface: {p.server_ip}
 do-daemonize: no
 username: ""
 chroot: ""
 directory: "{p.work}"
 pidfile: ""
 use-syslog: no
 access-control: 0.0.0.0/0 allow
 access-control: ::/0 allow
 local-zone: "example.lg.jp." static
 local-data: "renkei.example.lg.jp. 3600 IN A 10.2.0.8"
 local-data: "renkei.example.lg.jp. 3600 IN AAAA 2001:db8::8"
 local-data: "example.lg.jp. 3600 IN MX 10 mx.example.lg.jp."
 local-data: "example.lg.jp. 3600 IN TXT 'v=spf1 -all'"
remote-control:
 control-enable: no
""")
    p.start("unbound", "-d", "-c", conf, port=53, proto="udp")
    base = ["dig", f"@{p.server_ip}", "+tries=1", "+time=3"]
    with p.session("a"):
        p.ask(*base, NAME, "A", wants="10.2.0.8")
    with p.session("several"):
        p.ask(*base, NAME, "AAAA", NAME, "A", "example.lg.jp", "MX", "example.lg.jp", "TXT", "none.example.lg.jp", "A", wants="NXDOMAIN")
    with p.session("dnssec"):
        p.ask(*base, "+dnssec", "+bufsize=1232", NAME, "A", wants="10.2.0.8")
    with p.session("tcp"):
        p.ask(*base, "+tcp", NAME, "A", wants="10.2.0.8")


@peer("smtp", 25, ("smtp-sink", "smtp-source"))
def smtp(p):
    p.start("smtp-sink", "-u", "postfix", f"{p.server_ip}:25", "100", port=25)
    with p.session("mail"):
        p.ask("smtp-source", "-f", "a@example.jp", "-t", "b@example.lg.jp", f"{p.server_ip}:25")
    with p.session("three-mails"):
        p.ask("smtp-source", "-m", "3", "-d", "-l", "5000", "-f", "a@example.jp", "-t", "b@example.lg.jp", f"{p.server_ip}:25")


@peer("ntp", 123, ("chronyd",), proto="udp")
def ntp(p):
    conf = p.file("chrony.conf", f"local stratum 8\nallow all\nbindaddress {p.server_ip}\ncmdport 0\nbindcmdaddress /\n"
                  f"driftfile {p.work}/drift\npidfile {p.work}/chronyd.pid\n")
    p.start("chronyd", "-x", "-d", "-u", "root", "-f", conf, port=123, proto="udp")
    with p.session("ask"):
        p.ask("chronyd", "-Q", "-t", "8", "-f", "/dev/null", "cmdport 0", f"pidfile {p.work}/ask.pid",
              f"server {p.server_ip} iburst maxsamples 2", wants="System clock wrong")


@peer("syslog", 514, ("rsyslogd", "logger"), proto="udp", session_ports={"tcp-lines": ("tcp", 514), "tcp-counted": ("tcp", 514)})
def syslog(p):
    conf = p.file("rsyslog.conf", f"""module(load="imudp")
module(load="imtcp")
input(type="imudp" port="514")
input(type="imtcp" port="514")
*.* {p.work}/received
""")
    p.start("rsyslogd", "-n", "-f", conf, "-i", f"{p.work}/rsyslog.pid", port=514, proto="udp")
    base = ["logger", "--server", p.server_ip, "--port", "514"]
    with p.session("rfc5424"):
        p.ask(*base, "--udp", "--rfc5424", "職員端末 logged in", may_work=True)
    with p.session("rfc3164"):
        p.ask(*base, "--udp", "--rfc3164", "terminal logged in", may_work=True)
    with p.session("tcp-lines"):
        p.ask(*base, "--tcp", "--rfc5424", "over tcp", may_work=True)
    with p.session("tcp-counted"):
        p.ask(*base, "--tcp", "--octet-count", "--rfc5424", "counted", may_work=True)


@peer("snmp", 161, ("snmpd", "snmpget"), proto="udp")
def snmp(p):
    conf = p.file("snmpd.conf", f"agentaddress udp:{p.server_ip}:161\nrocommunity public\ncreateUser audit SHA authpass12 AES privpass12\n"
                  "rouser audit priv\nsysLocation 電算室\n")
    p.folder("snmp")
    env = {"SNMP_PERSISTENT_DIR": os.path.join(p.work, "snmp"), "MIBS": ""}
    p.start("snmpd", "-f", "-Lo", "-C", "-c", conf, "-p", f"{p.work}/snmpd.pid", env=env, port=161, proto="udp")
    oid = ".1.3.6.1.2.1.1.3.0"
    base = ["-t", "3", "-r", "1", p.server_ip]
    with p.session("v1"):
        p.ask("snmpget", "-v1", "-c", "public", *base, oid, env=env, wants="Timeticks")
    with p.session("v2c-walk"):
        p.ask("snmpbulkwalk", "-v2c", "-c", "public", *base, ".1.3.6.1.2.1.1", env=env, wants="STRING")
    with p.session("v3"):
        p.ask("snmpget", "-v3", "-l", "authPriv", "-u", "audit", "-a", "SHA", "-A", "authpass12", "-x", "AES", "-X", "privpass12", *base,
              oid, env=env, wants="Timeticks")


@peer("ldap", 389, ("slapd", "ldapsearch", "slapadd"))
def ldap(p):
    key, cert = p.certificate()
    db = p.folder("ldap-db")
    conf = p.file("slapd.conf", f"""include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {p.work}/slapd.pid
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
database mdb
suffix "dc=town,dc=jp"
rootdn "cn=admin,dc=town,dc=jp"
rootpw secret
directory {db}
""")
    p.here("slapadd", "-f", conf, stdin="dn: dc=town,dc=jp\nobjectClass: dcObject\nobjectClass: organization\no: town\ndc: town\n")
    p.start("slapd", "-d", "0", "-h", f"ldap://{p.server_ip}", "-f", conf, port=389)
    base = ["ldapsearch", "-x", "-H", f"ldap://{p.server_ip}", "-b", "dc=town,dc=jp", "-o", "nettimeout=8"]
    env = {"LDAPTLS_REQCERT": "never"}
    with p.session("anonymous"):
        p.ask(*base, env=env, wants="numEntries")
    with p.session("bound"):
        p.ask(*base, "-D", "cn=admin,dc=town,dc=jp", "-w", "secret", env=env, wants="numEntries")
    with p.session("starttls"):
        p.ask(*base, "-ZZ", "-D", "cn=admin,dc=town,dc=jp", "-w", "secret", env=env, wants="numEntries")


@peer("kerberos", 88, ("krb5kdc", "kdb5_util", "kadmin.local", "kinit"), proto="udp", session_ports={"tcp": ("tcp", 88)})
def kerberos(p):
    conf = p.file("krb5.conf", f"[libdefaults]\n default_realm = TOWN.JP\n dns_lookup_kdc = false\n rdns = false\n"
                  f"[realms]\n TOWN.JP = {{\n  kdc = {p.server_ip}\n }}\n[logging]\n kdc = FILE:{p.work}/kdc.log\n")
    tcp = p.file("krb5-tcp.conf", open(conf, encoding="ascii").read().replace("rdns = false", "rdns = false\n udp_preference_limit = 1"))
    kdc = p.file("kdc.conf", f"[kdcdefaults]\n kdc_ports = 88\n kdc_tcp_ports = 88\n[realms]\n TOWN.JP = {{\n  database_name = {p.work}/db\n"
                 f"  key_stash_file = {p.work}/stash\n  acl_file = {p.work}/acl\n }}\n")
    env = {"KRB5_CONFIG": conf, "KRB5_KDC_PROFILE": kdc}
    p.here("kdb5_util", "create", "-s", "-r", "TOWN.JP", "-P", "master", env=env)
    p.here("kadmin.local", "-q", "addprinc -pw secret taro", env=env)
    p.start("krb5kdc", "-n", env=env, port=88, proto="udp")
    with p.session("udp"):
        p.ask("kinit", "-c", f"{p.work}/cc1", "taro", env={"KRB5_CONFIG": conf}, stdin="secret\n")
    with p.session("wrong-password"):
        p.ask("kinit", "-c", f"{p.work}/cc2", "taro", env={"KRB5_CONFIG": conf}, stdin="wrong\n", good=(1,), wants="assword incorrect")
    with p.session("tcp"):
        p.ask("kinit", "-c", f"{p.work}/cc3", "taro", env={"KRB5_CONFIG": tcp}, stdin="secret\n")


@peer("smb", 445, ("smbd", "smbclient", "smbpasswd"))
def smb(p):
    for name in ("private", "lock", "state", "cache", "run", "share"):
        p.folder(name)
    p.file("share/hello.txt", "hello\n")
    conf = p.file("smb.conf", f"""[global]
 workgroup = TOWN
 private dir = {p.work}/private
 lock directory = {p.work}/lock
 state directory = {p.work}/state
 cache directory = {p.work}/cache
 pid directory = {p.work}/run
 ncalrpc dir = {p.work}/run
 smb ports = 445
 interfaces = {p.server_ip}
 bind interfaces only = yes
 disable netbios = yes
 map to guest = Bad User
 log file = {p.work}/smbd.log
[share]
 path = {p.work}/share
 guest ok = yes
""")
    p.start("smbd", "-F", "--no-process-group", "-s", conf, port=445)
    base = ["smbclient", "-s", conf, "-N", f"//{p.server_ip}/share", "-c", f"get hello.txt {p.work}/got"]
    with p.session("smb3"):
        p.ask(*base, "-m", "SMB3", wants="getting file")
    with p.session("smb2"):
        p.ask(*base, "-m", "SMB2", "--option=clientmaxprotocol=SMB2_10", wants="getting file")


@peer("postgresql", 5432, ("initdb", "postgres", "psql"))
def postgresql(p):
    key, cert = p.certificate()
    data = p.folder("pg", owner="postgres", mode=0o700)
    if not os.path.exists(os.path.join(data, "PG_VERSION")):
        p.here("initdb", "-D", data, "-A", "trust", "-U", "audit", "--no-sync", user="postgres")
        own = os.path.join(data, "key.pem")
        shutil.copy(key, own)
        shutil.chown(own, "postgres", "postgres")
        os.chmod(own, 0o600)
        with open(os.path.join(data, "pg_hba.conf"), "w", encoding="ascii") as f:
            f.write("host all all 0.0.0.0/0 trust\nhost all all ::/0 trust\n")
    p.start("postgres", "-D", data, "-c", f"listen_addresses={p.server_ip}", "-c", f"unix_socket_directories={data}", "-c", "fsync=off",
            "-c", "ssl=on", "-c", f"ssl_cert_file={cert}", "-c", f"ssl_key_file={data}/key.pem", user="postgres", port=5432)
    base = f"host={p.server_ip} user=audit dbname=postgres connect_timeout=8"
    with p.session("plain"):
        p.ask("psql", "-Atc", "select 6*7", f"{base} sslmode=disable gssencmode=disable", wants="42")
    with p.session("tls"):
        p.ask("psql", "-Atc", "select 6*7", f"{base} sslmode=require", wants="42")


@peer("vnc", 5901, ("Xtigervnc", "vncsnapshot"))
def vnc(p):
    p.start("Xtigervnc", ":91", "-rfbport", "5901", "-SecurityTypes", "None", "-interface", p.server_ip, "-geometry", "320x200", port=5901)
    with p.session("snapshot"):
        # It goes on waiting after the picture.
        p.ask("vncsnapshot", "-quality", "50", f"{p.server_ip}:1", f"{p.work}/screen.jpg", seconds=4, good=(0, 124), wants="True colour")


@peer("rdp", 3389, ("xrdp", "xfreerdp", "Xvfb"))
def rdp(p):
    key, cert = p.certificate()
    conf = p.file("xrdp.ini", f"""[Globals]
ini_version=1
fork=false
port=tcp://{p.server_ip}:3389
security_layer=negotiate
crypt_level=high
certificate={cert}
key_file={key}
ssl_protocols=TLSv1.2, TLSv1.3
max_bpp=32
[Logging]
LogFile={p.work}/xrdp.log
LogLevel=INFO
[Xorg]
name=Xorg
lib=libxup.so
username=ask
password=ask
ip=127.0.0.1
port=-1
code=20
""")
    p.start("xrdp", "--nodaemon", "--config", conf, port=3389)
    p.start("Xvfb", ":92", "-screen", "0", "800x600x24")
    time.sleep(1)
    with p.session("tls"):
        p.ask("xfreerdp", f"/v:{p.server_ip}", "/u:taro", "/p:x", "/cert:ignore", "/sec:tls", "/timeout:4000", env={"DISPLAY": ":92"},
              seconds=6, good=(0, 124, 131, 147, 255, 1, 2, 12, 13), may_work=True)


@peer("ftp", 21, ("vsftpd", "curl"))
def ftp(p):
    p.folder("ftp", mode=0o555)
    p.folder("empty", mode=0o555)
    if not os.path.exists(os.path.join(p.work, "ftp/file.txt")):
        os.chmod(os.path.join(p.work, "ftp"), 0o755)
        p.file("ftp/file.txt", "crossed by ftp\n" * 100)
        os.chmod(os.path.join(p.work, "ftp"), 0o555)
    conf = p.file("vsftpd.conf", f"listen=YES\nlisten_address={p.server_ip}\nbackground=NO\nanonymous_enable=YES\nanon_root={p.work}/ftp\n"
                  f"secure_chroot_dir={p.work}/empty\nxferlog_enable=NO\nseccomp_sandbox=NO\nport_enable=YES\nconnect_from_port_20=NO\n"
                  "pasv_min_port=20000\npasv_max_port=20100\n")
    p.start("vsftpd", conf, port=21)
    url = f"ftp://{p.server_ip}/file.txt"
    with p.session("epsv"):
        p.ask("curl", "-sS", "--max-time", "8", url, wants="crossed by ftp")
    with p.session("pasv"):
        p.ask("curl", "-sS", "--max-time", "8", "--disable-epsv", url, wants="crossed by ftp")
    with p.session("eprt"):  # active: the server opens the data connection
        p.ask("curl", "-sS", "--max-time", "8", "-P", "-", url, wants="crossed by ftp")


def dovecot(p, protocol, port):
    key, cert = p.certificate()
    run = p.folder(f"dovecot-{protocol}")
    p.folder("mail", mode=0o777)
    conf = p.file(f"dovecot-{protocol}.conf", f"""protocols = {protocol}
base_dir = {run}
state_dir = {run}
listen = {p.server_ip}
log_path = {p.work}/dovecot.log
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
mail_location = maildir:{p.work}/mail/%u
first_valid_uid = 1
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
passdb {{
 driver = static
 args = password=secret
}}
userdb {{
 driver = static
 args = uid=65534 gid=65534 home={p.work}/mail
}}
service {protocol}-login {{
 inet_listener {protocol} {{
  port = {port}
 }}
 inet_listener {protocol}s {{
  port = 0
 }}
}}
""")
    p.start("dovecot", "-F", "-c", conf, port=port)


@peer("pop3", 110, ("dovecot", "curl"))
def pop3(p):
    dovecot(p, "pop3", 110)
    with p.session("plain"):
        p.ask("curl", "-sS", "--max-time", "8", "-u", "taro:secret", f"pop3://{p.server_ip}/")
    with p.session("stls"):
        p.ask("curl", "-sSk", "--max-time", "8", "--ssl-reqd", "-u", "taro:secret", f"pop3://{p.server_ip}/")


@peer("imap", 143, ("dovecot", "curl"))
def imap(p):
    dovecot(p, "imap", 143)
    with p.session("plain"):
        p.ask("curl", "-sS", "--max-time", "8", "-u", "taro:secret", f"imap://{p.server_ip}/", wants="INBOX")
    with p.session("starttls"):
        p.ask("curl", "-sSk", "--max-time", "8", "--ssl-reqd", "-u", "taro:secret", f"imap://{p.server_ip}/", wants="INBOX")
