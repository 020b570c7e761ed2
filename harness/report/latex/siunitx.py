"""The siunitx settings of a table: they keep the report's digits, whatever the document sets elsewhere.

Versions 2 and 3 of siunitx have different names. `exponent-mode` distinguishes them: version 2 lacks it.
"""

BOTH = (
    "parse-numbers=true,input-digits=0123456789,input-decimal-markers={.},input-signs={+-},input-ignore={}",
    "input-exponent-markers={eE},input-comparators={<>}",
    "output-decimal-marker={.},bracket-negative-numbers=false,minimum-integer-digits=0",
    "table-auto-round=false,table-number-alignment=center,table-text-alignment=center,table-column-width=0pt",
)
VERSION_3 = (
    "evaluate-expression=false,round-mode=none,exponent-mode=input,drop-exponent=false,drop-uncertainty=false",
    "drop-zero-decimal=false,minimum-decimal-digits=0,print-zero-integer=true,print-implicit-plus=false",
    "group-digits=none,reset-text-series=false,text-series-to-math=true,table-fixed-width=false",
)
VERSION_2 = (
    "round-mode=off,scientific-notation=false,exponent-to-prefix=false,omit-uncertainty=false",
    "zero-decimal-to-integer=false,explicit-sign={},input-symbols={},group-digits=false,table-parse-only=false",
    "detect-weight=true",
)
SINCE_A_LATER_VERSION = {"zero-decimal-as-symbol": "false", "retain-explicit-decimal-marker": "false"}
"""Settings that are set only if the installed version has them."""


def settings() -> list[str]:
    """Return lines of LaTeX that set siunitx for the rest of a group; no line adds a space."""
    later = (
        f"\\csname keys_if_exist:nnT\\endcsname{{siunitx}}{{{key}}}{{\\sisetup{{{key}={value}}}}}%"
        for key, value in SINCE_A_LATER_VERSION.items()
    )
    return [
        *(f"\\sisetup{{{keys}}}%" for keys in BOTH),
        "\\csname keys_if_exist:nnTF\\endcsname{siunitx}{exponent-mode}{%",
        *(f"\\sisetup{{{keys}}}%" for keys in VERSION_3),
        "}{%",
        *(f"\\sisetup{{{keys}}}%" for keys in VERSION_2),
        "}%",
        *later,
    ]
