"""From the name of an implementation to the function or class itself."""

from pkgutil import resolve_name
from typing import Any

from harness import OWN_MODULES
from harness.config.plugins import reason
from harness.errors import SpecError


def resolve(implementation: str) -> Any:
    """Return what `module:name` names, importing the module.

    Raises `SpecError` when there is no such module or name, or the module cannot be imported.
    """
    if ":" not in implementation:
        raise SpecError(f"implementation '{implementation}' is not of the form 'module:name'")
    try:
        return resolve_name(implementation)
    except ModuleNotFoundError as error:
        # A library that the harness itself lacks is named by the command line, with the command that installs it.
        if implementation.startswith(OWN_MODULES) and error.name and not f"{error.name}.".startswith(OWN_MODULES):
            raise
        raise SpecError(f"implementation '{implementation}' cannot be imported: {error}") from error
    except (ImportError, AttributeError, ValueError) as error:
        raise SpecError(f"implementation '{implementation}' cannot be loaded: {error}") from error
    except Exception as error:
        if implementation.startswith(OWN_MODULES):
            raise
        raise SpecError(f"implementation '{implementation}' cannot be loaded: {reason(error)}") from error
