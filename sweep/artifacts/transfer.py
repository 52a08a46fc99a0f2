"""Artifacts on their way from one home to another: the content of their files.

What arrives is checked before it is published, as what lies in a home is whenever it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sweep.artifacts.store import ArtifactStore
from sweep.files import publish_bytes, published_directory, set_aside
from sweep.specs import Artifact

Package = Mapping[str, bytes]
"""The content of an artifact's files by their names; what is one file has one."""


class NotWholeError(ValueError):
    """What was to be published is not whole, or is not what it should be."""


def pack(store: ArtifactStore, artifact: Artifact) -> Package | None:
    """An artifact of a store; None if there is none that can be believed."""
    path = store.path(artifact)
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        package = {file.name: file.read_bytes() for file in files}
    except OSError:
        return None
    return package if _is_whole(store, artifact, package) else None


def unpack(store: ArtifactStore, artifact: Artifact, package: Package) -> None:
    """Publish in a store what came from another; whoever may make it meanwhile holds its lock.

    Of a directory that is there, and whole, nothing is changed: it is the same, or as good.

    Raises:
        NotWholeError: the package is not whole, or not this artifact's.
        OSError: the store does not take it.
    """
    if not _is_whole(store, artifact, package):
        raise NotWholeError(f"what was sent as {artifact.kind} {artifact.key} is not that")
    path = store.path(artifact)
    path.parent.mkdir(exist_ok=True)
    shelf = store.directories.get(artifact.kind)
    if shelf is None:
        publish_bytes(path, package[path.name])
        return
    if shelf.is_whole(artifact.key):
        return
    if path.exists():
        set_aside(path)
    with published_directory(path) as directory:
        for name, content in package.items():
            (directory / name).write_bytes(content)


def _is_whole(store: ArtifactStore, artifact: Artifact, package: Package) -> bool:
    """Whether a package is an artifact's, in every file, and has names of files alone."""
    kind, key = artifact
    if (shelf := store.directories.get(kind)) is not None:
        are_names = all(Path(name).name == name and name[:1] != "." for name in package)
        return are_names and shelf.agrees(key, package)
    if package.keys() != {store.path(artifact).name}:
        return False
    (content,) = package.values()
    match kind:
        case "dataset":
            return store.datasets.agrees(key, content)
        case "checkpoint":
            return store.checkpoint(key).agrees(content)
        case "draw":
            return store.draws.agrees(key, content)
        case _:
            return store.assessments.agrees(key, content)
