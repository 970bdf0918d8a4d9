"""--help of every command lists what the command takes, and nothing else: flags, parameters of the filter, examples. No store
answers here, so a command that takes all of it goes on until it misses one."""

import os
import pathlib
import re
import shlex
import subprocess

import pytest
from stores import REPO

BUILD = pathlib.Path(os.environ.get("TRIVET_TEST_BUILD", REPO / "build"))
PROGRAMS = {name: BUILD / name.split("-")[1] / name for name in ("trivet-etl", "trivet-train", "trivet-serve")}
NO_MONGO = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=5"  # it is not waited for
NOT_TAKEN = re.compile(r"has no option|lacks its value|one it does not take|has no parameter|has no command|was also given")
FLAG = re.compile(r"^ +((?:--[\w-]+(?:=\S+)?(?:, )?)+)(.*(?:\n {20,}(?! *--).*)*)", re.M)


def commands():
    """(program, command) of all, as the program itself lists them; serve has one without a name."""
    for program, path in PROGRAMS.items():
        text = subprocess.run([path, "--help"], capture_output=True, text=True).stdout if path.exists() else ""
        listed = re.search(r"Commands:\n(.*?)\n\n", text, re.S)
        yield from ((program, line.split()[0]) for line in listed[1].splitlines()) if listed else [(program, None)]


def words(command):
    return [command] if command else []


def flags(text):
    """[(flag, a value that suits it or None)], without those of the environment, which all commands have."""
    for names, about in FLAG.findall(text):
        about = re.sub(r"\s+", " ", about)
        if "; environment TRIVET_" in about:
            continue
        for name in names.strip().split(", "):
            flag, _, value = name.partition("=")
            choices = re.search(r": ([\w:.@-]+(?:\|[\w:.@-]+)+)(?:;|$)", about)
            default = re.search(r"; default (\S+)$", about)
            yield flag, (choices[1].split("|")[0] if choices else default[1] if default else "1") if value else None


def examples(text):
    return re.findall(r"^  (trivet-.*)$", text, re.M)


@pytest.mark.parametrize("program, command", commands())
def test_a_command_takes_what_its_help_lists(run, program, command, tmp_path):
    text = run(program, *words(command), "--help").stdout
    usage = text.splitlines()[0].split("[OPTION...]")[1].split()
    arguments = [str(tmp_path / "none") for _ in usage if not usage[0].startswith("[")]
    given = [[flag] if value is None else [flag, value] for flag, value in flags(text)]
    parameters = re.findall(r"^  (\w+) +.*\(default (\w+)(?:: no condition)?\)$", text, re.M)
    assert bool(parameters) == ("--set" in dict(flags(text)))
    given += [["--set", f"{name}={'' if value == 'null' else value}"] for name, value in parameters]
    for one in given:
        done = run(program, *words(command), *one, *arguments, check=False, env={"TRIVET_MONGO": NO_MONGO})
        assert not NOT_TAKEN.search(done.stderr), (one, done.stderr)


@pytest.mark.parametrize("program, command", commands())
def test_the_examples_of_a_command_are_its_own_and_use_what_it_has(run, program, command):
    text = run(program, *words(command), "--help").stdout
    there = dict(flags(text)) | {flag: None for flag in re.findall(r"^ +(--[\w-]+)", text, re.M)}
    for example in examples(text):
        called = shlex.split(example)
        assert called[:1 + len(words(command))] == [program, *words(command)], example
        assert {word.split("=")[0] for word in called if word.startswith("--")} <= there.keys(), example


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_example_of_a_program_is_of_a_command(run, program):
    names = {command for of, command in commands() if of == program}
    found = examples(run(program, "--help").stdout)
    assert found and (None in names or {shlex.split(example)[1] for example in found} <= names)
