"""Why a machine does not call in: a guess from the end of its console."""

from __future__ import annotations

import re

ROUTE = (
    "It can't reach the platform: check that the network has a router to it, and that its firewall lets hosts in to "
    "the platform's address."
)
NAMES = "It can't look up names: the network's subnet has no DNS server that answers."
MIRROR = "It can't install Docker: no package mirror answers. Give its network a way out, or use an image with Docker."
DIALLED = (
    "The machine is ready, and the platform can't reach its SSH server. Give it a floating IP that the platform "
    "reaches, and see that PM_DIRECT_FROM is the network that the cloud sees the platform come from."
)
IMAGE = "The image does not start: it may be broken, or made for another kind of machine. Choose another image."
NO_CLOUD_INIT = (
    "The machine started, but never ran the bootstrap script: the image has no cloud-init. Choose a cloud image."
)
SILENT = (
    "The console is empty: the machine has not started, or the image does not write to the serial console. "
    "Look at it in the cloud's own console."
)
OURS = "platform-manager:"
# The first that fits: what the script itself says comes before what the system says.
GUESSES = (
    (re.compile(r"platform-manager: done: this machine waits for the platform"), DIALLED),
    (re.compile(r"platform-manager: ERROR: (Docker could not be installed|the install script|missing here)"), MIRROR),
    (re.compile(r"platform-manager: (ERROR: )?the platform at \S+ (can't|answered)", re.IGNORECASE), ROUTE),
    (re.compile(r"(Failed to fetch|Could not connect to|Cannot initiate the connection to) .*", re.IGNORECASE), MIRROR),
    (re.compile(r"(Temporary failure (in name resolution|resolving)|Could not resolve host)", re.IGNORECASE), NAMES),
    (re.compile(r"(No route to host|Network is unreachable|Connection timed out|no default route)", re.I), ROUTE),
    (re.compile(r"(Kernel panic|No bootable device|Boot failed|not a bootable disk|GRUB.{0,20}rescue)", re.I), IMAGE),
)
ERROR = re.compile(r"platform-manager: ERROR: ([^\n]{1,300})")


def guess(console: str) -> str:
    """What most likely keeps the machine from calling in, and what to do; "" when nothing tells."""
    if not console.strip():
        return SILENT
    for words, sentence in GUESSES:
        if words.search(console):
            return sentence
    if found := ERROR.search(console):
        return f"The bootstrap script stopped: {found[1].rstrip('.')}."
    if OURS not in console and re.search(r"login:\s*$", console.rstrip("\0 ")):
        return NO_CLOUD_INIT
    return ""
