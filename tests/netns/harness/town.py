"""town.py: raises what a policy describes: the gateway's namespace with its ports, a wire behind each port, and hosts.

gw       the gateway: only bare links, down and without addresses; the gate itself does the rest
lan      the wires: for each port ethX a bridge b-ethX and the port w-ethX, where frames are sent and overheard
NAME     a namespace per router and per host of a single address (with hosts=True)

Bridges are hubs (no learning), so that a forged source MAC in one test never changes where the next frame goes.
Without hosts=True the wires are bare and a Responder answers ARP and neighbour solicitations for everybody.
"""
import hashlib
import ipaddress
import threading
import time

import frame
import ns

GATEWAY, WIRES = "gw", "lan"


def made_up_mac(name):
    """A stable, locally administered MAC for a host whose policy names none."""
    return "02:5e:" + hashlib.sha256(name.encode()).digest()[:4].hex(":")


class Town:
    """The namespaces of one policy. Attributes: policy, space, hosts {name: Host}, plain_vlans [name]."""

    def __init__(self, policy, prefix="sekisho-", hosts=True, only=None):
        self.policy, self.space = policy, ns.Space(prefix)
        self.with_hosts, self.only = hosts, only
        self.routers, self.hosts, self.plain_vlans, self.cables = {}, {}, [], set()
        self.sockets = {}
        self.responder = None

    def raise_(self, progress=lambda text: None):
        self.space.add(GATEWAY)
        self.space.add(WIRES)
        self.space.sysctl(WIRES, net__ipv6__conf__all__disable_ipv6=1, net__ipv6__conf__default__disable_ipv6=1)
        vlan_works = ns.kernel_has("vlan")
        with self.space.batched():
            for name, (parent, vlan) in self.policy.links().items():
                self._wire(name, parent, vlan, vlan_works)
            if self.with_hosts:
                self._routers()
                self._hosts(progress)
        if not self.with_hosts:
            self.responder = Responder(self)
            self.responder.start()

    def close(self):
        if self.responder is not None:
            self.responder.stop()
        for sock in self.sockets.values():
            sock.close()
        self.sockets.clear()
        self.space.remove()

    # -- wires ---------------------------------------------------------------------------------------------

    def _wire(self, name, parent, vlan, vlan_works):
        if parent and vlan_works:
            self._cable(parent)
            self.space.ip(WIRES, "link", "add", "link", "w-" + parent, "name", "w-" + name, "type", "vlan", "id",
                          str(vlan))
            self.space.ip(WIRES, "link", "set", "dev", "w-" + name, "up")
        else:
            if parent:
                self.plain_vlans.append(name)
                self._cable(parent)
            self._cable(name)
        if self.with_hosts:
            self._bridge("b-" + name)
            self._plug("w-" + name, "b-" + name)

    def _cable(self, name):
        if name not in self.cables:
            self.cables.add(name)
            self.space.veth(GATEWAY, name, WIRES, "w-" + name)
            self.space.ip(WIRES, "link", "set", "dev", "w-" + name, "up")

    def _bridge(self, name):
        self.space.ip(WIRES, "link", "add", "name", name, "type", "bridge", "mcast_snooping", "0")
        self.space.ip(WIRES, "link", "set", "dev", name, "up")

    def _plug(self, port, bridge):
        self.space.ip(WIRES, "link", "set", "dev", port, "master", bridge)
        self.space.ip(WIRES, "link", "set", "dev", port, "type", "bridge_slave", "learning", "off", "flood", "on")
        self.space.ip(WIRES, "link", "set", "dev", port, "up")

    # -- hosts ---------------------------------------------------------------------------------------------

    def _node(self, name):
        self.space.add(name)
        self.space.sysctl(name, net__ipv6__conf__default__accept_dad=0, net__ipv6__conf__default__accept_ra=0,
                          net__ipv4__conf__all__send_redirects=0, net__ipv4__conf__default__send_redirects=0,
                          net__ipv4__conf__all__accept_redirects=0)

    def _port(self, node, interface, bridge, addr_mac, addresses):
        port = "p" + hashlib.sha256((node + interface).encode()).hexdigest()[:12]
        self.space.veth(node, interface, WIRES, port, mac_a=addr_mac)
        self._plug(port, bridge)
        for address in addresses:
            self.space.ip(node, "addr", "add", str(address), "dev", interface,
                          *(["nodad"] if address.version == 6 else []))
        self.space.ip(node, "link", "set", "dev", interface, "up")

    def _routers(self):
        for name, leaves in self.policy.router.items():
            addresses = [ipaddress.ip_interface(a) for a in leaves["address"]]
            wire = self.policy.next_hop(addresses[0].ip)[0]
            onlink = [self._with_length(a.ip) for a in addresses]
            mac = leaves.get("mac", made_up_mac(name))
            self._node(name)
            self.space.sysctl(name, net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
            self._port(name, "up", "b-" + wire, mac, onlink)
            self._default_route(name, wire, addresses)
            self._bridge(self._down(name))
            self._port(name, "down", self._down(name), None, self._down_addresses(name))
            self.routers[name] = mac

    @staticmethod
    def _down(router):
        return "d" + hashlib.sha256(router.encode()).hexdigest()[:12]

    def _behind(self, router):
        return [ipaddress.ip_network(p, strict=False) for p, l in self.policy.route.items() if l["via"] == router]

    def _down_addresses(self, router):
        """The router's own address in each network behind it; a default route has none of its own."""
        return [ipaddress.ip_interface(f"{net.network_address + (1 if net.version == 4 else 0xffff)}/{net.prefixlen}")
                for net in self._behind(router) if net.prefixlen > 0]

    def _with_length(self, address):
        for _, own in self.policy.connected():
            if own.version == address.version and address in own.network:
                return ipaddress.ip_interface(f"{address}/{own.network.prefixlen}")
        return ipaddress.ip_interface(address)

    def _default_route(self, node, wire, addresses):
        families = {a.version for a in addresses}
        for interface, own in self.policy.connected():
            if interface == wire and own.version in families:
                self.space.ip(node, "route", "replace", "default", "via", str(own.ip))

    def _hosts(self, progress):
        for name, leaves in self.policy.host.items():
            nets = self.policy.host_addresses(name)
            if self.only is not None and name not in self.only:
                continue
            addresses = [self.policy.machine(name, n) for n in nets]
            progress(name)
            self.hosts[name] = self._host(name, leaves, addresses)

    def _host(self, name, leaves, addresses):
        wire, router = self.policy.next_hop(addresses[0])
        mac = leaves.get("mac", made_up_mac(name))
        self._node(name)
        if router is None:
            self._port(name, "eth0", "b-" + wire, mac, [self._with_length(a) for a in addresses])
            self._default_route(name, wire, addresses)
        else:
            self._port(name, "eth0", self._down(router), mac, [self._in_route(router, a) for a in addresses])
            self._route_behind(name, router, addresses)
        return {"wire": wire, "router": router, "mac": mac, "addresses": [str(a) for a in addresses]}

    def _in_route(self, router, address):
        nets = [n for n in self._behind(router) if n.version == address.version and address in n and n.prefixlen > 0]
        length = max((n.prefixlen for n in nets), default=address.max_prefixlen)
        return ipaddress.ip_interface(f"{address}/{length}")

    def _route_behind(self, name, router, addresses):
        downs = self._down_addresses(router)
        for version in {a.version for a in addresses}:
            via = [d for d in downs if d.version == version
                   and any(a in d.network for a in addresses if a.version == version)]
            if via:
                self.space.ip(name, "route", "replace", "default", "via", str(via[0].ip))
                continue
            # Only a default route leads here: the router has no address of its own in this network.
            for address in (a for a in addresses if a.version == version):
                self.space.ip(router, "route", "replace", f"{address}/{address.max_prefixlen}", "dev", "down")
            gate = "169.254.7.1" if version == 4 else "fe80::7:1"
            self.space.ip(router, "addr", "replace", f"{gate}/{32 if version == 4 else 64}", "dev", "down",
                          *(["nodad"] if version == 6 else []))
            self.space.ip(name, "route", "replace", "default", "via", gate, "dev", "eth0", "onlink")

    # -- frames --------------------------------------------------------------------------------------------

    def wires(self):
        return list(self.policy.links())

    def wire_socket(self, wire):
        if wire not in self.sockets:
            self.sockets[wire] = self.space.packet_socket(WIRES, "w-" + wire)
        return self.sockets[wire]

    def gateway_mac(self, wire):
        """Of a VLAN it is the cable's, and known before the gate makes it."""
        parent = self.policy.links()[wire][0] if wire in self.policy.links() else None
        cable = wire if wire in self.cables or parent is None else parent
        text = self.space.ip(GATEWAY, "-o", "link", "show", "dev", cable).stdout
        return text.split("link/ether ")[1].split()[0]

    def mac_of(self, address):
        """The source MAC that the gateway should see for a packet from this address."""
        wire, router = self.policy.next_hop(address)
        if router is not None:
            return self.policy.router[router].get("mac", made_up_mac(router))
        host = self.policy.host_of(address)
        if host is not None:
            return self.policy.host[host].get("mac", made_up_mac(host))
        for name, leaves in self.policy.router.items():
            if any(ipaddress.ip_interface(a).ip == ipaddress.ip_address(address) for a in leaves["address"]):
                return leaves.get("mac", made_up_mac(name))
        return made_up_mac(f"{wire}-stranger")

    def overhear(self, seconds, stop=lambda wire, data: False):
        """Frames that left the gateway within the time: [(wire, bytes)]; ends early when stop(wire, frame) is true."""
        got, end = [], time.monotonic() + seconds
        while True:
            quiet = True
            for wire in self.wires():
                for data in self._drain(self.wire_socket(wire)):
                    quiet = False
                    got.append((wire, data))
                    if stop(wire, data):
                        return got
            if time.monotonic() >= end:
                return got
            if quiet:
                time.sleep(0.002)

    @staticmethod
    def _drain(sock):
        got = []
        while True:
            try:
                data, where = sock.recvfrom(65536)
            except BlockingIOError:
                return got
            except OSError:
                return got  # the interface went down meanwhile
            if where[2] != 4:  # PACKET_OUTGOING: what we sent ourselves
                got.append(data)

    def send(self, wire, data):
        self.wire_socket(wire).send(data)


class Responder(threading.Thread):
    """Answers every ARP request and neighbour solicitation that the gateway asks, on bare wires."""

    def __init__(self, town):
        super().__init__(daemon=True)
        self.town, self.running = town, True
        self.socks = {w: town.space.packet_socket(WIRES, "w-" + w, questions=True) for w in town.wires()}

    def run(self):
        while self.running:
            for wire, sock in self.socks.items():
                for data in Town._drain(sock):
                    answer = self._answer(data)
                    if answer is not None:
                        sock.send(answer)
            time.sleep(0.001)

    def _answer(self, data):
        got = frame.parse(data)
        if got is None:
            return None
        if got["type"] == frame.ETH_ARP and got.get("op") == 1:
            mine = self.town.mac_of(got["target"])
            return frame.ether(got["sender_mac"], mine, frame.ETH_ARP,
                               frame.arp(2, mine, got["target"], got["sender_mac"], got["sender"]))
        if got.get("target") is not None and got.get("icmp") == (135, 0) and got["saddr"] != "::":
            mine = self.town.mac_of(got["target"])
            return frame.ether(got["src"], mine, frame.ETH_IP6,
                               frame.neighbour_advertisement(got["target"], got["saddr"], got["target"], mine))
        return None

    def stop(self):
        self.running = False
        self.join()
        for sock in self.socks.values():
            sock.close()
