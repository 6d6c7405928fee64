"""The words with which a cloud refuses, and the sentences that they mean."""

from __future__ import annotations

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """``words`` in the cloud's message mean the sentence; ``{0}`` and so on are what its groups found."""

    words: re.Pattern[str]
    sentence: str
    field: str = ""
    retryable: bool = False


def _rule(words: str, sentence: str, field: str = "", *, retryable: bool = False) -> Rule:
    return Rule(re.compile(words, re.IGNORECASE | re.DOTALL), sentence, field, retryable)


RULES = [
    _rule(
        r"Quota exceeded for ([\w, ]{1,80}): Requested ([\d, ]{1,40}), "
        r"but already used ([\d, ]{1,40}) of ([\d, ]{1,40}) [a-z]",
        "The project's quota does not allow it ({0}): {1} more asked for, {2} used of {3}. Remove servers, choose a "
        "smaller flavor, or ask the cloud's operator for more.",
        "quantity",
    ),
    _rule(
        r"Quota exceeded for resources: \['floatingip'\]",
        "The project's quota allows no more floating IPs: release some, or ask the cloud's operator for more.",
        "floating_pool",
    ),
    _rule(
        r"Quota exceeded for resources: \['([\w', ]{1,80})'\]",
        "The project's quota allows no more of: {0}. Release some, or ask the cloud's operator for more.",
    ),
    _rule(
        r"No more IP addresses available on network",
        "The network has no free addresses left: release floating IPs, or choose another pool.",
        "floating_pool",
    ),
    _rule(r"already has a floating IP", "The host has a floating IP already."),
    _rule(
        r"disk is (?:smaller|too small)",
        "The flavor's disk is too small for the image: choose a larger one.",
        "flavor",
    ),
    _rule(
        r"memory is too small",
        "The flavor has too little memory for the image: choose a larger one.",
        "flavor",
    ),
    _rule(r"Flavor [^ ]{1,80} could not be found", "The flavor is gone: choose another one.", "flavor"),
    _rule(
        r"Can not find requested image|Image [^ ]{1,80} could not be found",
        "The image is gone: choose another one.",
        "image",
    ),
    _rule(
        r"Image [^ ]{1,80} is not active",
        "The image can't be used at the moment: choose another one.",
        "image",
    ),
    _rule(r"Invalid key_name", "The key pair is gone: choose another one.", "key_pair"),
    _rule(r"Network [^ ]{1,80} could not be found", "The network is gone: choose another one.", "network"),
    _rule(
        r"not allowed to create port on this network",
        "The project may not use this network: choose another one.",
        "network",
    ),
    _rule(
        r"Unable to find security_group|Security group [^ ]{1,80} (?:does not exist|could not be found)",
        "A security group is gone: choose others.",
        "security_groups",
    ),
    _rule(
        r"Multiple security_group matches",
        "Two security groups have the same name: choose by id.",
        "security_groups",
    ),
    _rule(r"Security Group [^ ]{1,80} in use", "The security group is still in use.", retryable=True),
    _rule(r"Instance [^ ]{1,80} is locked", "The server is locked in the cloud: unlock it in the cloud's own console."),
    _rule(r"Volume status must be", "The volume is still in use: remove first the server that uses it."),
    _rule(
        r"The requested availability zone is not available",
        "The availability zone is gone: choose another one.",
        "zone",
    ),
    _rule(
        r"Keypair data is invalid|field/attribute public_key",
        "The cloud does not take the public key: it wants one such as 'ssh-ed25519 AAAA...'.",
        "public_key",
    ),
    _rule(
        r"field/attribute name",
        "The cloud does not take the name: choose another one.",
        "name",
    ),
    _rule(r"field/attribute user_data", "The cloud does not take the bootstrap script as user data."),
    _rule(
        r"No valid host was found",
        "The cloud has no machine with room for this flavor: choose a smaller one, or try later.",
        "flavor",
    ),
    _rule(
        r"Failed to allocate the network",
        "The cloud could not connect the server to its network: try again later.",
        retryable=True,
    ),
    _rule(
        r"Exceeded maximum number of retries",
        "The cloud tried several of its machines and failed on all: try again later.",
        retryable=True,
    ),
    _rule(
        r"disallowed by policy|Policy doesn't allow|not authorized to perform",
        "The cloud's rules do not allow this user to do that: it takes the role of a member in the project.",
    ),
]
