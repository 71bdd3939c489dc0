#!/usr/bin/python3 -B
"""dag run dvc.yaml and dvc repro, side by side: the same edits, drawn at random, in two equal repositories.  After each run
every file is the same in both: outputs, dvc.lock, .gitignore, objects, the run cache.

DAG_REPRO_SEED and DAG_REPRO_STEPS choose others and more than the usual.
"""
import difflib
import json
import os
import random
import re
import shutil
import subprocess
import sys

import oracle
import tap
import tools

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
seed = int(os.environ.get("DAG_REPRO_SEED", "1"))
steps = int(os.environ.get("DAG_REPRO_STEPS", "30"))
rnd = random.Random(seed)
SIDES = {"dag": os.path.join(top, "dag"), "dvc": os.path.join(top, "dvc")}

FILES = {
    "params.yaml": "lr: 1e-5\nn: 10\nlist: [1, {a: 2}]\nnested: {deep: {er: x}}\nnames: [u, v]\nepochs: 2\n",
    "p.json": '{"a": 1, "b": {"c": [1.5, null]}}\n',
    "p.toml": "x = 1\n[t]\ny = 'z'\n",
    "dated.toml": "day = 2024-01-01\nn = 1\n",
    "dated.yaml": "day: 2024-01-01\nn: 1\n",
    "in.txt": "1\n2\n",
    "data/a": "a\n",
    "raw/x": "x\n",
    "raw/y": "y\n",
    "data/sub/b": "b\n",
    "sub/w/in": "w\n",
    "src/a.py": "a\n",
    "src/b/c.py": "c\n",
    "fail": "no\n",
    "dvc.yaml": """\
# the pipeline
vars:
  - sizes: {small: 1, big: 2}
stages:
  last:
    cmd: cat all.txt made/x > last.txt
    deps: [all.txt, made]
    outs: [last.txt]
  gather:
    cmd: cat in.txt data/* parts/* > all.txt 2>/dev/null; true
    deps: [in.txt, data, parts/u, parts/v]
    params: [lr, nested.deep.er, lr, {params.yaml: [lr]}]
    outs: [all.txt]
  part:
    foreach: ${names}
    do:
      cmd: mkdir -p parts && echo ${item} ${n} > parts/${item}
      params: [n]
      outs: ["parts/${item}"]
  grid:
    matrix:
      size: [1, 2.5]
      kind: [p, q]
    cmd: mkdir -p grid; echo ${item.size} ${item.kind} > grid/${item.kind}${item.size}
    deps: [in.txt]
    outs: ["grid/${item.kind}${item.size}"]
  tree:
    cmd: mkdir -p made/d && cp in.txt made/x && echo ${lr} > made/d/y
    deps: [in.txt]
    params: [lr, {p.json: [a, b.c]}, {p.toml: null}, {dated.toml: [n]}, {dated.yaml: [n]}]
    outs: [made]
  grow:
    cmd: cat in.txt >> grown.txt
    deps: [in.txt]
    outs:
      - grown.txt:
          persist: true
  loose:
    cmd:
      - cp in.txt loose.txt
      - chmod +x loose.txt
      - cp loose.txt tool
    deps: [in.txt]
    outs:
      - loose.txt:
          cache: false
      - tool
  score:
    cmd: "echo '{\\"auc\\": 0.9}' > score.json && printf 'x,y\\\\n1,2\\\\n' > curve.csv"
    deps: [last.txt]
    metrics:
      - score.json:
          cache: false
    plots:
      - curve.csv:
          cache: false
          x: x
          y: y
  may:
    cmd: test "$(cat fail)" = no && cp fail may.txt
    deps: [fail]
    outs: [may.txt]
  after:
    cmd: cp may.txt after.txt
    deps: [may.txt]
    outs: [after.txt]
  ice:
    cmd: cp in.txt ice.txt
    deps: [in.txt]
    frozen: true
    outs: [ice.txt]
  call:
    cmd: echo called
  raw:
    cmd: cat raw/* > raw.out
    deps: [raw]
    outs: [raw.out]
  code:
    cmd: cat src/a.py src/b/c.py > code.out; mkdir -p src/cache src/b/cache; echo c > src/cache/a; echo c > src/b/cache/c
    deps: [src]
    outs: [code.out]
  long:
    cmd: >-
      echo a rather long command line that has to be folded somewhere by whoever writes it into the lock file
      > long.txt
    deps: [in.txt, linked, linked/x]
    outs: [long.txt]
    desc: what is long
""",
    "sub/dvc.yaml": """\
stages:
  inner:
    wdir: w
    cmd: cat in ../../all.txt > ../out.txt
    deps: [in, ../../all.txt]
    outs: [../out.txt]
  outer:
    cmd: cp out.txt copy.txt
    deps: [out.txt]
    outs: [copy.txt]
    always_changed: true
""",
}
STAGES = ["code", "last", "gather", "part@u", "tree", "grow", "loose", "score", "long", "sub/dvc.yaml:inner", "sub/dvc.yaml:outer"]


def write(root, name, text):
    tap.put_anew(os.path.join(root, name), text)


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as f:
        return f.read()


def remove(root, name):
    if os.path.exists(os.path.join(root, name)):
        os.unlink(os.path.join(root, name))


def change(name, old, new):
    return lambda root: write(root, name, read(root, name).replace(old, new))


def line(name, key, values):
    value = rnd.choice(values)
    return lambda root: write(root, name, "\n".join(f"{key}: {value}" if s.startswith(key + ":") else s
                                                    for s in read(root, name).splitlines()) + "\n")


def put(name, texts):
    text = rnd.choice(texts)
    return lambda root: write(root, name, text)


EDITS = [
    lambda: put("in.txt", ["1\n", "1\n2\n", "3\n"]),
    lambda: put("data/a", ["a\n", "b\n"]),
    lambda: put("data/new", ["n\n"]),
    lambda: lambda root: remove(root, "data/new"),
    lambda: put("raw/x", ["x\n", "z\n"]),
    lambda: put("raw/new", ["n\n"]),
    lambda: put("sub/w/in", ["w\n", "x\n"]),
    lambda: put("src/a.py", ["a\n", "b\n"]),
    lambda: put("src/b/new.py", ["n\n"]),
    lambda: lambda root: remove(root, "src/cache/a"),
    lambda: lambda root: remove(root, "src/b/cache/c"),
    lambda: put("fail", ["no\n", "no\n", "yes\n"]),
    lambda: line("params.yaml", "lr", ["1e-5", "0.1", "1", "'1'", "null", "true", "2020-01-01x"]),
    lambda: line("params.yaml", "n", ["10", "11", "0x10", "1_000", "1.0"]),
    lambda: line("params.yaml", "names", ["[u, v]", "[v, u]", "[u, v, z]", "[u, v, 1.50]"]),
    lambda: line("params.yaml", "nested", ["{deep: {er: x}}", "{deep: {er: [1, {b: 2, a: 1}]}}", "{deep: {er: 'a: b'}}"]),
    lambda: put("p.json", ['{"a": 1, "b": {"c": [1.5, null]}}\n', '{"a": "x", "b": {"c": 1e22}}\n']),
    lambda: put("p.toml", ["x = 1\n[t]\ny = 'z'\n", "x = 2\n[t]\ny = \"\u00e9\"\nz = [1, 2]\n"]),
    lambda: change("dvc.yaml", "cat all.txt made/x", "cat  all.txt made/x"),
    lambda: change("dvc.yaml", "cat  all.txt made/x", "cat all.txt made/x"),
    lambda: change("dvc.yaml", "desc: what is long", "desc: another"),
    lambda: change("dvc.yaml", "    frozen: true\n", ""),
    lambda: change("dvc.yaml", "  call:\n    cmd: echo called\n  long",
                   "  call:\n    cmd: echo called\n  more:\n    cmd: echo 1 > more.txt\n    outs: [more.txt]\n  long"),
    lambda: lambda root: write(root, "dvc.yaml", FILES["dvc.yaml"]),
    lambda: lambda root: remove(root, "last.txt"),
    lambda: lambda root: remove(root, "made/d/y"),
    lambda: put("all.txt", ["by hand\n"]),
    lambda: put("tool", ["by hand\n"]),
    lambda: change("dvc.lock", "schema: '2.0'\n", "# mine\nschema: '2.0'\n") if rnd.random() < 0.3 else put("in.txt", ["4\n"]),
]


def words():
    call = []
    if rnd.random() < 0.5:
        call = rnd.sample(STAGES, rnd.randint(1, 2))
    if rnd.random() < 0.15:
        call.append("-f")
    if call and call[-1] != "-f" and rnd.random() < 0.2:
        call[1:] = ["-s"]  # of several, DVC runs them as they are named, whatever they wait for
    if rnd.random() < 0.1:
        call.append("--no-run-cache")
    if rnd.random() < 0.1:
        call.append("--no-commit")
    if not call and rnd.random() < 0.5:
        call.append("-P")
    call.append("-k")
    return call


def snapshot(root):
    found = {}
    for where, dirs, names in os.walk(root):
        rel = os.path.relpath(where, root)
        if rel == ".":
            dirs[:] = [d for d in dirs if d not in (".git", ".dag")]
        if rel == ".dvc":
            dirs[:] = [d for d in dirs if d != "tmp"]
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as f:
                found[os.path.normpath(os.path.join(rel, name))] = (bool(os.stat(path).st_mode & 0o100), f.read())
    return found


def differences(mine, theirs):
    out = []
    for name in sorted(set(mine) | set(theirs)):
        if mine.get(name) != theirs.get(name):
            a, b = (side.get(name) for side in (theirs, mine))
            if a and b and a[0] == b[0]:
                lines = [text[1].decode(errors="backslashreplace").splitlines() for text in (a, b)]
                out.extend(difflib.unified_diff(*lines, f"dvc {name}", f"dag {name}", lineterm="", n=6))
            else:
                out.append(f"{name}\n  dag {b!r:.1500}\n  dvc {a!r:.1500}")
    return out


def foresee(call):
    """What a dry run says of each stage: its state, why, and what it follows.  It writes nothing."""
    before = snapshot(SIDES["dag"])
    rc, out, err = dag.run(["run", "--dry-run", "--json"] + call, SIDES["dag"])
    wrong = differences(snapshot(SIDES["dag"]), before)
    if rc != 0 or wrong:
        return None, f"dag run --dry-run: {rc} {err}\n" + "\n".join(wrong)
    return {t["task"]: t for t in json.loads(out)["tasks"]} if out else {}, ""


def running(text):
    return set(re.findall(r"^Running stage '(.*)':$", text, re.M))


def compare_dry(said, theirs):
    """DVC's --dry looks at each stage as if none before it would do anything."""
    wrong = [f"{name}: {said[name]['state']}, and DVC would run it" for name in theirs
             if said[name]["state"] in ("unchanged", "frozen")
             and not any(said[up]["state"] == "restored" for up in said[name]["needs"])]
    for name, t in said.items():
        first = all(said[up]["state"] in ("unchanged", "frozen") for up in t["needs"])
        if first and t["state"] in ("run", "restored") and name not in theirs:
            wrong.append(f"{name}: {t['state']}, {t['why']}, and DVC would not run it")
        if first and t["state"] == "may_run":
            wrong.append(f"{name}: {t['why']}, and all before it is unchanged")
    return wrong


def compare_ran(said, theirs):
    """What did run, and nothing failed."""
    wrong = [f"{name}: {said[name]['state']}, {said[name]['why']}, and DVC ran it" for name in theirs
             if said[name]["state"] not in ("run", "may_run")]
    wrong += [f"{name}: {t['state']}, {t['why']}, and DVC did not run it" for name, t in said.items()
              if t["state"] in ("run", "fails") and name not in theirs]
    return wrong


dag, dvc = tools.both(python, env)
for root in SIDES.values():
    os.mkdir(root)
    for name, text in FILES.items():
        write(root, name, text)
    write(root, "ice.txt", "cold\n")
    os.symlink("raw", os.path.join(root, "linked"))
    subprocess.run(["git", "init", "-q", root], check=True, env=env)
    dvc.run(["init", "-q"], root)
    dvc.run(["add", "-q", "raw"], root)
failed = False
ran = foreseen = 0
for step in range(steps + 1):
    # A run of all stages comes first, so that there is something to change.
    for _ in range(rnd.randint(1, 3) if step else 0):
        edit = rnd.choice(EDITS)()
        for root in SIDES.values():
            edit(root)
    before = snapshot(SIDES["dag"])
    call = words() if step else ["-P", "-k"]
    own = call if set(call) - {"-k", "-f", "-P", "--no-commit", "--no-run-cache"} or "-P" in call else ["dvc.yaml"] + call
    said, wrong = foresee(own)
    if said is not None and step % 3 == 0:
        rc, out, err = dvc.run(["repro", "--dry"] + call, SIDES["dvc"])
        wrong = compare_dry(said, running(out + err)) if rc == 0 else []
    rc, out, err = dvc.run(["repro"] + call, SIDES["dvc"])
    if said is not None and rc == 0:
        wrong = wrong or compare_ran(said, running(out + err))
        foreseen += 1
    if wrong:
        tap.ok(False, f"step {step} of seed {seed}: what a dry run says of {' '.join(call)}")
        tap.diag(wrong if isinstance(wrong, str) else "\n".join(wrong) + "\n" + out)
        failed = True
        break
    mine = dag.run(["run", "-j1"] + own, SIDES["dag"])
    ran += out.count("Running stage")
    # Where one stage fails, DVC takes back what the others have told .gitignore; dag does not.
    # Where what a stage needs is not there, DVC has removed what the stage made before; dag has not.
    now = {side: snapshot(root) for side, root in SIDES.items()}
    for name, (_, told) in now["dag"].items() if rc != 0 and mine[0] != 0 else ():
        have = now["dvc"].get(name)
        if name.endswith(".gitignore") and set((have or (0, b""))[1].splitlines()) <= set(told.splitlines()) \
                or have is None and before.get(name) == now["dag"][name]:
            write(SIDES["dvc"], name, told.decode())
    wrong = differences(snapshot(SIDES["dag"]), snapshot(SIDES["dvc"]))
    if wrong or (rc != 0) != (mine[0] != 0):
        tap.ok(False, f"step {step} of seed {seed}: {' '.join(call)}")
        tap.diag("\n".join(wrong) + f"\ndvc {rc}\n{out}{err}\ndag {mine[0]}\n{mine[1]}{mine[2]}")
        failed = True
        break
    # What was not taken into the cache is run again by DVC; dag takes it then.  Sometimes all is recorded as it is.
    if "--no-commit" in call or rnd.random() < 0.15:
        if rnd.random() < 0.5:
            for root in SIDES.values():
                write(root, "in.txt", "5\n")
        theirs = dvc.run(["commit", "-f"], SIDES["dvc"])
        mine = dag.run(["commit", "-f"], SIDES["dag"])
        if theirs[0] != 0:
            # Something is not there: DVC records nothing, dag the rest, and says so.
            shutil.rmtree(SIDES["dvc"])
            shutil.copytree(SIDES["dag"], SIDES["dvc"], symlinks=True, ignore=shutil.ignore_patterns(".dag"))
        wrong = differences(snapshot(SIDES["dag"]), snapshot(SIDES["dvc"]))
        if wrong or (theirs[0] != 0) != (mine[0] != 0):
            tap.ok(False, f"step {step} of seed {seed}: commit -f")
            tap.diag("\n".join(wrong) + f"\ndvc {theirs}\ndag {mine}")
            failed = True
            break
if not failed:
    tap.ok(True, f"{steps} runs after edits leave the same files")
    tap.ok(foreseen > steps / 3, f"... {foreseen} of them came as a dry run had said")
    tap.ok(ran > steps, f"... in which {ran} stages ran")
    # core.autostage: what a run has written of git's files is in its index.
    staged = {"dag": [], "dvc": []}
    for side, root in SIDES.items():
        def git(*argv, root=root):
            return subprocess.run(["git", "-C", root, "-c", "user.name=t", "-c", "user.email=t@t", *argv], check=True,
                                  env=env, stdout=subprocess.PIPE, text=True).stdout
        for name, text in FILES.items():
            write(root, name, text)
        dvc.run(["config", "core.autostage", "true"], root)
        git("add", "-A")
        git("commit", "-qm", "x")
        write(root, "dvc.yaml", FILES["dvc.yaml"] + """\
  fresh:
    cmd: mkdir -p new/dir && cat in.txt raw/x > new/dir/f && cp in.txt kept
    deps: [in.txt, raw]
    outs: [new/dir/f, {kept: {cache: false}}]
""")
        write(root, "in.txt", "staged\n")
        write(root, "raw/x", "staged\n")
        for words in (["fresh"], ["-P"], ["-P"], ["fail", "-f"]):
            if words[0] == "fail":
                write(root, "fail", "yes\n")
                write(root, "in.txt", "more\n")
                words = ["grid@1-p", "may"]
            (dvc.run(["repro"] + words, root) if side == "dvc" else dag.run(["run", "-j1"] + words, root))
            staged[side].append(git("diff", "--cached", "--name-status"))
            git("commit", "--allow-empty", "-qm", "x")
    tap.same(staged["dag"], staged["dvc"], "core.autostage stages what DVC does, and nothing where the run failed")
    tap.ok("dvc.lock" in staged["dag"][0] and "new/dir/.gitignore" in staged["dag"][0], "... which is something") \
        or tap.diag(repr(staged))
dvc.driver.close()
tap.done()
