"""What OpenStack (Zed) answers when things go wrong, as recorded from a real one; ids are shortened."""

from __future__ import annotations

from dataclasses import dataclass

JSON = "application/json"
NONE = "00000000-0000-0000-0000-000000000000"
UNAUTHORIZED = (
    '{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}\n'
)
UNAUTHORIZED_GLANCE = """<html>
 <head>
  <title>401 Unauthorized</title>
 </head>
 <body>
  <h1>401 Unauthorized</h1>
  This server could not verify that you are authorized to access the document you requested. Either you supplied the \
wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials \
required.<br /><br />



 </body>
</html>"""


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    kind: str = JSON


def nova(wrapper: str, code: int, message: str) -> Answer:
    return Answer(code, f'{{"{wrapper}": {{"code": {code}, "message": "{message}"}}}}', f"{JSON}; charset=UTF-8")


def neutron(status: int, kind: str, message: str) -> Answer:
    return Answer(status, f'{{"NeutronError": {{"type": "{kind}", "message": "{message}", "detail": ""}}}}')


def bad(message: str) -> Answer:
    return nova("badRequest", 400, message)


def quota(message: str) -> Answer:
    return nova("forbidden", 403, f"Quota exceeded for {message}")


# Refusals of a request for a server, by what they are about.
SERVER = {
    "flavor gone": bad("Flavor m9.none could not be found."),
    "image gone": bad("Can not find requested image"),
    "key pair gone": bad("Invalid key_name provided."),
    "network gone": bad(f"Network {NONE} could not be found."),
    "security group gone": bad("Unable to find security_group with name or id 'none'"),
    "user data no base64": bad(
        "Invalid input for field/attribute user_data. Value: #!/bin/sh. '#!/bin/sh' is not a 'base64'"
    ),
    "user data too long": bad(f"Invalid input for field/attribute user_data. Value: {'IyMj' * 17_000}. is too long"),
    "unknown attribute": bad(
        "Invalid input for field/attribute server. Value: {'name': 'err', 'imageRef': 'd93ebe4b', 'colour': 'red'}. "
        "Additional properties are not allowed ('colour' was unexpected)"
    ),
    "empty name": bad("Invalid input for field/attribute name. Value: . '' is too short"),
    "disk too small": bad(
        "Flavor's disk is smaller than the minimum size specified in image metadata. "
        "Flavor disk is 1073741824 bytes, minimum size is 10737418240 bytes."
    ),
    "two groups of one name": nova(
        "conflictingRequest",
        409,
        "Multiple security_group matches found for name 'err', use an ID to be more specific.",
    ),
    "quota of instances": quota("instances: Requested 5, but already used 1 of 5 instances"),
    "quota of several": quota("cores, ram: Requested 12, 24576, but already used 1, 512 of 10, 20480 cores, ram"),
    "policy": nova("forbidden", 403, "Policy doesn't allow os_compute_api:servers:create to be performed."),
}

FLOATING = {
    "quota": neutron(409, "OverQuota", "Quota exceeded for resources: ['floatingip']."),
    "pool empty": neutron(
        409, "IpAddressGenerationFailure", "No more IP addresses available on network 8a5606d5-9005-48d9-a609-b8ef."
    ),
}

GROUP = {
    "quota": neutron(409, "OverQuota", "Quota exceeded for resources: ['security_group']."),
    "policy": neutron(
        403,
        "PolicyNotAuthorized",
        "((rule:create_network and rule:create_network:provider:network_type) and "
        "rule:create_network:provider:physical_network) is disallowed by policy",
    ),
    "foreign network": neutron(403, "HTTPForbidden", "Tenant 4e3ca084 not allowed to create port on this network"),
}

RULE_EXISTS = neutron(409, "SecurityGroupRuleExists", "Security group rule already exists. Rule id is d7043634-8089.")
KEY_PAIR_EXISTS = nova("conflictingRequest", 409, "Key pair 'err' already exists.")
KEY_PAIR_BAD = bad("Keypair data is invalid: failed to generate fingerprint")

FAULTS = {
    "no valid host": "No valid host was found. ",
    "no network": "Build of instance 831fd11e-a66d-40a9-b3df-c6f6f3d0ebb5 aborted: "
    "Failed to allocate the network(s), not rescheduling.",
    "hypervisor": "Build of instance 1fc6882a-848d-41c5-95fd-6f7db609fdc2 aborted: no space left on the hypervisor",
    "retries": "Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures "
    "for instance 7bbc9475-637d-448f-bd9b-4a561758c65a.",
}
