"""One file by its address: a template list, or an archive."""

from __future__ import annotations

from urllib3.util import make_headers

from platform_manager.catalogs.sources import web
from platform_manager.errors import UserError

SECONDS = 60
MOST_BYTES = 20 * 2**20


def get(address: str, *, private: bool = False, user: str = "", password: str = "", proxy: str = "") -> bytes:
    """What lies at an address. UserError or ProviderError, as a sentence with what to do, when it can't be had."""
    web.checked(address)
    headers = {"accept": "*/*"}
    if user or password:
        headers |= make_headers(basic_auth=f"{user}:{password}")
    with web.visit(address, private=private, seconds=SECONDS, most_bytes=MOST_BYTES, proxy=proxy) as (pools, budget):
        response = pools.request("GET", address, headers=headers, preload_content=False)
        try:
            web.check_status(response, address, signed_in=bool(password))
            body = b"".join(budget.spend(chunk) for chunk in response.stream(web.CHUNK_BYTES))
        finally:
            response.close()
    if not body:
        raise UserError(f"{web.host_of(address)} sent an empty file. Check the address.", "address")
    return body
