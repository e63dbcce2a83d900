"""A network of a cell's own: only loopback, its own rules for packets, its own name server.

Nothing that a cell does to it reaches anybody else, no packet of a cell leaves it, and whatever a cell started ends
with it.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from programs import end_with_parent

#: Says to a cell that it runs in a network of its own.
MARK = "MPEGCLIENT_OWN_NETWORK"

_UNSHARE = ["unshare", "--net", "--pid", "--mount", "--ipc", "--fork", "--kill-child=KILL", "--mount-proc"]


def prefix():
    """What to put before a command, so that it runs in a network of its own; empty where this is not allowed."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = [*_UNSHARE, *as_root]
    tried = subprocess.run([*command, "true"], check=False, capture_output=True)
    return command if tried.returncode == 0 else []


def enter():
    """Switches loopback on in the network that this process was started in."""
    if MARK in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def require():
    """Raises where packets of others would be hit."""
    if MARK not in os.environ:
        raise RuntimeError("needs a network namespace of its own (unshare --net), which is not allowed here")
    if shutil.which("nft") is None:
        raise RuntimeError("needs nft (Debian: nftables)")


#: The address of another host.
OTHER_HOST = "10.9.0.2"


def add_other_host():
    """A second network, joined to this one by a cable that carries multicast.

    Returns what to put before a command so that it runs there.
    """
    require()
    # It is there for as long as a process is in it: a name would outlive the cell.
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], preexec_fn=end_with_parent)
    there = f"/proc/{holder.pid}/ns/net"
    while os.readlink(there) == os.readlink("/proc/self/ns/net"):
        time.sleep(0.01)
    on_other_host = ["nsenter", f"--net={there}"]
    for host, words in (
        ([], f"link add near type veth peer name far netns {holder.pid}"),
        ([], "address add 10.9.0.1/24 dev near"),
        (on_other_host, f"address add {OTHER_HOST}/24 dev far"),
        (on_other_host, "link set lo up"),
        ([], "link set near up"),
        (on_other_host, "link set far up"),
        ([], "route add 224.0.0.0/4 dev near"),
        (on_other_host, "route add 224.0.0.0/4 dev far"),
    ):
        subprocess.run([*host, "ip", *words.split()], check=True)
    return on_other_host


def nft(*words):
    subprocess.run(["nft", *words], check=True)


class PacketRules:
    """Rules that drop packets, until they are taken away."""

    def __init__(self):
        require()
        nft("add", "table", "ip", "faults")
        nft("add", "chain", "ip", "faults", "in", "{ type filter hook input priority 0; }")

    def drop(self, what):
        """Drops what matches, such as "tcp dport 554"."""
        nft("add", "rule", "ip", "faults", "in", *what.split(), "counter", "drop")

    def drop_port(self, port, carrier):
        """Drops what goes to and comes from a port, as a cable that is pulled does."""
        self.drop(f"{carrier} dport {port}")
        self.drop(f"{carrier} sport {port}")

    def clear(self):
        nft("flush", "chain", "ip", "faults", "in")


class LossyNetwork:
    """A network that loses packets by chance, and counts them."""

    def __init__(self):
        PacketRules()
        nft("add", "counter", "ip", "faults", "lost")

    def lose(self, per_thousand):
        """Drops so many of a thousand datagrams, but not small ones, such as reports; 0: none any more."""
        nft("flush", "chain", "ip", "faults", "in")
        chance = f"udp length > 100 numgen random mod 1000 < {per_thousand} counter name lost drop"
        if per_thousand:
            nft("add", "rule", "ip", "faults", "in", *chance.split())

    @property
    def lost(self):
        """How many that were, with those for which a receiver's buffer had no room on a busy machine."""
        listed = subprocess.run(["nft", "--json", "list", "counters"], check=True, capture_output=True)
        counters = [entry["counter"] for entry in json.loads(listed.stdout)["nftables"] if "counter" in entry]
        names, numbers = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line[:4] == "Udp:")
        return counters[0]["packets"] + int(numbers[names.index("RcvbufErrors")])


HOST = "camera.example"


class DeadResolver(contextlib.ExitStack):
    """A name server that never answers, in the place of the system's, until learn() makes the name known."""

    def __init__(self):
        super().__init__()
        if MARK not in os.environ:
            raise RuntimeError("needs a mount namespace of its own (unshare --mount), which is not allowed here")
        mute = self.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        mute.bind(("127.0.0.1", 53))
        folder = Path(self.enter_context(tempfile.TemporaryDirectory()))
        self._hosts = folder / "hosts"
        files = {"resolv.conf": "nameserver 127.0.0.1\n", "hosts": "", "nsswitch.conf": "hosts: files dns\n"}
        for name, text in files.items():
            (folder / name).write_text(text)
            subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)

    def learn(self):
        """Makes the name known, as a name server that is up again does."""
        self._hosts.write_text(f"127.0.0.1 {HOST}\n")
