"""Loads functions and classes of the authors' code from a checkout, without running its scripts."""

import ast
import builtins
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch


class OfficialError(Exception):
    """A part of the authors' code is unavailable."""


class Overlay:
    """A module with some names replaced, to inject our random draws into the authors' code."""

    def __init__(self, base: Any, **replacements: Any) -> None:
        self.__dict__.update(replacements, _base=base)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)


LEGACY = {"numpy": Overlay(np, int=int, float=float, bool=bool, object=object, complex=complex, str=str)}
"""Modules in the form that the authors' code was written for: NumPy 1.24 removed its names of Python's types."""


@dataclass(frozen=True)
class Repository:
    """A repository: its command-line option, its address, and files that identify a checkout (any one of them)."""

    option: str
    address: str
    files: tuple[str, ...]


HYBVIT = Repository(
    "official", "github.com/sndnyang/Diffusion_ViT", ("gevit_main.py", "diffusion.py", "models/DifViT.py")
)
WRN = Repository("wrn", "github.com/xternalz/WideResNet-pytorch", ("wideresnet.py",))
JEM = Repository("jem", "github.com/wgrathwohl/JEM", ("wideresnet.py",))
VERA = Repository("vera", "github.com/wgrathwohl/VERA", ("models/wideresnet.py", "models/resnet.py"))
JEMPP = Repository("jempp", "github.com/sndnyang/JEMPP", ("train_jempp.py", "models/wideresnet_yopo.py"))
DDPM = Repository("ddpm", "github.com/pesser/pytorch_diffusion", ("pytorch_diffusion/model.py",))


class Checkout:
    """A checkout of a repository, by default `HYBVIT`.

    Only imports, functions, classes and simple assignments at the top level of a file are executed (`bind`), so
    scripts can be loaded. Failures of imports and assignments are skipped, because most are irrelevant to the
    comparisons; `absent` lists them. Raises `OfficialError` if the folder is not a checkout.
    """

    def __init__(self, root: Path, repository: "Repository | None" = None) -> None:
        repository = repository or HYBVIT
        if not root.is_dir():
            raise OfficialError(f"{root}: not a folder; --{repository.option} takes a checkout of {repository.address}")
        if not any((root / name).is_file() for name in repository.files):
            raise OfficialError(f"{root} is not a checkout of {repository.address}: it has no {repository.files[0]}")
        self.root = root
        self.absent: set[str] = set()
        self._modules: dict[str, ModuleType] = {}

    def commit(self) -> str:
        """Return the checked-out commit, 40 hexadecimal digits, or "unknown"."""
        git = self.root / ".git"
        head = _line(git / "HEAD")
        name = head.removeprefix("ref: ")
        packed = dict(reversed(line.split(" ", 1)) for line in _text(git / "packed-refs").splitlines() if " " in line)
        found = head if name == head else _line(git / name) or packed.get(name, "")
        return found if re.fullmatch("[0-9a-f]{40}", found) else "unknown"

    def skipped(self) -> str:
        """Return the failed imports and assignments in brackets, or nothing."""
        return f" (skipped: {'; '.join(sorted(self.absent))})" if self.absent else ""

    def module(self, path: str) -> ModuleType:
        """Return the definitions of a file, cached by path.

        Raises `OfficialError` if it is missing, is not Python, or a definition fails.
        """
        if path not in self._modules:
            file = self.root / path
            if not file.is_file():
                raise OfficialError(f"{path} is missing from {self.root}")
            # Registered before it is executed: files may import each other.
            self._modules[path] = ModuleType(f"official.{path.removesuffix('.py').replace('/', '.')}")
            try:
                execute(file, path, self._modules[path], self)
            except OfficialError:
                del self._modules[path]
                raise
        return self._modules[path]

    def imported(self, node: ast.Import | ast.ImportFrom, path: str) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield the names that an import statement binds, with functions that return their objects."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.split(".")[0], partial(self._imported, alias)
            return
        parts = [*(Path(path).parts[: -node.level] if node.level else ()), *(node.module or "").split(".")]
        package = ".".join(part for part in parts if part)
        for alias in node.names:
            for name in public_names(self._package(package)) if alias.name == "*" else (alias.name,):
                yield alias.asname or name, partial(self._attribute, package, name)

    def _imported(self, alias: ast.alias) -> Any:
        """Return the object that one name of an `import` statement binds."""
        module = self._package(alias.name)
        return module if alias.asname else self._package(alias.name.split(".")[0])

    def _package(self, name: str) -> Any:
        """Import a module; files of the checkout come before installed ones."""
        folder = name.replace(".", "/")
        for path in (f"{folder}.py", f"{folder}/__init__.py"):
            if name and (self.root / path).is_file():
                return self.module(path)
        return LEGACY.get(name) or import_module(name)

    def _attribute(self, package: str, name: str) -> Any:
        """Return the object of `from package import name`: a module of the package or an attribute."""
        if (self.root / package.replace(".", "/") / f"{name}.py").is_file():
            return self._package(f"{package}.{name}".removeprefix("."))
        source = self._package(package)
        own = source in self._modules.values()
        return getattr(source, name) if own or hasattr(source, name) else import_module(f"{package}.{name}")


def public_names(module: Any) -> list[str]:
    """Return the names that `from module import *` binds."""
    return getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]


def execute(file: Path, path: str, module: ModuleType, checkout: Checkout) -> None:
    """Execute the imports, functions, classes and simple assignments of a file in a module.

    Raises `OfficialError` if the file is not Python, or a definition fails.
    """
    try:
        tree = ast.parse(file.read_text())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise OfficialError(f"{file} cannot be read as Python: {told(error)}") from None
    names = module.__dict__
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            with skipping(file, checkout):
                for name, value in checkout.imported(node, path):
                    with skipping(file, checkout):
                        names[name] = value()
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            try:
                exec(compile(ast.Module([node], []), str(file), "exec"), names)
            except (Exception, SystemExit) as error:
                raise OfficialError(f"{file}, line {node.lineno}: {told(error)}{checkout.skipped()}") from None
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            with skipping(file, checkout):
                bind(node, names)


def bind(node: ast.Assign | ast.AnnAssign, names: dict[str, Any]) -> None:
    """Assign a literal, a name, an attribute, or a call of one without arguments, to plain names.

    All other assignments are passed over, and `sys.argv`: its values are not options of the authors' script.
    """
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if not all(isinstance(target, ast.Name) for target in targets):
        return
    match node.value:
        case ast.Call(func=ast.Name() | ast.Attribute() as called, args=[], keywords=[]):
            value = looked_up(called, names)()
        case ast.Name() | ast.Attribute() as chain:
            value = looked_up(chain, names)
        case ast.expr() as literal:
            try:
                value = ast.literal_eval(literal)
            except (ValueError, TypeError):
                return
        case None:
            return
    names.update((target.id, value) for target in targets if isinstance(target, ast.Name))


def looked_up(chain: ast.expr, names: dict[str, Any]) -> Any:
    """Return the value of a name or of a chain of attributes.

    Raises `NameError` for `sys.argv`, for built-in functions such as `input`, and for expressions of other kinds.
    """
    match chain:
        case ast.Name(id=name):
            value = names[name] if name in names else getattr(builtins, name, None)
            known = name in names or isinstance(value, type)
        case ast.Attribute(value=owner, attr=name):
            value, known = getattr(looked_up(owner, names), name), True
        case _:
            name, value, known = ast.unparse(chain), None, False
    if not known or value is sys.argv:
        raise NameError(f"name '{name}' is not defined")
    return value


@contextmanager
def skipping(file: Path, checkout: Checkout) -> Iterator[None]:
    """Note an error of the authors' code and go on."""
    try:
        yield
    except (Exception, SystemExit) as error:
        checkout.absent.add(f"{file.name}: {told(error)}")


def told(error: BaseException) -> str:
    """Return an error as one line without control characters, which third-party code may contain."""
    words = " ".join(str(error).split()) or type(error).__name__
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in words)


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.is_file() else ""


def _line(file: Path) -> str:
    return _text(file).strip()


@contextmanager
def replaced(module: ModuleType, values: dict[str, Any]) -> Iterator[None]:
    """Replace names of a module within the context."""
    with patch.multiple(module, create=True, **values):
        yield


def queue_of(tensors: Iterator[torch.Tensor]) -> Any:
    """Return a replacement for a random function that ignores its arguments and returns these tensors in turn."""
    return lambda *arguments, **keywords: next(tensors)
