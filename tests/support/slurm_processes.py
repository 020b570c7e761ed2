"""The processes of a lab, determined independently by ps."""

import subprocess


def processes_of(folder):
    """Return the living processes that name a folder in their arguments or environment, other than ps."""
    listing = subprocess.run(["ps", "axeww", "-o", "pid=,stat=,args="], capture_output=True, text=True, check=True)
    lines = [line.split(None, 2) for line in listing.stdout.splitlines()]
    return {int(pid): args.split(" ")[0] for pid, status, args in lines if str(folder) in args and status[0] != "Z"}
