"""Git repositories, read over http without a checkout: the files of one branch, tag or commit, and no history."""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dulwich.client import Urllib3HttpGitClient
from dulwich.errors import (
    ApplyDeltaError,
    ChecksumMismatch,
    FileFormatException,
    GitProtocolError,
    HangupException,
    NotGitRepository,
)
from dulwich.object_store import MaxTreeDepthExceeded, MemoryObjectStore, ObjectStoreGraphWalker, iter_tree_contents
from dulwich.objects import S_ISGITLINK, Blob, Commit, ObjectID, Tag
from dulwich.pack import UnresolvedDeltas
from dulwich.refs import Ref
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from platform_manager.catalogs.sources import pack, web
from platform_manager.catalogs.sources.gathering import MOST_FILE_BYTES, Fetched, Gathering, too_large
from platform_manager.errors import PlatformError, ProviderError, UserError

SECONDS = 60
MOST_BYTES = 64 * 2**20
MOST_DEPTH = 30
MOST_TAGS_OF_TAGS = 5
_COMMIT = re.compile("[0-9a-f]{40}")
_NAME = re.compile(r"(?!.*(\.\.|@\{|//|/$|\.lock$))[^\x00-\x20\x7f~^:?*\[\\-][^\x00-\x20\x7f~^:?*\[\\]{0,249}")
_PEELED = b"^{}"

# What dulwich raises over an answer that is no git, or a broken one.
_BROKEN = (
    GitProtocolError,
    HangupException,
    ChecksumMismatch,
    FileFormatException,
    ApplyDeltaError,
    UnresolvedDeltas,
    MaxTreeDepthExceeded,
    AssertionError,
    LookupError,
    TypeError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
)


def fetch(
    address: str,
    *,
    ref: str = "",
    folder: str = "",
    user: str = "",
    password: str = "",
    private: bool = False,
    seconds: float = SECONDS,
    proxy: str = "",
) -> Fetched:
    """The files below ``folder`` at a branch, tag or full commit (``ref``, "" for the default branch).

    Links and submodules are left out. UserError or ProviderError, as a sentence with what to do, when it fails.
    """
    gathering = Gathering("The repository", folder=folder)
    with _client(address, user, password, private, seconds, proxy) as client:
        store, wanted = _objects(client, ref)
        commit = _commit(store, wanted)
        _gather(store, commit.tree, gathering)
    return gathering.fetched(commit.id.decode())


def remote_commit(
    address: str,
    *,
    ref: str = "",
    user: str = "",
    password: str = "",
    private: bool = False,
    seconds: float = SECONDS,
    proxy: str = "",
) -> str:
    """The commit that a branch or tag stands at now, asked for without fetching anything; errors as of fetch."""
    with _client(address, user, password, private, seconds, proxy) as client:
        if _COMMIT.fullmatch(ref):
            return ref
        refs = client.get_refs("", ref_prefix=_prefixes(ref)).refs
        return _chosen({name: sha for name, sha in refs.items() if sha}, ref).decode()


class _Client(Urllib3HttpGitClient):
    """Reads no more than its budget, and speaks to no server that only hands out files ("dumb")."""

    def __init__(self, address: str, budget: web.Budget, pools: PoolManager, user: str, password: str) -> None:
        self.budget = budget
        super().__init__(
            address, pool_manager=pools, thin_packs=False, username=user or None, password=password or None
        )

    def _http_request(self, url: str, *args: Any, **kwargs: Any) -> tuple[Any, Callable[[int], bytes]]:
        response: Any
        response, read = super()._http_request(url, *args, **{**kwargs, "raise_for_status": False})
        try:
            if response.status == 404:
                raise NotGitRepository
            web.check_status(response, url, signed_in=self._password is not None)
            if not str(response.headers.get("Content-Type", "")).startswith("application/x-git-"):
                raise NotGitRepository
        except (NotGitRepository, PlatformError):
            response.close()
            raise
        return response, lambda size: self.budget.spend(read(size))


@contextmanager
def _client(address: str, user: str, password: str, private: bool, seconds: float, proxy: str) -> Iterator[_Client]:
    web.checked(address)
    host = web.host_of(address)
    # A token alone goes as the password; servers take any user with it.
    user = user or ("token" if password else "")
    words: dict[str, Any] = {"private": private, "seconds": seconds, "proxy": proxy}
    with web.visit(address, **words, most_bytes=MOST_BYTES) as (pools, budget):
        client = _Client(address, budget, pools, user, password)
        try:
            yield client
        except PlatformError:
            raise
        except NotGitRepository:
            raise UserError(
                f"{host} has no git repository at this address. Check its spelling; "
                "a private repository needs a user and a password or token.",
                "address",
            ) from None
        except _BROKEN as error:
            raise _refusal(error, address, budget) from error
        finally:
            client.close()


def _refusal(error: BaseException, address: str, budget: web.Budget) -> PlatformError:
    host = web.host_of(address)
    cause = error.__cause__
    if isinstance(cause, HTTPError) or budget.deadline.over:
        return web.refusal(cause or error, address, budget.deadline)
    if "shallow" in str(error):
        return UserError(f"{host} gives no single commit, only whole histories. Use an archive of it.", "address")
    return ProviderError(f"{host} sent what is no git repository, or a broken one. Check the address, or try later.")


def _objects(client: _Client, ref: str) -> tuple[MemoryObjectStore, ObjectID]:
    received = bytearray()
    wanted: list[ObjectID] = []

    def determine(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
        wanted.append(ObjectID(ref.encode()) if _COMMIT.fullmatch(ref) else _chosen(refs, ref))
        return wanted

    def receive(data: bytes) -> int:
        received.extend(data)
        return len(data)

    nothing_here = ObjectStoreGraphWalker([], lambda sha: [])
    most = b"blob:limit=%d" % (MOST_FILE_BYTES + 1)
    client.fetch_pack("", determine, nothing_here, receive, depth=1, ref_prefix=_prefixes(ref), filter_spec=most)
    if not received and _COMMIT.fullmatch(ref):
        raise UserError("The repository does not hand out this commit. Name a branch or tag instead.", "ref")
    return pack.opened(bytes(received)), wanted[0]


def _prefixes(ref: str) -> list[bytes]:
    if _COMMIT.fullmatch(ref) or not ref:
        return [b"HEAD"]
    if not _NAME.fullmatch(ref):
        raise UserError("This can't be the name of a branch or tag. Give one such as main or v1.2.", "ref")
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/").encode()
    return [b"refs/heads/" + name, b"refs/tags/" + name]


def _chosen(refs: Mapping[Any, ObjectID], ref: str) -> ObjectID:
    """The commit of a ref, that of an annotated tag where the server tells it."""
    for name in _prefixes(ref):
        if found := refs.get(name + _PEELED) or refs.get(name):
            return found
    if not ref:
        raise UserError("The repository has no default branch; it may be empty. Name a branch, or fill it.", "ref")
    raise UserError(f"The repository has no branch or tag named '{ref[:100]}'. Check its spelling.", "ref")


def _commit(store: MemoryObjectStore, wanted: ObjectID) -> Commit:
    found = store[wanted]
    for _ in range(MOST_TAGS_OF_TAGS):
        if not isinstance(found, Tag):
            break
        found = store[found.object[1]]
    if not isinstance(found, Commit):
        raise UserError("This tag does not name a commit. Name a branch, or another tag.", "ref")
    return found


def _gather(store: MemoryObjectStore, tree: ObjectID, gathering: Gathering) -> None:
    for entry in iter_tree_contents(store, tree, include_trees=True, max_depth=MOST_DEPTH):
        if stat.S_ISDIR(entry.mode or 0):
            gathering.look()
            continue
        path = (entry.path or b"").decode("utf-8", "backslashreplace")
        wanted = gathering.wants(path)
        if not wanted:
            continue
        mode = entry.mode or 0
        if stat.S_ISLNK(mode):
            gathering.skip(path, "It is a symbolic link and was not followed.")
        elif S_ISGITLINK(mode):
            gathering.skip(path, "It is a submodule and was not followed. Make a catalog of its own of it.")
        elif entry.sha not in store:
            gathering.skip(path, too_large())
        else:
            blob = store[entry.sha]
            if not isinstance(blob, Blob):
                raise ValueError("A file that is none.")
            gathering.add(wanted, blob.data)
