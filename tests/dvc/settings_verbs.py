"""settings_verbs.py TOOL TOP SEED ROUNDS: see settings.t.  Runs with the interpreter that has DVC.

Not compared is what DVC does by mistake: settings that it writes and then cannot read, an empty
.dvc/config.local that `remote remove` leaves, sections without options.
"""
import contextlib
import io
import logging
import os
import random
import shutil
import subprocess
import sys

from dvc.cli import main

tool, top, seed, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rnd = random.Random(seed)
logging.disable(logging.CRITICAL)
NAMES = ["x", "y", "Up", "s3r", "a b", "n#1"]
URLS = ["../x", "/abs/path", "s3://bucket/p", "~/data", "sub/dir", ".", "https://h/p", "remote://x/sub",
        "ssh://u@h:22/p", "a,b", "a#b", "it's", 'say "hi"', "a\"b'c", "  pad ", "x/../y", "..", "../../..", "gs://b",
        "", "/tmp/", "file:///tmp/z", "foo://b/x", "multi\nline", "=", "[x]", '"q"', "'q'", 'a"', '/w,"x"']
OPTIONS = [("jobs", "4"), ("jobs", "0"), ("verify", "true"), ("verify", "yes"), ("profile", "p"),
           ("password", 's#c,"'), ("bogus", "1"), ("region", " us "), ("type", "hardlink,copy"),
           ("endpointurl", "https://e:9/"), ("credentialpath", "../cred"), ("use_ssl", "False"), ("user", "o'h \"x\"")]
SETTINGS = [("core.autostage", "true"), ("core.autostage", "maybe"), ("cache.dir", "../c"), ("cache.dir", "/abs/c"),
            ("cache.type", "reflink,copy"), ("cache.type", "hardlink"), ("cache.type", "warp"),
            ("cache.shared", "group"), ("core.nope", "1"), ("nope.x", "1"), ("core.checksum_jobs", "8"),
            ("core.checksum_jobs", "x"), ("core.site_cache_dir", "/v w"), ("plots.html_template", "a, b"),
            ("exp.git_remote", "#1"), ("hydra.enabled", "true"), ("studio.token", "t"), ("core.remote", "X")]
FILES = (".dvc/config", ".dvc/config.local")


def draw():
    """One change: DVC's words, ours."""
    level = rnd.choice([[], [], [], ["--local"]])
    n = "3" if level else "2"
    kind = rnd.choice(["add", "add", "add", "modify", "modify", "default", "rename", "remove", "config", "config"])
    name = rnd.choice(NAMES)
    if kind == "add":
        url, force, default = rnd.choice(URLS), rnd.randrange(2), rnd.randrange(2)
        return (["remote", "add"] + level + ["-f"] * force + ["-d"] * default + ["--", name, url],
                ["add", n, name, url, str(force), str(default)])
    if kind == "modify":
        key, value = rnd.choice(OPTIONS + [("url", rnd.choice(URLS))])
        if rnd.randrange(4):
            return ["remote", "modify"] + level + ["--", name, key, value], ["modify", n, name, key, value]
        return ["remote", "modify", "-u"] + level + ["--", name, key], ["modify", n, name, key, "-"]
    if kind == "default":
        if rnd.randrange(4):
            return ["remote", "default"] + level + ["--", name], ["default", n, name]
        return ["remote", "default", "-u"] + level, ["default", n, "-"]
    if kind == "rename":
        to = rnd.choice(NAMES)
        return ["remote", "rename"] + level + ["--", name, to], ["rename", n, name, to]
    if kind == "remove":
        return ["remote", "remove"] + level + ["--", name], ["remove", n, name]
    key, value = rnd.choice(SETTINGS)
    section, option = key.split(".")
    if rnd.randrange(4):
        return ["config"] + level + ["--", key, value], ["set", n, section, option, value]
    return ["config", "-u"] + level + [key], ["set", n, section, option, "-"]


def read(top):
    texts = []
    for name in FILES:
        try:
            with open(os.path.join(top, name), "rb") as f:
                text = f.read()
        except FileNotFoundError:
            text = b""
        texts.append(b"" if text == b"\n" else text)
    return texts


def has_bare_section(text):
    lines = text.decode().splitlines()
    return any(a.startswith("[") and (b.startswith("[") or not b) for a, b in zip(lines, lines[1:] + [""]))


def put_back(top, texts):
    for name, text in zip(FILES, texts):
        with open(os.path.join(top, name), "wb") as f:
            f.write(text)


theirs, ours = os.path.join(top, "a", "r"), os.path.join(top, "b", "r")
compared = left = 0
for number in range(rounds):
    for d in (theirs, ours):
        shutil.rmtree(d, ignore_errors=True)
        os.makedirs(os.path.join(d, ".dvc", "tmp"))
        os.mkdir(os.path.join(d, "sub"))
        put_back(d, [b"", b""])
    for step in range(rnd.randrange(4, 10)):
        there = rnd.choice(["", "sub"])
        words, same = draw()
        before = read(theirs)
        os.chdir(os.path.join(theirs, there))
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            rc = main(words)
        os.chdir(os.path.join(ours, there))
        got = subprocess.run([tool, os.path.join(ours, ".dvc")] + same, capture_output=True, text=True)
        a, b = read(theirs), read(ours)
        # What it then cannot read, or refuses because a name has capitals or is at another level, is its own.
        odd = (rc != 0 and (a != before or got.returncode == 0)) or any(map(has_bare_section, a))
        odd = odd or (same[0] == "rename" and rc == 0 and got.returncode)
        if odd and (rc != 0 or a != b):
            left += 1
            put_back(theirs, before)
            put_back(ours, before)
            continue
        compared += 1
        if (rc != 0) != (got.returncode != 0) or a != b:
            print(f"seed {seed}, round {number}, step {step}: {words} in {there!r}: DVC {rc}, we {got.returncode}: "
                  f"{got.stderr}")
            for name, x, y, z in zip(FILES, before, a, b):
                if y != z:
                    print(f"{name} before {x!r}\nDVC {y!r}\nwe  {z!r}")
            sys.exit(1)
print(f"{compared} changes are the same, {left} left out")
sys.exit(0 if left * 5 < compared else 1)
