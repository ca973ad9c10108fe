"""Our messages, judged by verifiers that others wrote: the public libraries for v1, node's crypto for v1a."""

import json
import shutil
import subprocess
import time
from datetime import UTC, datetime

import pytest
import standardwebhooks

from storycore.events import make
from storycore.webhooks.receiver import verify
from storycore.webhooks.signing import Scheme, new_secret, sign

TITLES = ["plain", "Nuit américaine", "夜 🌙", 'quotes " and \\ backslashes', "line\nbreak", "\u2028 \u0000 \x7f"]

NODE_V1 = """
const { Webhook } = require('standardwebhooks');
const { secret, messages } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const one = new Webhook(secret);
console.log(JSON.stringify(messages.map(({ body, headers }) => {
  try { return one.verify(body, headers).data.pipeline; } catch (fault) { return `refused: ${fault.message}`; }
})));
"""
NODE_V1A = """
const crypto = require('crypto');
const { key, messages } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const raw = Buffer.from(key.slice(5), 'base64');
const head = Buffer.from('302a300506032b6570032100', 'hex');
const publicKey = crypto.createPublicKey({ key: Buffer.concat([head, raw]), format: 'der', type: 'spki' });
console.log(JSON.stringify(messages.map(({ body, headers }) => {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const found = headers['webhook-signature'].split(' ').find((entry) => entry.startsWith('v1a,'));
  return crypto.verify(null, Buffer.from(content), publicKey, Buffer.from(found.slice(4), 'base64'));
})));
"""


def messages(*keys):
    made = []
    for number, title in enumerate(TITLES):
        body, now = make("pipeline.started", {"pipeline": title}).body, int(time.time())
        headers = {"webhook-id": f"evt_{number}", "webhook-timestamp": str(now)}
        headers["webhook-signature"] = sign(keys, f"evt_{number}", now, body.encode())
        made.append({"body": body, "headers": headers})
    return made


@pytest.fixture
def node():
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed here")
    return found


def run(node, program, facts, cwd):
    done = subprocess.run(
        [node, "-e", program], cwd=cwd, input=json.dumps(facts), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_python_library_takes_what_we_sign_and_we_take_what_it_signs():
    secret, other = new_secret(Scheme.V1), new_secret(Scheme.V1)
    theirs = standardwebhooks.Webhook(secret.text)
    for message in messages(other, secret):
        assert theirs.verify(message["body"], message["headers"]) == json.loads(message["body"])
        now = datetime.now(UTC)
        signed = {
            "webhook-id": "evt_1", "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": theirs.sign("evt_1", now, message["body"]),
        }  # fmt: skip
        assert verify(message["body"].encode(), signed, secret.text).id == "evt_1"


@pytest.mark.slow
def test_the_node_library_takes_what_we_sign(node, tmp_path):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed here")
    install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(tmp_path)]
    try:
        done = subprocess.run([*install, "standardwebhooks@1"], capture_output=True, text=True, timeout=90)
    except subprocess.TimeoutExpired:
        pytest.skip("the package of node can't be had in time here")
    if done.returncode:
        pytest.skip("the package of node can't be had here")
    secret, other = new_secret(Scheme.V1), new_secret(Scheme.V1)
    made = messages(secret, other)
    assert run(node, NODE_V1, {"secret": secret.text, "messages": made}, tmp_path) == TITLES
    spoilt = [{**it, "body": it["body"].replace("pipeline", "Pipeline")} for it in made]
    refused = run(node, NODE_V1, {"secret": secret.text, "messages": spoilt}, tmp_path)
    assert all(word.startswith("refused") for word in refused)


def test_nodes_own_crypto_takes_our_v1a_signatures(node, tmp_path):
    secret = new_secret(Scheme.V1A)
    made = messages(new_secret(Scheme.V1), secret)
    facts = {"key": secret.public_text, "messages": made}
    assert run(node, NODE_V1A, facts, tmp_path) == [True] * len(TITLES)
    spoilt = {**facts, "messages": [{**it, "body": it["body"] + " "} for it in made]}
    assert run(node, NODE_V1A, spoilt, tmp_path) == [False] * len(TITLES)
