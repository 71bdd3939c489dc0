#!/usr/bin/python3 -B
"""Stages added, frozen, taken out and listed: both tools leave the same files, to the byte.

The cases are in stage_edit_cases.py; DAG_STAGE_EDIT=WORDS runs those whose names have them.
"""
import concurrent.futures
import os
import shutil
import subprocess

import oracle
import tap
import tools
from stage_edit_cases import cases

python = tap.python()
top = tap.scratch(memory=True)
env = oracle.environment(os.path.join(top, "home"))
driver = oracle.Dvc(python)
dag = tools.DagTool(oracle.PROGRAM, env)
SIDE = 8  # commands of DVC at a time
wanted = os.environ.get("DAG_STAGE_EDIT", "")
chosen = [dict(c, number=i) for i, c in enumerate(cases) if wanted in c["name"]]


def git(repo, *argv):
    return subprocess.run(("git",) + argv, cwd=repo, env=env, check=True, capture_output=True).stdout


def place(c, tool):
    return os.path.join(top, str(c["number"]), tool, "repo")


def make(c, tool):
    repo = place(c, tool)
    os.makedirs(os.path.dirname(repo))
    shutil.copytree(template, repo, symlinks=True)
    for name, text in c["files"].items():
        path = os.path.join(repo, name)
        os.makedirs(path if name.endswith("/") else os.path.dirname(path), exist_ok=True)
        if text is not None:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
    if c.get("tracked"):
        git(repo, "add", "-f", *c["tracked"])
    settings = "[core]\n    autostage = true\n" if c.get("autostage") else "[core]\n    no_scm = true\n" if c.get("no_scm") else ""
    with open(os.path.join(repo, ".dvc", "config"), "w", encoding="utf-8") as f:
        f.write(settings)


def words(c, step, tool):
    return [w.replace("ROOT", place(c, tool)) for w in step]


def snapshot(c, tool):
    repo = place(c, tool)
    found = {}
    for base, dirs, files in os.walk(repo):
        dirs[:] = [d for d in dirs if d not in (".git", ".dag", ".dvc")]
        found.update((os.path.relpath(os.path.join(base, d), repo) + "/", b"") for d in dirs)
        for name in files:
            with open(os.path.join(base, name), "rb") as f:
                found[os.path.relpath(os.path.join(base, name), repo)] = f.read()
    # What DVC freezes and takes out it does not stage.
    if c.get("autostage") and c["steps"][-1][0] == "stage":
        for line in git(repo, "ls-files", "-s", "-z").split(b"\0")[:-1]:
            found["git's " + line.split(b"\t", 1)[1].decode()] = line
    return found


def theirs(chosen):
    """The answers of DVC, (exit status, stdout) of the last step of each case."""
    answers = {}
    for at in range(max(len(c["steps"]) for c in chosen)):
        jobs = [c for c in chosen if at < len(c["steps"])]
        for i in range(0, len(jobs), SIDE):
            some = jobs[i:i + SIDE]
            got = driver.run([dict(cwd=os.path.join(place(c, "dvc"), c.get("cwd", "")), env=env,
                                   argv=words(c, c["steps"][at], "dvc"), timeout=120) for c in some])
            for c, answer in zip(some, got):
                answers[c["number"]] = answer["rc"], answer["out"], answer["err"]
    return answers


def ours(c):
    for step in c["steps"]:
        answer = dag.run(words(c, step, "dag"), os.path.join(place(c, "dag"), c.get("cwd", "")))
    return answer


def lines(text):
    return sorted(text.splitlines())


def compare(c, they, we):
    wrong = []
    if (they[0] == 0) != c["ok"]:
        wrong.append(f"DVC ends with {they[0]}: {they[2]}")
    if (we[0] == 0) != (they[0] == 0) or we[0] not in (0, 1, 2):
        wrong.append(f"dag ends with {we[0]}, DVC with {they[0]}: {we[2]} {they[2]}")
    if c.get("list") and they[0] == 0 and lines(they[1]) != lines(we[1]):
        wrong.append(f"DVC prints\n{they[1]}\ndag prints\n{we[1]}")
    a, b = snapshot(c, "dvc"), snapshot(c, "dag")
    for path in sorted(a.keys() | b.keys()):
        if a.get(path) != b.get(path) and not c.get("rest"):
            wrong.append(f"{path}: DVC\n{a.get(path, b'absent').decode()}\ndag\n{b.get(path, b'absent').decode()}")
    tap.ok(not wrong, c["name"]) or tap.diag("\n".join(wrong))


template = os.path.join(top, "template")
os.mkdir(template)
git(template, "init", "-q", "--template=")
rc, out, err = tools.DvcTool(driver, env).run(["init", "-q"], template)
assert rc == 0, err
git(template, "commit", "-qm", "begin")
for c in chosen:
    for tool in ("dvc", "dag"):
        make(c, tool)
answers = theirs(chosen)
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for c, answer in zip(chosen, pool.map(ours, chosen)):
        compare(c, answers[c["number"]], answer)
driver.close()
tap.done()
