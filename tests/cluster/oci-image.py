#!/usr/bin/env python3
"""Packs a directory into an OCI image archive of one layer, which `cluster load` can import.

    oci-image.py NAME:TAG DIRECTORY OUT.tar [--entry JSON] [--env K=V]... [--user USER] [--cwd DIR]

Files keep their numeric owners and modes; order and times are fixed, so equal input gives an equal image.
"""
import argparse
import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("root")
    parser.add_argument("out")
    parser.add_argument("--entry", type=json.loads, default=[], metavar="JSON")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--user", default="")
    parser.add_argument("--cwd", default="/")
    return parser.parse_args()


def file_digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def add(archive, name, data):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def add_blob(archive, media_type, data):
    """Adds the JSON document and returns the descriptor that refers to it."""
    data = json.dumps(data).encode()
    digest = hashlib.sha256(data).hexdigest()
    add(archive, f"blobs/sha256/{digest}", data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def main():
    options = parse()
    layer = options.out + ".layer"
    subprocess.check_call(
        ["tar", "--sort=name", "--mtime=@0", "--numeric-owner", "-C", options.root, "-cf", layer, "."])
    digest = file_digest(layer)
    config = {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": {"Entrypoint": options.entry, "Env": [PATH, *options.env],
                   "User": options.user, "WorkingDir": options.cwd},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    with tarfile.open(options.out, "w") as archive:
        add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": add_blob(archive, "application/vnd.oci.image.config.v1+json", config),
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar",
                        "digest": f"sha256:{digest}", "size": os.path.getsize(layer)}],
        }
        descriptor = add_blob(archive, manifest["mediaType"], manifest)
        descriptor["annotations"] = {"io.containerd.image.name": options.name,
                                     "org.opencontainers.image.ref.name": options.name.rsplit(":", 1)[-1]}
        add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode())
        archive.add(layer, f"blobs/sha256/{digest}")
    os.remove(layer)


if __name__ == "__main__":
    main()
