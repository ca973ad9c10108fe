"""In a network of its own, where every address that must not be called is a trap: nobody but the named store is."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ALONE = ["unshare", "--user", "--map-root-user", "--net"]
SCRIPT = """
import contextlib, json, os, re, socket, subprocess, sys, threading
from pathlib import Path

def ip(*words):
    subprocess.run(["ip", *words], check=True, stderr=subprocess.DEVNULL)

ip("link", "set", "lo", "up")
heard = []
servers = re.findall(r"^nameserver ([0-9.]+)", Path("/etc/resolv.conf").read_text(), re.M)

def listen(kind, address):
    if not address[0].startswith("127."):
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("address", "add", address[0] + "/32", "dev", "lo")
    trap = socket.socket(socket.AF_INET, kind)
    trap.bind(address)
    if kind == socket.SOCK_STREAM:
        trap.listen(50)
    def hear():
        while True:
            if kind == socket.SOCK_STREAM:
                caller, _ = trap.accept()
                heard.append(address[0])
                caller.close()
            else:
                trap.recvfrom(4096)
                heard.append("names")
    threading.Thread(target=hear, daemon=True).start()

for address in ("169.254.169.254", "169.254.170.2"):
    listen(socket.SOCK_STREAM, (address, 80))
for server in servers:
    listen(socket.SOCK_DGRAM, (server, 53))

sys.path.insert(0, sys.argv[1])
for name in list(os.environ):
    if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
        del os.environ[name]
os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
               "AZURE_STORAGE_ACCOUNT_NAME": "studio"}

import obstore
from obstore.store import S3Store
with contextlib.suppress(Exception):
    obstore.head(S3Store("films", retry_config={"max_retries": 0}), "x")
trap_works = len(heard)

from storycore import MetadataRequest, PackageRequest, StoryCore, StoryCoreError, VerifyRequest
from storycore.storage.objects import Bucket
from storycore.storage.place import read_place
told = []
for place in ("s3://films", "az://films", "gs://films"):
    try:
        Bucket(read_place(place)).facts("x")
    except StoryCoreError as fault:
        told.append(fault.reason.value)

from fixtures.stores import moto
with moto() as server:
    os.environ |= {**server.environment, "STORYCORE_STORES": server.url}
    with StoryCore() as core:
        made = core.run(PackageRequest(project_path=sys.argv[2], output_path=server.url + "/a.zip"))
        valid = core.run(VerifyRequest(package_path=made.export_path)).valid
        valid = valid and bool(core.run(MetadataRequest(project_path=made.export_path)).metadata_text)
    there = list(server.objects())
more = heard[trap_works:]
print(json.dumps({"trap_works": trap_works > 0, "told": told, "valid": valid, "there": there, "heard": more}))
"""


def test_nobody_but_the_store_is_asked(film):
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("this system has no network namespaces")
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode:
        pytest.skip("this system does not let us have a network of our own")
    pytest.importorskip("moto")
    tests = Path(__file__).parents[1]
    run = subprocess.run(
        [*ALONE, sys.executable, "-c", SCRIPT, str(tests), str(film)], capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "trap_works": True,
        "told": ["store_unavailable"] * 3,
        "valid": True,
        "there": ["a.zip"],
        "heard": [],
    }
