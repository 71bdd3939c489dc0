#!/usr/bin/python3
"""Which stages run, and in what order: pipelines drawn at random, with repro's words and options.

DAG_PLAN_SEED and DAG_PLAN_ROUNDS choose others and more than the usual.
"""
import json
import os
import random
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oracle
import tap
import tools

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
seed = int(os.environ.get("DAG_PLAN_SEED", "1"))
rounds = int(os.environ.get("DAG_PLAN_ROUNDS", "12"))
rnd = random.Random(seed)
repo = os.path.join(top, "repo")
DIRS = ["", "a/", "a/b/"]


def write(name, text):
    tap.put(os.path.join(repo, name), text)


def draw():
    """Stages of up to three files; what one makes, others may depend on.  What is before in a hidden
    order is never behind, so that there is no cycle."""
    n = rnd.randint(3, 14)
    where = [rnd.choice(DIRS[:rnd.randint(1, 3)]) for _ in range(n)]
    hidden = list(range(n))
    rnd.shuffle(hidden)
    files = {}
    for i in range(n):
        place = hidden.index(i)
        outs, deps = [], []
        for k in range(rnd.randint(0, 2)):
            outs.append(rnd.choice(["o%d_%d", "d%d/x%d", "d%d_%d/y"]) % (i, k))
        if rnd.random() < 0.1:
            outs = ["p%d.yaml" % i]
        for j in rnd.sample(hidden[:place], min(place, rnd.choice([0, 1, 1, 2, 3]))):
            for there, out in draw.made.get(j, []):
                path = os.path.relpath("/" + there + out, "/" + where[i])
                deps.append(rnd.choice([path, path, path + "/in", os.path.dirname(path)
                                        if os.path.basename(os.path.dirname(path)).startswith("d") else path]))
        draw.made[i] = [(where[i], out) for out in outs]
        deps += rnd.sample(["../" * where[i].count("/") + "raw/x", "../" * where[i].count("/") + "raw/y", "src"],
                           rnd.choice([0, 0, 1, 2]))
        stage = {"cmd": f"echo {i}"}
        if deps:
            stage["deps"] = sorted(set(deps), key=lambda d: rnd.random())
        if outs:
            stage["outs"] = outs
        if rnd.random() < 0.1 and outs:
            stage["frozen"] = True
        files.setdefault(where[i], {})[rnd.choice(["s%d", "t%d", "s%d-x"]) % i] = stage
    return files


def names(text):
    return re.findall(r"^Running stage '(.*)':$", text, re.M)


def shown(name, where):
    """A task of dag's as DVC addresses it from the directory ${where}."""
    path, _, stage = name.rpartition(":")
    path = os.path.relpath("/" + (path or "dvc.yaml"), "/" + where)
    return stage if path == "dvc.yaml" else f"{path}:{stage}"


def words(files, where):
    """Words and options of one call."""
    here = files.get(where, {})
    every = [(w, s) for w in files for s in files[w]]
    more, targets = [], []
    for _ in range(rnd.choice([0, 1, 1, 2])):
        w, s = rnd.choice(every)
        targets.append(s if w == where and rnd.random() < 0.7 else
                       os.path.relpath("/" + w + "dvc.yaml", "/" + where) + ":" + s)
    if not targets and not here:
        targets = [os.path.relpath("/" + every[0][0] + "dvc.yaml", "/" + where)]
    if rnd.random() < 0.15:
        targets.append(rnd.choice(["raw/x.dvc"] if not where else ["../" * where.count("/") + "raw/x.dvc"]))
    option = rnd.choice(["", "", "", "-s", "-p", "-P", "--downstream", "-R", "--glob"])
    if option == "-R":
        targets = [rnd.choice([".", os.path.relpath("/" + rnd.choice(list(files)), "/" + where)])]
    if option == "--glob":
        targets = [rnd.choice(["s*", "*", "t*", "[st]?"])] if here else targets
        if not any(re.fullmatch(targets[0].replace("*", ".*").replace("?", "."), s) for s in here):
            option = ""
            targets = targets if not here else list(here)[:1]
    if option:
        more = [option]
    # "-p train" is one thing to dag and two to DVC: the same words.
    return more + targets if rnd.random() < 0.5 else targets + more


driver = oracle.Dvc(python)
dvc = tools.DvcTool(driver, env)
dag = tools.DagTool(os.path.join(os.environ["DAG_BUILD"], "bin", "dag"), env)
subprocess.run(["git", "init", "-q", repo], check=True, env=env)
dvc.run(["init", "-q"], repo)
write("raw/x", "x\n")
write("raw/y", "y\n")
dvc.run(["add", "-q", "raw/x", "raw/y"], repo)
good = asked = in_order = 0
for number in range(rounds):
    for d in DIRS:
        if os.path.exists(os.path.join(repo, d, "dvc.yaml")):
            os.unlink(os.path.join(repo, d, "dvc.yaml"))
    draw.made = {}
    files = draw()
    for d, stages in files.items():
        write(d + "dvc.yaml", json.dumps({"stages": stages}, indent=1))
    total = sum(map(len, files.values())) + 2
    for _ in range(4):
        where = rnd.choice(list(files))
        os.makedirs(os.path.join(repo, where), exist_ok=True)
        call = words(files, where)
        cwd = os.path.join(repo, where)
        rc, out, err = dvc.run(["repro", "--dry", "-f"] + call, cwd)
        theirs = names(out + err)
        mrc, mout, merr = dag.run(["run", "--dry-run", "--json"] + call, cwd)
        asked += 1
        if rc != 0 or mrc != 0:
            same = (rc != 0) == (mrc != 0)
            mine = merr
        else:
            mine = [shown(t["task"], where) for t in json.loads(mout)["tasks"]] if mout else []
            frozen = {shown((w + "dvc.yaml:" if w else "") + s, where)
                      for w in files for s in files[w] if files[w][s].get("frozen")}
            # DVC says nothing of one that is frozen.
            chosen = len(mine)
            mine = [t for t in mine if t not in frozen]
            # Of less than half of all DVC takes the order of a set of Python's.
            exact = 2 * chosen >= total or "-P" in call
            same = mine == theirs if exact else sorted(mine) == sorted(theirs)
            in_order += exact and len(theirs) > 1
        if not same:
            tap.same(mine, theirs, f"round {number} of seed {seed}: {call} in /{where}")
            tap.diag(out + err + merr)
            for d in files:
                with open(os.path.join(repo, d, "dvc.yaml"), encoding="utf-8") as f:
                    tap.diag(d + "dvc.yaml " + f.read())
            driver.close()
            tap.done()
            sys.exit()
        good += 1
tap.ok(good == asked, f"{asked} calls: the same stages")
tap.ok(in_order > rounds, f"... {in_order} of them in the same order")
driver.close()
tap.done()
