#!/usr/bin/env python3
"""verify_proof.py PROOF: checks that an entry is in the journal that the proof's checkpoint is of, without Keybearer.
The signature of the checkpoint is in its last line, for whoever has the key."""
import base64, hashlib, sys

sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
head, checkpoint = open(sys.argv[1]).read().split("\n\n", 1)
kind, extra, index, *proof = head.split("\n")
assert kind == "c2sp.org/tlog-proof@v1", kind
line = base64.b64decode(extra.removeprefix("extra ")).decode()
content, own = line.rsplit(',"hash":"', 1)
assert sha(content.encode()).hex() == own.removesuffix('"}'), "the entry was changed"
origin, size, root = checkpoint.split("\n")[:3]
at, last, hash = int(index.removeprefix("index ")), int(size) - 1, sha(b"\0", bytes.fromhex(own.removesuffix('"}')))
for other in map(base64.b64decode, proof):
    if at % 2 or at == last:
        hash = sha(b"\1", other, hash)
        while at % 2 == 0 and at:
            at, last = at // 2, last // 2
    else:
        hash = sha(b"\1", hash, other)
    at, last = at // 2, last // 2
assert last == 0 and hash == base64.b64decode(root), "the entry is not in that journal"
print(f"{line}\nis in {origin}, one of {size} entries")
