"""Stops a program at a function of its own, exactly there and every time: gdb runs it to a breakpoint.

A crash test that kills after a random time tests mostly the long steps; the dangerous ones take a millisecond.
"""

import re
import shutil
import subprocess

import pytest

from server import clean_environment, until

# Only the program's own symbols are read: those of some forty libraries take gdb longer than all the rest.
GDB = ["gdb", "-q", "-nx", "-iex", "set auto-solib-add off"]
REACHED = re.compile(r"Breakpoint 1(\.\d+)?, ")  # 1.2: the compiler made more than one of the function
SECONDS = 120  # until a program is there, or has ended: seconds of work, on a machine with other work


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
    if not REACHED.search(done.stdout):
        pytest.fail(f"{function} was never reached:\n{done.stdout}\n{done.stderr}")
    return done


def in_background(function, program, *args, env, output):
    """The same, but stays at the breakpoint until the returned Popen's stdin is closed; then it goes on."""
    gdb = [*GDB, "-ex", "set confirm off", "-ex", "set pagination off", "-ex",
           "set debuginfod enabled off", "-ex", f"break {function}", "-ex", "run", "--args", str(program),
           *map(str, args)]
    return subprocess.Popen(gdb, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, text=True,
                            env={**clean_environment(), **env, "LC_ALL": "C.UTF-8"})


def reached(child, log):
    """Waits until the program of in_background, which writes into the file `log`, is at the breakpoint."""
    assert until(lambda: REACHED.search(log.read_text()) or child.poll() is not None, SECONDS) is not True, log.read_text()


def go_on(child):
    child.stdin.write("delete\ncontinue\n")
    child.stdin.flush()


def ended(child, log):
    """Waits until the program that goes on has ended."""
    until(lambda: "[Inferior 1" in log.read_text(), SECONDS)
    child.communicate("quit\n", timeout=SECONDS)


def held(function, program, *args, env, log, act):
    """The program is at the function when `act` is called, and goes on afterwards. Gives what it says, in the file `log`."""
    with open(log, "w") as output:
        child = in_background(function, program, *args, env=env, output=output)
        reached(child, log)
        try:
            act()
        finally:
            go_on(child)
            ended(child, log)
    return log.read_text()
