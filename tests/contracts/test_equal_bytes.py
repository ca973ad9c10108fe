"""The same content is packed to the same bytes in every process, wherever the system puts it in memory."""

import subprocess
import sys

import pytest

PACKING = """
import hashlib, random
from storycore.exports.packing.compression import deflate

chance, seen = random.Random(5), hashlib.sha256()
words = [f"w{chance.getrandbits(20):x}" for _ in range(300)]
packer = deflate(LEVEL)
for size in [*range(20, 1000, 3), *range(1000, 5000, 53), 9000, 45000]:
    text = " ".join(chance.choice(words) for _ in range(size // 4 + 2)).encode()[:size]
    stream = packer.stream()
    seen.update(packer.whole(text) + stream.compress(text) + stream.flush())
print(seen.hexdigest())
"""


@pytest.mark.parametrize("level", [1, 3, 6])
def test_twelve_processes_pack_four_hundred_contents_to_the_same_bytes(level):
    program = PACKING.replace("LEVEL", str(level))
    told = {subprocess.check_output([sys.executable, "-c", program]) for _ in range(12)}
    assert len(told) == 1
