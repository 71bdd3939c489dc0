"""The two tools under one face: run(argv, cwd) -> (exit status, stdout, stderr)."""
import os
import subprocess

# What dag calls otherwise.  What DVC has no command for, and dag no verb, is not here.
VERBS = {("data", "status"): ["status", "--data"]}
# The commands of DVC that dag has too.
SHARED = {"add", "status", "data", "diff", "commit", "checkout", "push", "pull", "fetch", "gc", "remote", "move",
          "remove", "ls", "get", "import-url", "update"}


class DvcTool:
    name = "dvc"

    def __init__(self, driver, env):
        self.driver, self.env = driver, env

    def has(self, argv):
        return True

    def run(self, argv, cwd, timeout=120):
        answer = self.driver.run([dict(cwd=cwd, argv=list(argv), env=self.env, timeout=timeout)])[0]
        return answer["rc"], answer["out"], answer["err"]


class DagTool:
    name = "dag"

    def __init__(self, program, env):
        self.program, self.env = program, env
        self.verbs = {}

    def has(self, argv):
        """Whether this dag has the verb, and the long options, by its help."""
        argv = self.translate(argv) if argv[0] in SHARED else [""]
        if argv[0] not in self.verbs:
            rc, out, _ = self._run([argv[0], "--help"], "/")
            # gc was there before artifacts were: of runs.
            there = argv[0] and rc == 0 and (argv[0] != "gc" or "--workspace" in out)
            self.verbs[argv[0]] = out.replace(",", " ").split() if there else []
        options = argv[1:argv.index("--")] if "--" in argv else argv[1:]
        return bool(self.verbs[argv[0]]) and all(
            word in self.verbs[argv[0]] for word in options if word.startswith("--"))

    @staticmethod
    def translate(argv):
        for words, ours in VERBS.items():
            if tuple(argv[:len(words)]) == words:
                rest = list(argv[len(words):])
                return ours + [word for word in rest if word not in ours]
        return list(argv)

    def _run(self, argv, cwd, timeout=120):
        try:
            done = subprocess.run([self.program] + argv, cwd=cwd, env=dict(self.env, PWD=cwd), timeout=timeout,
                                  stdin=subprocess.DEVNULL, capture_output=True)
        except subprocess.TimeoutExpired as late:
            return "timeout", str(late.stdout), str(late.stderr)
        return (done.returncode, done.stdout.decode("utf-8", "surrogateescape"),
                done.stderr.decode("utf-8", "surrogateescape"))

    def run(self, argv, cwd, timeout=120):
        argv = self.translate(argv)
        if argv[0] == "gc":  # what is young would stay, for an hour
            argv = argv[:1] + ["--grace", "0s"] + argv[1:]
        return self._run(argv, cwd, timeout)


class WrongTool(DvcTool):
    """DVC with a defect behind it: what a walk must find."""

    name = "wrong"

    def __init__(self, driver, env, defect):
        super().__init__(driver, env)
        self.defect = defect

    def run(self, argv, cwd, timeout=120):
        answer = super().run(argv, cwd, timeout)
        return self.defect(argv, cwd, answer) or answer


def make(name, driver, program, env, defect=None):
    """A tool by name; the driver of DVC is shared."""
    if name == "dag":
        return DagTool(program, env)
    if name == "wrong":
        return WrongTool(driver, env, defect)
    return DvcTool(driver, env)
