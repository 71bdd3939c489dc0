"""The tests' side of driver.py, and a place where neither tool sees the user's settings."""
import json
import os
import select
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("DAG_BUILD", os.path.join(HERE, "../../build/dev"))
PROGRAM = os.path.join(BUILD, "bin/dag")


def venv():
    """The interpreter of the venv that has DVC, and an empty word; or None, and why there is none."""
    made = subprocess.run([os.path.join(HERE, "venv"), "--check"], capture_output=True, text=True)
    return (None, made.stderr.strip()) if made.returncode else (made.stdout.strip(), "")


def go_on(python):
    """Begin anew with the interpreter ${python}, unless it is the one that is at work."""
    if os.path.abspath(sys.executable) != os.path.abspath(python):
        os.execv(python, [python, "-B"] + sys.argv)


class Broken(Exception):
    """The driver does not answer as it should."""


class Dvc:
    """One driver process; it is started again when it has died.

    ${python} is the interpreter of the venv that has DVC; ${salt} seeds Python's hash tables, the order of
    which shows in some of what DVC prints and would show in files if it were careless.
    """

    def __init__(self, python, salt=1):
        self.python = python
        self.salt = salt
        self.process = None
        self.started = 0

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.stdout.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def _start(self):
        self.close()
        # The environment of the driver itself is of no interest to the commands, which bring their own.
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
               "GIT_CONFIG_NOSYSTEM": "1", "PYTHONHASHSEED": str(self.salt)}
        self.process = subprocess.Popen([self.python, "-B", os.path.join(HERE, "driver.py")], env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.buffer = b""
        self.started += 1

    def _line(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Broken("the driver does not answer")
            got = os.read(self.process.stdout.fileno(), 1 << 16)
            if not got:
                raise Broken("the driver has died")
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def _ask(self, request, seconds):
        if self.process is None or self.process.poll() is not None:
            self._start()
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            return self._line(seconds)
        except (Broken, BrokenPipeError, ValueError):
            self.process.kill()
            self.process.wait()
            raise Broken("the driver died or hangs")

    def ping(self):
        return self._ask({"ping": True}, 120)

    def run(self, requests):
        """Run commands side by side: dicts as driver.py has them; once more with a new driver if the old
        one had died before it began."""
        if self.process is None or self.process.poll() is not None:
            self.ping()
        return self._ask(requests, 30 + max(r.get("timeout", 120) for r in requests))


def environment(home, **more):
    """An environment for both tools, all of whose places are below ${home}."""
    os.makedirs(home, exist_ok=True)
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "dumb", "COLUMNS": "80",
        "HOME": home, "USER": "tester", "LOGNAME": "tester", "SHELL": "/bin/sh",
        "DVC_NO_ANALYTICS": "1", "DVC_TEST": "1", "CI": "1",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.path.join(home, "gitconfig"),
    }
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
                 "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR"):
        env[name] = os.path.join(home, name.lower())
        os.makedirs(env[name], exist_ok=True)
    env["XDG_CONFIG_DIRS"] = os.path.join(home, "xdg_config_dirs")
    with open(env["GIT_CONFIG_GLOBAL"], "w") as f:
        f.write("[user]\n\tname = Tester\n\temail = tester@example.com\n[init]\n\tdefaultBranch = main\n"
                "[gc]\n\tauto = 0\n[core]\n\tpreloadIndex = false\n[safe]\n\tdirectory = *\n"
                "[protocol \"file\"]\n\tallow = always\n")
    env.update(more)
    return env
