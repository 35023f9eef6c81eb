"""Compares a directory with the checksums that its publisher publishes: every file is listed, every listed file is there, all are equal.

The format is that of the WordPress plugin directory: {"files": {"path": {"md5": "..." or [...], "sha256": "..." or [...]}}}.
"""
import hashlib
import json
import pathlib
import sys

root, listing = pathlib.Path(sys.argv[1]), json.load(open(sys.argv[2], encoding="utf-8"))["files"]


def accepted(entry):
    """SHA-256 where the publisher has it for the file; several values mean that the file was repackaged."""
    sums = entry["sha256"]
    return sums if isinstance(sums, list) else [sums]


found = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
wrong = [name for name, path in found.items()
         if name not in listing or hashlib.sha256(path.read_bytes()).hexdigest() not in accepted(listing[name])]
wrong += [f"{name} (missing)" for name in listing if name not in found]
if wrong or not found:
    sys.exit(f"{len(wrong)} of {len(found)} files differ, among them: {', '.join(sorted(wrong)[:5])}")
