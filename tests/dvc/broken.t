#!/usr/bin/python3 -B
"""A push of DVC's is cut; then dag pushes, and a fresh clone pulls: whole every time.  Also where DVC has pushed
once more and says, wrongly, that all is there: it takes a list that lies on the remote for proof of its files.
DAG_BROKEN_CUTS: how many pushes are cut (2)."""
import hashlib
import json
import os
import random
import shutil
import subprocess
import time

import oracle
import tap
import tools
from tap import diag, ok, same, works

python = tap.python()
top = tap.scratch(memory=True)
cuts = int(os.environ.get("DAG_BROKEN_CUTS", "2"))
seed = int(os.environ.get("DAG_SEED", time.time()))
diag(f"DAG_SEED={seed}")
random.seed(seed)
env = oracle.environment(os.path.join(top, "home"))
dag, dvc = tools.both(python, env)
here, rem, clone = (os.path.join(top, name) for name in ("r", "rem", "clone"))
FILES = 2000


def git(*argv, cwd=here):
    subprocess.run(["git", "-C", cwd] + list(argv), check=True, env=env, stdout=subprocess.DEVNULL)


def objects(store):
    found = {}
    for at, _, names in os.walk(os.path.join(store, "files", "md5")):
        for name in names:
            if not name.endswith(".tmp"):
                found[os.path.basename(at) + name] = os.path.join(at, name)
    return found


def wrong(store):
    """What is not what its name says, and what lists lack."""
    have, bad = objects(store), []
    for name, path in sorted(have.items()):
        with open(path, "rb") as f:
            data = f.read()
        if hashlib.md5(data).hexdigest() != name[:32]:
            bad.append(f"{name} is something else")
        elif name.endswith(".dir"):
            lost = sum(entry["md5"] not in have for entry in json.loads(data))
            if lost:
                bad.append(f"{name} lacks {lost}")
    return bad


def fresh_clone(name):
    shutil.rmtree(clone, ignore_errors=True)
    git("clone", "-q", here, clone, cwd=top)
    works(dag, ["pull", "-q"], clone, name)
    differs = subprocess.run(["diff", "-r", os.path.join(here, "big"), os.path.join(clone, "big")],
                             capture_output=True, text=True)
    same(differs.stdout + differs.stderr, "", "... and has all of it")


def forget():
    """The remote, and what DVC remembers of it, as if nothing had been pushed."""
    shutil.rmtree(rem, ignore_errors=True)
    os.mkdir(rem)
    shutil.rmtree(os.path.join(env["DVC_SITE_CACHE_DIR"]), ignore_errors=True)
    os.makedirs(env["DVC_SITE_CACHE_DIR"])


def repaired(what):
    state = wrong(rem)
    diag(f"{what}: {len(objects(rem))} objects" + "".join("; " + line for line in state))
    works(dag, ["push"], here, f"{what}: dag pushes")
    same(wrong(rem), [], "... and the remote is whole")
    same(set(objects(os.path.join(here, ".dvc", "cache"))) - set(objects(rem)), set(), "... with all that there is")
    fresh_clone("... a fresh clone pulls")
    return bool(state)


os.mkdir(here)
git("init", "-q")
works(dvc, ["init", "-q"], here)
works(dvc, ["remote", "add", "-q", "-d", "rem", rem], here)
for i in range(FILES):
    tap.put(os.path.join(here, "big", f"{i % 20:02}", f"{i:04}"), f"file {i}\n" * (i % 40 + 1))
tap.put(os.path.join(here, "a"), "a\n")
works(dag, ["add", "-q", "big", "a"], here)
git("add", "-A")
git("commit", "-q", "-m", "data")
dvc.driver.ping()

# What DVC leaves then, for sure: the list, and not its files; and it believes that all is there.
forget()
began = time.monotonic()
works(dvc, ["push", "-q"], here)
whole = time.monotonic() - began
some = [path for name, path in sorted(objects(rem).items())
        if not name.endswith(".dir") and name != hashlib.md5(b"a\n").hexdigest()]
for path in random.sample(some, len(some) - 106):
    os.unlink(path)
same(works(dvc, ["status", "-c"], here).strip(), "Cache and remote 'rem' are in sync.", "DVC sees nothing of it")
same(works(dvc, ["push"], here).strip(), "Everything is up to date.", "... and pushes nothing")
ok("new:" in works(dag, ["status", "-c", "big"], here), "dag sees it")
ok(repaired("a list without its files"), "it was broken")

# What it leaves when it is really cut, before or after it has tried once more.
broken = 0
for i in range(cuts):
    forget()
    after = random.uniform(0.3, 1) * whole
    rc = dvc.run(["push", "-q"], here, timeout=after)[0]
    what = f"a push of DVC's, cut after {after:.2f} s ({rc}, {len(objects(rem))} objects)"
    if i % 2 == 0:
        again = dvc.run(["push"], here)
        what += ", pushed again (%s, %s)" % (again[0], again[1].strip().splitlines()[-1] if again[1].strip() else "")
    broken += repaired(what)
diag(f"{broken} of {cuts} were broken")

# Bytes that are not what they were: a name proves nothing either, where that is asked for.
victim = random.choice([path for name, path in sorted(objects(rem).items()) if not name.endswith(".dir")])
os.chmod(victim, 0o644)
with open(victim, "ab") as f:
    f.write(b"rot")
os.chmod(victim, 0o444)
same(len(wrong(rem)), 1, "an object on the remote is damaged")
rc, out, err = dag.run(["push", "--verify"], here)
ok(victim in out + err, "dag push --verify names it") or diag(f"{rc}: {out}{err}")
repaired("... and replaces it")
same(works(dvc, ["status", "-c"], here).strip(), "Cache and remote 'rem' are in sync.", "DVC says so, too")
dvc.driver.close()
tap.done()
