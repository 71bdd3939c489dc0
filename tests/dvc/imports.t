#!/usr/bin/python3 -B
"""Data from elsewhere by both tools: pointers of imports, byte for byte, and what `ls` says as JSON."""
import functools
import hashlib
import http.server
import os
import subprocess
import threading

import oracle
import tap
import tools

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
dag, dvc = tools.both(python, env)


class Web(http.server.SimpleHTTPRequestHandler):
    """Files with an ETag, or below /none/ with no word of their version; /to/ redirects."""

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, body):
        kind, _, name = self.path.split("?")[0][1:].rpartition("/")
        try:
            with open(os.path.join(top, "web", name), "rb") as f:
                data = f.read()
        except OSError:
            self.send_error(404)
            return
        self.send_response(302 if kind == "to" else 200)
        if kind == "to":
            self.send_header("Location", "/" + name)
        elif kind == "none":
            self.send_header("Content-Type", "text/x'y; charset=utf-8")
            self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        elif kind == "bare":
            pass
        else:
            self.send_header("ETag", ('W/"%s"' if kind == "weak" else '"%s"') % hashlib.md5(data).hexdigest())
        if kind != "bare":
            self.send_header("Content-Length", "0" if kind == "to" else str(len(data)))
        self.end_headers()
        if body and kind != "to":
            self.wfile.write(data)


def put(path, text, mode=0o644):
    tap.put(os.path.join(top, path), text, mode)


def git(where, *words):
    subprocess.run(("git", "-C", os.path.join(top, where)) + words, env=env, check=True, capture_output=True)


def do(argv, where, wanted=0):
    """Both do the same in copies of a place of their own; return what they print."""
    said = []
    for tool, name in ((dvc, "dvc"), (dag, "dag")):
        cwd = os.path.join(top, name, where)
        rc, out, err = tool.run(argv, cwd)
        if (rc == 0) != (wanted == 0):
            tap.diag(f"{name} {argv}: {rc}\n{err}")
        said.append((rc == 0, out))
    tap.same(said[1][0], said[0][0], f"{' '.join(argv)}: both succeed, or neither")
    return said[0][1], said[1][1]


def files(name):
    """All pointers and .gitignore files."""
    found = {}
    for where, dirs, names in os.walk(os.path.join(top, name, "r")):
        dirs[:] = [d for d in dirs if d not in (".git", ".dvc", ".dag")]
        for n in names:
            path = os.path.join(where, n)
            with open(path, "rb") as f:
                text = f.read()
            if name == "dag" and n == ".gitignore":
                # DVC's `add --to-remote`, alone of all, leaves the data in git's sight.
                text = text.replace(b"/o4\n", b"").replace(b"/sub\n", b"")
            found[os.path.relpath(path, os.path.join(top, name, "r"))] = text
    return found


def agree(what):
    theirs, ours = files("dvc"), files("dag")
    for path in sorted(theirs.keys() | ours.keys()):
        if theirs.get(path) != ours.get(path):
            tap.diag(f"{path}:\n DVC {theirs.get(path)}\n dag {ours.get(path)}")
    tap.ok(theirs == ours, f"{what}: every file is the same")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Web))
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"

put("web/a.txt", "hello\n")
put("web/big", "x" * 100000)
put("ext/f", "one\n")
put("ext/exec", "#!/bin/sh\n", 0o755)
put("ext/d/a", "a\n")
put("ext/d/sub/b", "b\n")
for name in ("dvc", "dag"):
    put(f"{name}/r/own", "own\n")
    put(f"{name}/r/s/keep", "")
    os.symlink(os.path.join(top, "ext"), os.path.join(top, name, "ext"))
    git(f"{name}/r", "init", "-q")
    rc, _, err = dvc.run(["init", "-q"], os.path.join(top, name, "r"))
    rc or dvc.run(["remote", "add", "-q", "-d", "store", os.path.join(top, name, "store")], os.path.join(top, name, "r"))
    os.remove(os.path.join(top, name, "r", ".dvcignore"))

# ---- imports ----
for argv in ([f"{top}/ext/f"], [f"{top}/ext/f", "s"], ["../ext/d"], [f"{top}/ext/exec", "x"], ["own", "s/own"],
             [f"{url}/a.txt"], [f"{url}/weak/a.txt", "weak"], [f"{url}/none/a.txt", "none"], [f"{url}/bare/a.txt", "bare"],
             [f"{url}/to/a.txt", "to"], [f"{url}/big?x=1", "s/big"], ["--no-exec", f"{url}/a.txt", "ne"],
             ["--no-download", f"{url}/a.txt", "nd"], ["--no-download", "../ext/d", "ndd"],
             ["--to-remote", f"{url}/big", "far"], ["--to-remote", "../ext/d", "fard"]):
    do(["import-url", "-q"] + argv, "r")
agree("import-url")
for argv in ([f"{top}/ext/nope"], [f"{top}/ext/f"], [f"{url}/nope"], ["--to-remote", "--no-download", "../ext/f", "n"]):
    do(["import-url", "-q"] + argv, "r", 1)
agree("what neither does")
do(["import-url", "-q", "-f", f"{top}/ext/d/a", "f"], "r")
for argv in ([f"{top}/ext/f", "-o", "o1"], ["../ext/d", "-o", "o2"], [f"{url}/a.txt", "-o", "o3"],
             ["--to-remote", f"{top}/ext/f", "-o", "o4"], ["--to-remote", "../ext/d/sub", "-o", "s"]):
    do(["add", "-q"] + argv, "r")
agree("add --out and --to-remote")

# ---- updates ----
do(["update", "-q", "f.dvc", "d.dvc", "a.txt.dvc", "none.dvc"], "r")
agree("update of what has not changed")
put("ext/d/new", "new\n")
put("web/a.txt", "another\n")
do(["update", "-q", "d.dvc", "a.txt.dvc", "to.dvc", "nd.dvc", "ne.dvc"], "r")
agree("update of what has")
put("ext/exec", "changed\n")
for name in ("dvc", "dag"):
    path = os.path.join(top, name, "r/x.dvc")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("frozen: true\n", ""))
theirs, ours = do(["status", "--json", "x.dvc"], "r")
tap.same("".join(ours.split()), "".join(theirs.split()), "status of a source that has changed")

# ---- what another repository gives ----
put("other/src/a.py", "code\n")
put("other/run.sh", "#!/bin/sh\n", 0o755)
put("other/data/raw/1", "1\n")
put("other/data/raw/sub/2", "22\n")
put("other/data/\u00fc", "u\n")
os.symlink("a.py", os.path.join(top, "other/src/link"))
git("other", "init", "-q")
where = os.path.join(top, "other")
for argv in (["init", "-q"], ["add", "-q", "data/raw", "data/\u00fc"], ["remote", "add", "-q", "-d", "store", top + "/ostore"],
             ["push", "-q"]):
    rc, _, err = dvc.run(argv, where)
    tap.ok(rc == 0, f"the other repository: {argv[0]}") or tap.diag(err)
git("other", "add", "-A")
git("other", "commit", "-qm", "one")
git("other", "tag", "v1")
put("other/junk", "junk\n")
os.remove(os.path.join(top, "other/data/raw/1"))
for argv in ([], ["-R"], ["--dvc-only"], ["-R", "--dvc-only"], ["--rev", "v1"], ["-R", "--rev", "v1"],
             ["-R", "--rev", "v1", "--dvc-only"], ["-R", "--level", "2"]):
    for path in ([], ["data"], ["data/raw"], ["data/raw/sub/2"], ["src"]):
        words = ["ls", "--json"] + argv + [where] + path
        got = dvc.run(words, top), dag.run(words, top)
        tap.same(got[1][1].strip(), got[0][1].strip(), " ".join(words).replace(top, "TOP"))
for argv in (["--tree"], ["-R"], ["--tree", "--rev", "v1"], ["--size", "--rev", "v1"], ["--show-hash", "--rev", "v1"]):
    got = dvc.run(["ls"] + argv + [where], top), dag.run(["ls"] + argv + [where], top)
    tap.same(got[1][1], got[0][1], f"ls {' '.join(argv)}")
for argv in ([where, "data/raw"], [where, "src/a.py", "--rev", "v1"], [where, "data/raw/sub", "-o", "s/part"], [where, "run.sh", "-o", "s"],
             ["--no-exec", where, "data/raw", "-o", "rne"], ["--no-download", where, "data/raw", "-o", "rnd", "--rev", "v1"]):
    do(["import", "-q"] + argv, "r")
do(["import", "-q", where, "nope"], "r", 1)
agree("import from the other repository")
do(["update", "-q", "raw.dvc", "a.py.dvc"], "r")
agree("update of what has not changed there")
put("other/data/raw/1", "one\n")
for argv in (["add", "-q", "data/raw"], ["push", "-q"]):
    dvc.run(argv, where)
git("other", "commit", "-qam", "two")
do(["update", "-q", "raw.dvc", "a.py.dvc"], "r")
agree("update of what has")
do(["update", "-q", "--rev", "v1", "raw.dvc"], "r")
agree("update --rev")
for path in ("data/raw", "data/raw/1", "src/a.py"):
    for name, tool in (("dvc", dvc), ("dag", dag)):
        os.makedirs(os.path.join(top, name, "got"), exist_ok=True)
        tool.run(["get", "-q", "--rev", "v1", where, path, "-o", path.replace("/", "_")], os.path.join(top, name, "got"))
tap.ok(subprocess.run(["diff", "-r", top + "/dvc/got", top + "/dag/got"]).returncode == 0 and len(os.listdir(top + "/dag/got")) == 3,
       "get: both have got the same")
dvc.driver.close()
server.shutdown()
tap.done()
