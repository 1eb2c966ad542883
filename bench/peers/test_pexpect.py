import json
import os

import pexpect
import pytest

QEMU, *ARGS = json.loads(os.environ["PEER_COMMAND"])


@pytest.fixture
def console():
    child = pexpect.spawn(QEMU, ARGS, timeout=60, echo=False)
    child.expect_exact("coldboot# ")
    yield child
    child.close(force=True)


@pytest.mark.parametrize("n", range(int(os.environ["PEER_TESTS"])))
def test_computes(console, n):
    console.sendline(f"echo sum-$(({n} + 1000))")
    assert console.expect([f"sum-{n + 1000}\r*\n", "Kernel panic"]) == 0
