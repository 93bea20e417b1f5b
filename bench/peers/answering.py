"""How a peer talks: one JSON line out when ready (or {"absent": why}), then one line out for each action asked on stdin."""
import json
import resource
import sys


def say(**message):
    print(json.dumps(message), flush=True)


def absent(error):
    say(absent=f"{type(error).__name__}: {str(error).splitlines()[0]}")
    sys.exit(0)


def answer(version, actions):
    """`actions`: name -> function that does the work once and returns when it is really done."""
    for act in actions.values():
        act()  # warm up: compile, allocate
    say(version=version, actions=list(actions))
    for line in sys.stdin:
        actions[line.strip()]()
        say(done=True, peakMiB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
