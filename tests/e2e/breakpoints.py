"""Stops a program at a function of its own, exactly there and every time: gdb runs it to a breakpoint.

A crash test that kills after a random time tests mostly the long steps; the dangerous ones take a millisecond.
"""

import re
import shutil
import subprocess

import pytest

from server import clean_environment

# Only the program's own symbols are read: those of some forty libraries take gdb longer than all the rest.
GDB = ["gdb", "-q", "-nx", "-iex", "set auto-solib-add off"]


def at(function, program, *args, env, do="kill", times=1, timeout=120):
    """Runs the program until `function` is called for the `times`-th time, then lets gdb `do` what is said:
    "kill" is SIGKILL; anything else is a gdb command, after which the program goes on to its end.
    Gives the CompletedProcess of gdb; its stdout holds what the program printed, and how it ended."""
    if not shutil.which("gdb"):
        pytest.skip("no gdb, so no crash at an exact place: apt-get install gdb")
    commands = ["set confirm off", "set pagination off", "set debuginfod enabled off", 
                "handle SIGTERM nostop noprint pass", f"break {function}"]
    if times > 1:
        commands.append(f"ignore 1 {times - 1}")
    commands += ["run", do] + ([] if do == "kill" else ["delete", "continue"])
    gdb = [*GDB, "-batch"]
    for command in commands:
        gdb += ["-ex", command]
    done = subprocess.run([*gdb, "--args", str(program), *map(str, args)], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=timeout, env={**clean_environment(), **env, "LC_ALL": "C.UTF-8"})
    if not re.search(r"Breakpoint 1(\.\d+)?, ", done.stdout):  # 1.2: the compiler made more than one of the function
        pytest.fail(f"{function} was never reached:\n{done.stdout}\n{done.stderr}")
    return done


def in_background(function, program, *args, env, output):
    """The same, but stays at the breakpoint until the returned Popen's stdin is closed; then it goes on."""
    gdb = [*GDB, "-ex", "set confirm off", "-ex", "set pagination off", "-ex",
           "set debuginfod enabled off", "-ex", f"break {function}", "-ex", "run", "--args", str(program),
           *map(str, args)]
    return subprocess.Popen(gdb, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, text=True,
                            env={**clean_environment(), **env, "LC_ALL": "C.UTF-8"})
