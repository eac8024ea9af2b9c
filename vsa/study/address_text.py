"""Reading the text of addresses: their parts, what may be shown of them, and which driver they need."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

#: What pip calls the package that reads a protocol.
_DRIVERS = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "http": "aiohttp",
    "https": "aiohttp",
    "sftp": "paramiko",
    "ssh": "paramiko",
    "smb": "smbprotocol",
    "webdav": "webdav4",
    "webhdfs": "requests",
    "oci": "ocifs",
    "oss": "ossfs",
    "hf": "huggingface_hub",
}
#: What stands before an @ in these is a container, and no user.
_CONTAINERS = ("abfs", "abfss", "az", "wasb", "wasbs")
_LOCAL = ("file", "local")
_ANY_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")


@dataclass(frozen=True)
class Parts:
    """The parts of an address.

    Attributes
    ----------
    before, after
        What is chained before and after the part that names the file, as ``simplecache::``; secrets too.
    scheme
        Protocol, in lower case.
    user
        What stands before the host, as ``name:password@``; a secret.
    path
        Host (or bucket) and path.
    query
        What follows them, with its question mark; a secret.
    """

    before: str
    scheme: str
    user: str
    path: str
    query: str
    after: str

    def with_path(self, path: str) -> str:
        """The address of another path."""
        return f"{self.before}{self.scheme}://{self.user}{path}{self.query}{self.after}"

    @property
    def shown(self) -> str:
        """Without secrets."""
        return f"{self.scheme}://{self.path}"


def parts_of(url: str) -> Parts:
    """Take an address apart: of a chain, the first part with a path names the file."""
    links = url.split("::")
    first = next(k for k, link in enumerate(links) if "://" in link)
    before = "".join(f"{link}::" for link in links[:first])
    after = "".join(f"::{link}" for link in links[first + 1 :])
    scheme, _, rest = links[first].partition("://")
    user, rest = _without_user(scheme.lower(), rest)
    marks = "?#" if scheme.lower() in ("http", "https") else "?"
    path = re.split(f"[{marks}]", rest, maxsplit=1)[0]
    return Parts(before, scheme.lower(), user, path, rest[len(path) :], after)


def shown_address(url: str) -> str:
    """An address as it may be printed: without users, passwords, tokens and what is chained behind it."""
    return parts_of(url).shown


def file_path(url: str) -> Path | None:
    """The path of a ``file://`` address; None if it is another.

    Percent codes are read where there is no file of that very name.
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in _LOCAL:
        return None
    path = Path(rest.removeprefix("localhost") if rest.startswith("localhost/") else rest)
    return path if path.exists() else Path(unquote(str(path)))


def driver_of(url: str) -> tuple[str, str]:
    """The protocol of an address that needs a driver, and the package that brings it; empty if that is not known."""
    schemes = re.findall(r"(?:^|::)([A-Za-z][A-Za-z0-9+.-]*)(?=://|::)", url)
    scheme = next((one for one in reversed(schemes) if one in _DRIVERS), parts_of(url).scheme)
    return scheme, _DRIVERS.get(scheme, "")


def lower_schemes(url: str) -> str:
    """An address with its protocols in lower case, as fsspec knows them."""
    begun = re.match(r"([A-Za-z][A-Za-z0-9+.-]*::)*[A-Za-z][A-Za-z0-9+.-]*://", url)
    return url if begun is None else begun[0].lower() + url[begun.end() :]


def scrubbed(error: Exception, url: str) -> str:
    """The first line of an error, without addresses and without the secrets of one."""
    text = str(getattr(error, "strerror", None) or error or type(error).__name__).strip()
    text = text.splitlines()[0] if text else type(error).__name__
    text = _ANY_ADDRESS.sub("…", text)
    for secret in sorted(_secrets(url), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text if len(text) <= 200 else f"{text[:199]}…"


def _without_user(scheme: str, rest: str) -> tuple[str, str]:
    host = rest.partition("/")[0]
    if scheme in _CONTAINERS or "@" not in rest:
        return "", rest
    if "@" in host:
        cut = host.rindex("@") + 1
    elif re.search(r":(?!\d*$)", host):  # a password with a slash in it
        cut = rest.rindex("@") + 1
    else:
        return "", rest
    return rest[:cut], rest[cut:]


def _secrets(url: str) -> set[str]:
    found = set()
    for link in url.split("::"):
        if "://" not in link:
            continue
        parts = parts_of(link)
        found |= {parts.user, *re.split("[:@]", parts.user)}
        found |= {parts.query, *re.split("[?&=#]", parts.query)}
        # a token that was not coded as it should be may hold any of these marks itself
        found |= {parts.query[mark.end() :] for mark in re.finditer("[?&=#]", parts.query)}
    found |= {unquote(secret) for secret in found}
    return {secret for secret in found if len(secret) >= 3}
