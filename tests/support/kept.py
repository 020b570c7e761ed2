"""Puts a folder back as it was, after a test has damaged it."""

import os
import shutil


class Kept:
    """The contents of a folder, to be put back after each case."""

    def __init__(self, folder):
        self._folder = folder
        self._files = {path: (path.read_bytes(), path.stat()) for path in folder.rglob("*") if path.is_file()}
        self._folders = {path for path in folder.rglob("*") if path.is_dir()} | {folder}

    def put_back(self):
        """Make files and folders as they were, with their times."""
        for path in sorted(self._folder.rglob("*"), reverse=True):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                path.unlink()
            elif path.is_dir() and path not in self._folders:
                shutil.rmtree(path)
            elif path.is_file() and path not in self._files:
                path.unlink()
        for folder in sorted(self._folders):
            folder.mkdir(exist_ok=True)
        for path, (content, status) in self._files.items():
            if not path.is_file() or _form(path.stat()) != _form(status):
                path.write_bytes(content)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _form(status):
    return status.st_mtime_ns, status.st_size
