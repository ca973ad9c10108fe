"""By what stores let us in: the environment, or a profile of AWS's own files. Nothing of it is kept or shown.

Instance metadata services are never asked: who can have a server call addresses must not get the machine's rights.
Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files"; Azure, "Configure Azure Storage
connection strings"; Google, "How Application Default Credentials works".
"""

import configparser
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from storycore.errors import DependencyFailed, Reason
from storycore.storage.place import WORDS, Kind

_S3_REMEDY = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of ~/.aws/credentials that has them."
)
_AZURE_REMEDY = (
    "Set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or "
    "AZURE_STORAGE_SAS_TOKEN."
)
_GOOGLE_REMEDY = "Set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account."

_SERVERS = {
    Kind.S3: ("AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 or endpoint_url of the profile", "AWS_REGION"),
    Kind.AZURE: ("AZURE_STORAGE_ENDPOINT or the BlobEndpoint of AZURE_STORAGE_CONNECTION_STRING",
                 "the name of the account"),
    Kind.GOOGLE: ("GOOGLE_BASE_URL", "GOOGLE_APPLICATION_CREDENTIALS"),
}  # fmt: skip
"""What names a server that is not the provider's own, and what leads to his own."""

_AZURE_WAYS = (
    ("access_key", {"account_key": ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_KEY")}),
    ("sas_token", {"sas_key": ("AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY")}),
    (
        "client_secret",
        {
            "client_id": ("AZURE_CLIENT_ID", "AZURE_STORAGE_CLIENT_ID"),
            "client_secret": ("AZURE_CLIENT_SECRET", "AZURE_STORAGE_CLIENT_SECRET"),
            "tenant_id": ("AZURE_TENANT_ID", "AZURE_STORAGE_TENANT_ID"),
        },
    ),
)
_GOOGLE_WAYS = {
    "service_account_key": ("GOOGLE_SERVICE_ACCOUNT_KEY",),
    "service_account": ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH"),
    "application_credentials": ("GOOGLE_APPLICATION_CREDENTIALS",),
}


def options(kind: Kind) -> dict[str, str]:
    """What a store of this kind is opened with, read anew each time.

    Raises:
        DependencyFailed: store_unavailable: there are no credentials, or the server's address is none.
    """
    found = {Kind.S3: _s3, Kind.AZURE: _azure, Kind.GOOGLE: _google}[kind]()
    address = found.get("endpoint") or found.get("base_url") or ""
    if address and not is_address(address):
        raise DependencyFailed(
            f"The address that is set for {WORDS[kind]} is none that can be asked.",
            reason=Reason.STORE_UNAVAILABLE,
            remediation=f"Correct {_SERVERS[kind][0]}: it begins with https:// (or http://), and names a host.",
            details={"retryable": False},
        )
    return found


def server(options: Mapping[str, str]) -> str:
    """Address of the server that is asked, without a name, password or query in it; "" for the provider's own."""
    address = options.get("endpoint") or options.get("base_url") or ""
    scheme, slashes, rest = re.split("[?#]", address)[0].rstrip("/").rpartition("://")
    host, slash, path = rest.partition("/")
    return scheme + slashes + host.rpartition("@")[2].lower() + slash + path


def is_address(text: str) -> bool:
    """Whether a text is the address of a server that can be asked; the library breaks on one that is not."""
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        return False
    odd = re.search(r"[^!-~]|[<>\"\\^`{|}]", text)
    return found.scheme in ("http", "https") and bool(found.hostname) and port != 0 and not odd


def remedy(kind: Kind, options: Mapping[str, str]) -> str:
    """What to do when a store of this kind does not answer; no address is told, since callers elsewhere read it."""
    named, provider = _SERVERS[kind]
    if server(options):
        return f"Start the store's server, or correct its address in {named}; this machine must reach it."
    return (
        f"See whether this machine reaches {WORDS[kind]} (its network, a proxy, a firewall), and whether {provider} is "
        f"right; a server of your own is named by {named}."
    )


def _s3() -> dict[str, str]:
    profile = _profile()
    key, secret = _first("AWS_ACCESS_KEY_ID"), _first("AWS_SECRET_ACCESS_KEY")
    token = _first("AWS_SESSION_TOKEN") if key else profile.get("aws_session_token", "")
    if not key:
        key, secret = profile.get("aws_access_key_id", ""), profile.get("aws_secret_access_key", "")
    if not (key and secret):
        raise _missing(Kind.S3, _S3_REMEDY)
    region = _first("AWS_REGION", "AWS_DEFAULT_REGION") or profile.get("region", "") or "us-east-1"
    endpoint = _first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT") or profile.get("endpoint_url", "")
    found = {"access_key_id": key, "secret_access_key": secret, "region": region}
    return found | {name: value for name, value in (("session_token", token), ("endpoint", endpoint)) if value}


def _profile() -> Mapping[str, str]:
    """The profile that is asked for, from both of AWS's files; empty if there is none."""
    name = _first("AWS_PROFILE", "AWS_DEFAULT_PROFILE") or "default"
    folder = Path.home() / ".aws"
    files = (
        (os.environ.get("AWS_CONFIG_FILE") or folder / "config", "default" if name == "default" else f"profile {name}"),
        (os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials", name),
    )
    found: dict[str, str] = {}
    for path, section in files:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(Path(path).expanduser(), encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # who meant it learns that there are no credentials
        if parser.has_section(section):
            found |= dict(parser.items(section))
    return found


def _azure() -> dict[str, str]:
    told = _connection_string()
    account = told.get("accountname") or _first("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
    found = {"account_name": account}
    endpoint = told.get("blobendpoint") or _first("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
    if endpoint:
        found["endpoint"] = endpoint.rstrip("/")
    if not account:
        raise _missing(Kind.AZURE, _AZURE_REMEDY)
    if told.get("accountkey"):
        return found | {"account_key": told["accountkey"], "credential_type": "access_key"}
    if told.get("sharedaccesssignature"):
        return found | {"sas_key": told["sharedaccesssignature"], "credential_type": "sas_token"}
    for way, names in _AZURE_WAYS:
        values = {option: _first(*variables) for option, variables in names.items()}
        if all(values.values()):
            return found | values | {"credential_type": way}
    raise _missing(Kind.AZURE, _AZURE_REMEDY)


def _connection_string() -> dict[str, str]:
    parts = (part.partition("=") for part in _first("AZURE_STORAGE_CONNECTION_STRING").split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts if value}


def _google() -> dict[str, str]:
    found = {option: _first(*variables) for option, variables in _GOOGLE_WAYS.items()}
    found = dict(list({option: value for option, value in found.items() if value}.items())[:1])
    if not found:
        raise _missing(Kind.GOOGLE, _GOOGLE_REMEDY)
    endpoint = _first("GOOGLE_BASE_URL")
    return found | ({"base_url": endpoint} if endpoint else {})


def _first(*names: str) -> str:
    return next((value for name in names if (value := os.environ.get(name, "").strip())), "")


def _missing(kind: Kind, remedy: str) -> DependencyFailed:
    return DependencyFailed(
        f"There are no credentials for {WORDS[kind]}.",
        reason=Reason.STORE_UNAVAILABLE,
        remediation=remedy,
        details={"retryable": False},
    )
