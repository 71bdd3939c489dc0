#!/usr/bin/python3 -B
"""DVC beside results of tasks: it knows nothing of their lock files, and nothing of its own is touched by those who do."""
import os
import subprocess

import oracle
import tap
import tools
from tap import ok, same

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
dag, dvc = tools.both(python, env)
here, clone = os.path.join(top, "r"), os.path.join(top, "c")
remote = os.path.join(top, "remote")


def put(name, text):
    path = os.path.join(here, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def get(where, name):
    try:
        with open(os.path.join(where, name), encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def git(where, *args):
    subprocess.run(["git", *args], cwd=where, env=env, check=True, capture_output=True)


def objects(store):
    return {os.path.join(base, name)[len(store):] for base, _, names in os.walk(os.path.join(store, "files")) for name in names}


def do(tool, *argv, where=here):
    return tap.works(tool, argv, where)


os.makedirs(here)
put("in", "1\n")
put("data/a", "a\n")
put("dvc.yaml", "stages:\n  s: {cmd: cp in s.out, deps: [in], outs: [s.out]}\n")
put("p.yaml", "tasks:\n  t: {inputs: [in], outputs: [t.out, t.d], run: 'cp in t.out; mkdir t.d; echo x > t.d/x'}\n")
git(here, "init", "-q", "-b", "main")
do(dvc, "init", "-q")
do(dvc, "add", "-q", "data")
do(dvc, "remote", "add", "-q", "-d", "r", remote)
do(dvc, "repro", "-q")
theirs = objects(os.path.join(here, ".dvc/cache"))
do(dag, "run", "p.yaml")
git(here, "add", "-A")
git(here, "commit", "-qm", "1")

# DVC sees none of it.
for argv in (["status"], ["data", "status"], ["diff"], ["push"], ["checkout"]):
    rc, out, err = dvc.run(argv, here)
    ok(rc == 0 and "t.out" not in out + err and "dag.lock" not in out + err, f"dvc {' '.join(argv)} does not see results")
same(objects(remote), theirs, "DVC has pushed what is its own")
do(dag, "push")
same(objects(remote), objects(os.path.join(here, ".dvc/cache")), "dag the rest")
ok("t.out" not in dvc.run(["status", "--cloud"], here)[1], "DVC does not miss anything")

# A clone, by both.
git(top, "clone", "-q", here, clone)
do(dvc, "pull", "-q", where=clone)
same((get(clone, "data/a"), get(clone, "s.out"), get(clone, "t.out")), ("a\n", "1\n", None), "DVC pulls its own")
do(dag, "pull", where=clone)
same((get(clone, "t.out"), get(clone, "t.d/x")), ("1\n", "x\n"), "dag the results")
ok("unchanged" in do(dag, "run", "p.yaml", where=clone), "no task runs again")
same(dvc.run(["status"], clone)[1].strip(), "Data and pipelines are up to date.", "to DVC all is well")

# What is cleaned up: dag keeps both kinds, DVC its own.
before = objects(os.path.join(here, ".dvc/cache"))
do(dag, "gc", "-w", "-f")
same(objects(os.path.join(here, ".dvc/cache")), before, "dag gc keeps what both name")
do(dvc, "gc", "-q", "-w", "-f")
same(objects(os.path.join(here, ".dvc/cache")), theirs, "dvc gc what is its own")
ok("not in cache" in do(dag, "status"), "dag tells what is missing")
do(dag, "fetch")
same(objects(os.path.join(here, ".dvc/cache")), before, "and gets it again")
tap.done()
