"""Waits for the last line of a file that `cat` prints. Prints milliseconds and the peak of memory, MiB, as JSON."""

import json
import resource
import sys
import time

import pexpect

file, kind = sys.argv[1:]
options = {"maxread": 65536, "searchwindowsize": 200} if kind == "tuned" else {}
begun = time.perf_counter()
child = pexpect.spawn("cat", [file], timeout=None, encoding="utf-8", **options)
if kind == "string":
    child.expect_exact("login: ")
else:
    child.expect(r"login: (\w+)")
child.expect(pexpect.EOF)
milliseconds = (time.perf_counter() - begun) * 1000
print(json.dumps([milliseconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
