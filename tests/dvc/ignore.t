#!/usr/bin/python3 -B
""".dvcignore as DVC reads it: random rules and trees, DVC's opinion of each path and ours.

DAG_IGNORE_SEED and DAG_IGNORE_ROUNDS choose others and more than the usual.  Left out are rules that
DVC takes differently by mistake (store/dvc/ignore.h): of nothing but stars, of brackets with
backslashes or classes in them, and names of directories that look like rules.
"""
import json
import os
import random
import subprocess
import sys

import oracle
import tap
from tap import diag, ok

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
ignored = os.path.join(oracle.BUILD, "tests", "ignored")
seed = int(os.environ.get("DAG_IGNORE_SEED", "1"))
rounds = int(os.environ.get("DAG_IGNORE_ROUNDS", "120"))
rnd = random.Random(seed)

# For each line, a directory and its paths, DVC's answers as a string of 0 and 1.
ASK = """
import json, os, sys
from dvc.ignore import DvcIgnoreFilter
from dvc.fs import localfs
for line in sys.stdin:
    top, paths = json.loads(line)
    f = DvcIgnoreFilter(localfs, top)
    print("".join(str(int(f.is_ignored_dir(os.path.join(top, p[:-1])) if p.endswith("/")
                          else f.is_ignored_file(os.path.join(top, p)))) for p in paths), flush=True)
"""
NAMES = ["a", "b", "ab", "a.c", "b.c", "abc", "a b", "x-y", "!a", "#a", "A1", ".h", "\u00e9", "foo", "foobar"]


def name_pattern():
    n = rnd.choice(NAMES)
    kind = rnd.randrange(12)
    if kind < 3:
        return "".join("\\" + c if c in "\\*?[!#" else c for c in n)
    return {4: "*", 5: "*" + n[-1], 6: n[0] + "*", 7: "?" * len(n),
            8: rnd.choice(["[ab]", "[!a]", "[^a]", "[a-c]*", "[]a]*", "*.[a-c]", "a["]),
            9: rnd.choice(["a*b*", "*a*", "?*", "*.*", "**", "f*r", "*o*o*"])}.get(kind, n)


def rule():
    r = "/".join(name_pattern() if rnd.randrange(7) else "**" for _ in range(rnd.choice([1, 1, 1, 2, 2, 3])))
    r = rnd.choice(["", "", "/", "**/", ""]) + r + rnd.choice(["", "", "", "/", "/**", " ", "\t"])
    if not rnd.randrange(3):
        r = "!" + r
    return r if set(r.strip()) - set("!*/") else "foo"


def grow(top, below, depth):
    paths = []
    for n in {rnd.choice(NAMES): 0 for _ in range(rnd.randrange(2, 7))}:
        if depth < 3 and rnd.randrange(2):
            os.mkdir(os.path.join(top, below + n))
            paths += [f"{below}{n}/"] + grow(top, f"{below}{n}/", depth + 1)
        else:
            open(os.path.join(top, below + n), "w").close()
            paths.append(below + n)
    return paths


dvc = subprocess.Popen([python, "-B", "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
asked = yes = 0
for n in range(rounds):
    tree = os.path.join(top, str(n))
    os.mkdir(tree)
    paths = grow(tree, "", 0)
    files = {}
    for where in [""] + [p for p in paths if p.endswith("/") and not rnd.randrange(3) and not set(p) & set("!#")]:
        files[where] = "".join(rule() + "\n" for _ in range(rnd.randrange(1, 6)))
        with open(os.path.join(tree, where, ".dvcignore"), "w") as f:
            f.write(files[where])
    dvc.stdin.write(json.dumps([tree, paths]) + "\n")
    dvc.stdin.flush()
    want = dvc.stdout.readline().strip()
    got = subprocess.run([ignored, "dvc", tree], input="".join(p + "\0" for p in paths).encode(),
                         capture_output=True).stdout.decode().replace("\n", "")
    asked += len(paths)
    yes += got.count("1")
    if got != want:
        at = next((i for i in range(len(paths)) if got[i:i + 1] != want[i:i + 1]), 0)
        ok(False, f"seed {seed}, round {n}: {paths[at]!r}: DVC says {want[at:at + 1]!r}, we {got[at:at + 1]!r}")
        diag("\n".join(f"{w}.dvcignore: {t!r}" for w, t in files.items()))
        break
else:
    ok(True, f"{asked} paths are ignored or not as DVC says")
ok(asked > 10 * rounds and asked / 10 < yes < asked * 9 / 10, f"{yes} of them are")
dvc.stdin.close()
dvc.wait()
tap.done()
