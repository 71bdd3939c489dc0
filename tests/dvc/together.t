#!/usr/bin/python3 -B
"""Two dag and one DVC at once on one repository: none of them fails for the others, none undoes what another has done.
DAG_TOGETHER: how often (1)."""
import os
import random
import subprocess
import threading
import time

import oracle
import tap
import tools
from tap import diag, ok, same

python = tap.python()
top = tap.scratch(memory=True)
seed = int(os.environ.get("DAG_SEED", time.time()))
diag(f"DAG_SEED={seed}")
random.seed(seed)
env = oracle.environment(os.path.join(top, "home"))
dag, dvc = tools.both(python, env)
here, rem = os.path.join(top, "r"), os.path.join(top, "rem")


def write(path, size):
    tap.put(os.path.join(here, path), random.randbytes(size))


def at_once(what, *calls):
    """Each call is (tool, argv); which of them is first is chance.  DVC gives up where a lock is held for
    3 s, or where another has changed what it looks at: then it is asked again, as its user would."""
    answers = [None] * len(calls)

    def call(i):
        time.sleep(random.uniform(0, 0.15))
        for _ in range(5):
            answers[i] = calls[i][0].run(calls[i][1], here)
            if calls[i][0] is dag or answers[i][0] == 0:
                break
            diag(f"{what}: DVC: {answers[i][2]}")

    threads = [threading.Thread(target=call, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for (tool, argv), (rc, out, err) in zip(calls, answers):
        ok(rc == 0, f"{what}: {tool.name} {' '.join(argv)}") or diag(f"{rc}: {out}{err}")


def clean(what):
    """Both say that all is as it should be; what each leads to is right."""
    for tool, argv in ((dag, ["status"]), (dvc, ["status"]), (dag, ["status", "--json"]), (dvc, ["status", "--json"])):
        rc, out, err = tool.run(argv, here)
        ok(rc == 0 and ("up to date" in out or out.strip() == "{}"), f"{what}: {tool.name} {' '.join(argv)}") or \
            diag(f"{rc}: {out}{err}")
    left = [os.path.join(at, name) for at, _, names in os.walk(here) for name in names
            if name.endswith(".tmp") and ".dvc/cache" not in at]
    same(left, [], f"{what}: nothing is left over")


os.mkdir(here)
subprocess.run(["git", "init", "-q", here], check=True, env=env)
for argv in (["init", "-q"], ["remote", "add", "-q", "-d", "rem", rem]):
    dvc.run(argv, here)
dvc.driver.ping()
for turn in range(int(os.environ.get("DAG_TOGETHER", "1"))):
    names = [f"{kind}{turn}" for kind in ("x", "y", "z")]
    for name in names:
        for i in range(150):
            write(f"{name}/{i % 7}/{i}", random.randrange(3000))
    at_once("three directories", (dag, ["add", "-q", names[0]]), (dag, ["add", "-q", names[1]]), (dvc, ["add", names[2]]))
    with open(os.path.join(here, ".gitignore")) as f:
        lines = f.read().splitlines()
    same(sorted(set(names) - {line.strip("/") for line in lines}), [], "each is ignored by git")
    clean("added")
    for name in names:
        write(f"{name}/new", 500)
        os.unlink(os.path.join(here, name, "0", "0"))
    at_once("changed", (dag, ["commit", "-q", "-f", names[0] + ".dvc"]), (dag, ["add", "-q", names[1]]),
            (dvc, ["commit", "-f", names[2] + ".dvc"]))
    clean("changed")
    at_once("sent", (dag, ["push", "-q"]), (dag, ["push", "-q", names[0]]), (dvc, ["push"]))
    same(dag.run(["status", "-c"], here)[1].strip(), "Cache and remote 'rem' are in sync.", "all is there")
    subprocess.run(["rm", "-rf"] + [os.path.join(here, name) for name in names] + [os.path.join(here, ".dvc", "cache")], check=True)
    at_once("fetched", (dag, ["pull", "-q"]), (dag, ["fetch", "-q"]), (dvc, ["pull"]))
    clean("fetched")
    subprocess.run(["rm", "-rf"] + [os.path.join(here, name) for name in names], check=True)
    at_once("checked out", (dag, ["checkout", "-q"]), (dag, ["checkout", "-q", names[1]]), (dvc, ["checkout"]))
    clean("checked out")
dvc.driver.close()
tap.done()
