"""bench_records.py: what a drop record costs: sekisho-logd against ulogd2, on the same flood of refused packets.

Both get the same packets from the kernel's log (NFLOG) and write each event's addresses, ports and reason to disk.
CPU is that of the recording process alone, from the scheduler's exact counter.
"""
import os
import statistics
import subprocess
import tempfile
import time

import bench_lane as lanes
import ns
from bench_lane import Lane

ULOGD = """[global]
logfile="{work}/ulogd.log"
loglevel=5
plugin="{plugins}/ulogd_inppkt_NFLOG.so"
plugin="{plugins}/ulogd_raw2packet_BASE.so"
plugin="{plugins}/ulogd_filter_IFINDEX.so"
plugin="{plugins}/ulogd_filter_IP2STR.so"
plugin="{plugins}/ulogd_filter_PRINTPKT.so"
plugin="{plugins}/ulogd_output_LOGEMU.so"
stack=log1:NFLOG,base1:BASE,ifi1:IFINDEX,ip2str1:IP2STR,print1:PRINTPKT,emu1:LOGEMU
[log1]
group=100
netlink_socket_buffer_size=33554432
netlink_socket_buffer_maxsize=33554432
netlink_qthreshold=64
netlink_qtimeout=10
[emu1]
file="{work}/drops.log"
sync=0
"""
# The same refusal as ours, logged with the same batching.
PEER = """table inet peer {
	counter refused { }
	chain forward {
		type filter hook forward priority 0; policy drop;
		counter name refused log group 100 snaplen 128 queue-threshold 64
		drop
	}
}
"""


def cpu_seconds(pid):
    """Of all threads of the process."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def plugins():
    for where, _, names in os.walk("/usr/lib"):
        if "ulogd_inppkt_NFLOG.so" in names:
            return where
    raise FileNotFoundError("ulogd2 has no NFLOG plugin here")


class Peer:
    """ulogd2 in its own lane."""

    def __init__(self, load):
        self.lane = Lane("ulogd", load).make_plain()
        self.lane.nft(PEER)
        self.work = tempfile.mkdtemp(prefix="sekisho-ulogd-")
        with open(os.path.join(self.work, "conf"), "w", encoding="ascii") as f:
            f.write(ULOGD.format(work=self.work, plugins=plugins()))
        self.process = self.lane.space.popen("gw", ["ulogd", "-c", os.path.join(self.work, "conf")],
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)

    def pid(self):
        return self.process.pid

    def recorded(self):
        path = os.path.join(self.work, "drops.log")
        if not os.path.exists(path):
            return 0
        with open(path, "rb") as f:
            return sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 20), b""))

    def refused(self):
        text = ns.run("ip", "netns", "exec", self.lane.space.full("gw"), "nft", "list", "counter", "inet", "peer",
                      "refused").stdout
        return int(text.split("packets ")[1].split()[0])

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.lane.close()
        subprocess.run(["rm", "-rf", self.work], check=False)


class Ours:
    """The gate without log limits, so that each packet is an event, as for the peer."""

    def __init__(self, load, build):
        self.lane = Lane("ours", load).make_gate(build, lanes.policy(10))

    def pid(self):
        return self.lane.gate.pids()["sekisho-logd"][0]

    def recorded(self):
        """Packets that the store accounts for one by one (log-loss not counted)."""
        return sum(int(r["packets"]) for r in self.lane.gate.rows("log", "summary", "--all")
                   if r.get("reason") == "no-rule" and not r.get("loss"))

    def refused(self):
        return self.lane.gate.status()["dropped"].get("no-rule", 0)

    def close(self):
        self.lane.close()


def flood(side, rate, seconds):
    """{"events", "refused", "cpu"} of one flood with random sources."""
    recorded, refused, cpu = side.recorded(), side.refused(), cpu_seconds(side.pid())
    side.lane.send(src="10.1.16.0/20", sink=5, port=7777, sport="1024-65000", rate=rate, seconds=seconds)
    deadline = time.monotonic() + 5
    time.sleep(2)
    while time.monotonic() < deadline and side.recorded() - recorded < side.refused() - refused:
        time.sleep(0.5)
    return {"events": side.recorded() - recorded, "refused": side.refused() - refused,
            "cpu": cpu_seconds(side.pid()) - cpu}


def run(bench, step):
    seconds = 2 if bench.o.quick else 5
    table = []
    ours, peer = Ours(bench.load, bench.o.build), Peer(bench.load)
    try:
        for rate in (20000, 100000):
            step(f"drop records at {rate} a second")
            got = {"ours": [], "ulogd2": []}
            for _ in range(3):
                got["ours"].append(flood(ours, rate, seconds))
                got["ulogd2"].append(flood(peer, rate, seconds))
            row = {"rate": rate}
            for name, rounds in got.items():
                row[name] = {"per_cpu_second": statistics.median(r["events"] / r["cpu"] for r in rounds),
                             "lost": sum(r["refused"] - r["events"] for r in rounds),
                             "refused": sum(r["refused"] for r in rounds)}
            table.append(row)
    finally:
        ours.close()
        peer.close()
    bench.results["records"] = table
    print("\ndrop records: events per second of the recorder's CPU, and events lost")
    for row in table:
        a, b = row["ours"], row["ulogd2"]
        print(f"  at {row['rate']:6}/s: ours {a['per_cpu_second']:9.0f} (lost {a['lost']} of {a['refused']}), ulogd2 "
              f"{b['per_cpu_second']:8.0f} (lost {b['lost']} of {b['refused']}), ratio {a['per_cpu_second'] / b['per_cpu_second']:.1f}x")
