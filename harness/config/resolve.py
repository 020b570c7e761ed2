"""Resolve the name of an implementation to the function or class."""

from pkgutil import resolve_name
from typing import Any

from harness import OWN_MODULES
from harness.config.plugins import reason
from harness.errors import SpecError


def resolve(implementation: str) -> Any:
    """Import the module and return the object of `module:name`.

    Raises `SpecError` if the module or name does not exist, or the module cannot be imported.
    """
    if ":" not in implementation:
        raise SpecError(f"implementation '{implementation}' is not of the form 'module:name'")
    try:
        return resolve_name(implementation)
    except ModuleNotFoundError as error:
        # The command line reports a missing dependency of the harness, with the command that installs it.
        if implementation.startswith(OWN_MODULES) and error.name and not f"{error.name}.".startswith(OWN_MODULES):
            raise
        raise SpecError(f"implementation '{implementation}' cannot be imported: {error}") from error
    except (ImportError, AttributeError, ValueError) as error:
        raise SpecError(f"implementation '{implementation}' cannot be loaded: {error}") from error
    except Exception as error:
        if implementation.startswith(OWN_MODULES):
            raise
        raise SpecError(f"implementation '{implementation}' cannot be loaded: {reason(error)}") from error
