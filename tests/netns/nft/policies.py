"""policies.py: what the tests of verified flows commit, in the words of nft_drive."""
import re

DNS, SYSLOG, FTP, TLS = 5, 7, 16, 1
ACTIVE_DATA = 0x20
HEAD = """
segment k 1 eth0 10.1.0.1/24 2001:db8:1::1/64
segment l 2 eth1 10.2.0.1/24 2001:db8:2::1/64
segment n 3 eth2 192.0.2.1/24 2001:db8:3::1/64
rule plain 0 1 1 0
box 0 udp 10.1.0.20 10.2.0.8 5000 5000
"""
POLICY = HEAD + f"""
rule names 0 1 2 0
verify 1 {DNS} 0 dns
box 1 udp 10.1.0.20 10.2.0.8 53 53
box 1 udp 2001:db8:1::20 2001:db8:2::8 53 53
box 1 udp 10.1.0.21 10.2.0.8 53 53
rule logs 0 1 2 1
verify 2 {SYSLOG} 0 syslog
box 2 udp 10.1.0.20 10.2.0.8 514 514
rule web 0 1 2 0
verify 3 {TLS} 0 tls
box 3 tcp 10.1.0.20 10.2.0.8 443 443
box 3 tcp 10.1.0.21 10.2.0.8 443 443
rule back 1 0 2 0
verify 4 {TLS} 0 tls
box 4 tcp 10.2.0.8 10.1.0.20 443 443
"""
FILES = POLICY + f"""
rule files 0 1 2 0
verify 5 {FTP} 0 ftp
box 5 tcp 10.1.0.20 10.2.0.8 21 21
rule files6 0 1 2 0
verify 6 {FTP} {ACTIVE_DATA} ftp-active
box 6 tcp 2001:db8:1::20 2001:db8:2::8 21 21
"""
# the same policies under other numbers: another one stands before them
MOVED = HEAD + f"""
rule first 0 1 2 0
verify 1 {TLS} 0 a-tls
box 1 tcp 10.1.0.20 10.2.0.9 443 443
""" + re.sub(r"(verify|box) ([1-9])", lambda m: f"{m.group(1)} {int(m.group(2)) + 1}", FILES[len(HEAD):])
