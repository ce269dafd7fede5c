#!/usr/bin/python3
"""frames.py - send frames in one network namespace, tell which of them another one sees

usage: frames.py FROM-PID TO-PID MAC IP4 IP6 KIND...

MAC, IP4 and IP6 are the sender's own. After each frame it sends one that is in order, its fence:
when that is there, the frame before it has come or never will. Prints the kinds that came;
for the one KIND "flood" how many bytes of 3 MB came.
"""
import ctypes
import socket
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
OTHER_MAC = bytes.fromhex("00163e0badad")
OTHER_IP4 = socket.inet_aton("10.66.66.66")
OTHER_IP6 = socket.inet_pton(socket.AF_INET6, "fd66::66")
BROADCAST = b"\xff" * 6
ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")
TIMEOUT_S = 20


def checksum(data):
    """The Internet checksum."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(source, destination, payload):
    """Without a checksum, which nobody on the way looks at."""
    return struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def ip4(source, payload, destination=b"\xff" * 4):
    """An IPv4 packet of UDP."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, 64, 17, 0)
    head += source + destination
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(source, protocol, payload):
    """An IPv6 packet to all nodes."""
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255) + source + ALL_NODES + payload


def icmp6(source, kind, body):
    """An ICMPv6 message with its checksum."""
    message = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = source + ALL_NODES + struct.pack("!II", len(message), 58)
    message = message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]
    return ip6(source, 58, message)


def arp(mac, address, mark):
    """A reply, and behind it the mark."""
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2)
    return head + mac + address + BROADCAST + address + mark


def option(mark):
    """A neighbour discovery option that nobody knows, with the mark in it."""
    return bytes([200, 4]) + mark.ljust(30, b"\0")


def advert(source, target, mac, mark):
    """A neighbour advertisement."""
    return icmp6(source, 136, b"\x20\0\0\0" + target + bytes([2, 1]) + mac + option(mark))


def dhcp(operation, mac, mark):
    """A BOOTP message; the mark is the boot file's name."""
    head = struct.pack("!BBBBIHH", operation, 1, 6, 0, 7, 0, 0) + b"\0" * 16
    return head + mac + b"\0" * 74 + mark.ljust(128, b"\0")


def link_local(mac):
    """fe80::/64 and the EUI-64 of the MAC address."""
    return b"\xfe\x80" + b"\0" * 6 + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]


def frames(mac, own4, own6):
    """Kind -> function of the mark -> (source MAC, type, payload, ...)."""
    local = link_local(mac)
    discover = lambda chaddr, mark: udp(68, 67, dhcp(1, chaddr, mark))
    wrapped = lambda mark: ip4(OTHER_IP4, udp(9, 9, mark))
    return {
        # in order
        "ip4": lambda m: (mac, 0x0800, ip4(own4, udp(9, 9, m))),
        "arp": lambda m: (mac, 0x0806, arp(mac, own4, m)),
        "arp-probe": lambda m: (mac, 0x0806, arp(mac, b"\0" * 4, m)),
        "dhcp": lambda m: (mac, 0x0800, ip4(b"\0" * 4, discover(mac, m))),
        "ip6": lambda m: (mac, 0x86DD, ip6(own6, 17, udp(9, 9, m))),
        "ip6-local": lambda m: (mac, 0x86DD, ip6(local, 17, udp(9, 9, m))),
        "advert": lambda m: (mac, 0x86DD, advert(local, own6, mac, m)),
        # not in order
        "mac": lambda m: (OTHER_MAC, 0x0800, ip4(own4, udp(9, 9, m))),
        "arp-mac": lambda m: (mac, 0x0806, arp(OTHER_MAC, own4, m)),
        "advert-mac": lambda m: (mac, 0x86DD, advert(local, own6, OTHER_MAC, m)),
        "dhcp-mac": lambda m: (mac, 0x0800, ip4(b"\0" * 4, discover(OTHER_MAC, m))),
        "ip4-other": lambda m: (mac, 0x0800, ip4(OTHER_IP4, udp(9, 9, m))),
        "ip4-zero": lambda m: (mac, 0x0800, ip4(b"\0" * 4, udp(68, 9, m))),
        "arp-other": lambda m: (mac, 0x0806, arp(mac, OTHER_IP4, m)),
        "dhcp-offer": lambda m: (mac, 0x0800, ip4(own4, udp(67, 68, dhcp(2, mac, m)))),
        "vlan": lambda m: (mac, 0x8100, struct.pack("!HH", 5, 0x0800) + wrapped(m)),
        "qinq": lambda m: (
            mac, 0x88A8, struct.pack("!HHHH", 5, 0x8100, 6, 0x0800) + wrapped(m)),
        "ip6-other": lambda m: (mac, 0x86DD, ip6(OTHER_IP6, 17, udp(9, 9, m))),
        "advert-other": lambda m: (mac, 0x86DD, advert(local, OTHER_IP6, mac, m)),
        "router": lambda m: (mac, 0x86DD, icmp6(local, 134, b"\x40\0\x07\x08" + b"\0" * 8
                                                + option(m))),
        "dhcp6-offer": lambda m: (mac, 0x86DD, ip6(local, 17, udp(547, 546, m))),
    }


def enter(pid):
    """Join the network namespace of the process."""
    with open(f"/proc/{pid}/ns/net", "rb") as namespace:
        if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def packet_socket(pid):
    """A socket on eth0 in that namespace."""
    enter(pid)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind(("eth0", 3))
    sock.settimeout(TIMEOUT_S)
    return sock


def received(pid):
    """Bytes that eth0 of the process's namespace has received."""
    with open(f"/proc/{pid}/net/dev", encoding="ascii") as table:
        return next(int(line.split()[1]) for line in table if line.split()[0] == "eth0:")


def flood(sender, pid, frame):
    """Send three megabytes in small pieces; returns how many bytes came."""
    before = received(pid)
    for i in range(3000):
        sender.send(frame)
        if i % 50 == 0:
            time.sleep(0.002)
    return received(pid) - before


def main():
    """Send, look, print."""
    sender = packet_socket(sys.argv[1])
    receiver = packet_socket(sys.argv[2])
    mac = bytes.fromhex(sys.argv[3].replace(":", ""))
    known = frames(mac, socket.inet_aton(sys.argv[4]),
                   socket.inet_pton(socket.AF_INET6, sys.argv[5]))
    if sys.argv[6:] == ["flood"]:
        source, protocol, payload = known["ip4"](b"x" * 1000)
        print(flood(sender, sys.argv[2], BROADCAST + source + struct.pack("!H", protocol)
                    + payload))
        return
    for i, kind in enumerate(sys.argv[6:]):
        mark, fence = f"<{kind}>".encode(), f"<fence {i}>".encode()
        # In order for every filter: no address, and not wrapped.
        for text, (source, protocol, payload) in (
                (mark, known[kind](mark)), (fence, known["arp-probe"](fence))):
            assert text in payload
            sender.send(BROADCAST + source + struct.pack("!H", protocol) + payload)
        came = False
        while True:
            packet = receiver.recv(4096)
            came = came or mark in packet
            if fence in packet:
                break
        if came:
            print(kind)


main()
