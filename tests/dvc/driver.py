"""The real DVC behind a pipe: imported once, every command in a process forked from there.

    VENV/bin/python driver.py        (started by oracle.py)

A request is one line of JSON on stdin: a list of objects {"cwd", "argv", "env", "timeout"}, which
run side by side; `env` is the whole environment, `timeout` is in seconds.  The answer is one line
on stdout: a list of {"rc", "out", "err"} in the same order, bytes that are not UTF-8 as lone
surrogates.  `rc` is the exit status, -N for signal N, "timeout" for one that was killed.
{"ping": true} in place of a list is answered by the version of DVC and the pid.

A fork is what makes the calls independent: whatever DVC keeps in memory (open repositories,
the configuration, the state databases, loggers) dies with the command, as if it had been typed
in a shell.  The price is a few milliseconds; importing DVC costs more than a second.
"""
import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import tempfile
import threading
import time


# What commands import by themselves; a missing one only costs time.
LAZY = """
dulwich.filters dulwich.porcelain dulwich.worktree dvc._debug dvc.cachemgr dvc.cli.parser dvc.data_cloud
dvc.dirs dvc.fs.dvc dvc.fs.git dvc.fs.http dvc.render dvc.utils.strictyaml dvc_data.hashfile._progress
dvc_data.hashfile.db.local dvc_data.hashfile.gc dvc_data.hashfile.status dvc_data.hashfile.transfer
dvc_data.index.checkout dvc_data.index.push dvc_data.index.view dvc_objects.fs.generic dvc_objects.fs.local
diskcache fsspec.implementations.memory networkx pathspec platformdirs.unix pygit2 rich.console rich.json
rich.table rich.text rich.tree ruamel.yaml scmrepo.git scmrepo.git.backend.pygit2 scmrepo.git.backend.dulwich
sqltrie tqdm concurrent.futures.thread dvc.repo.experiments dvc.testing.path_info
""".split()


def preload():
    """Import all that a command would import by itself, so that the forks need not."""
    import dvc.cli
    import dvc.commands
    import dvc.repo

    for package in (dvc.commands, dvc.repo):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(found.name)
    for name in LAZY:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    import dvc.cli.parser

    dvc.cli.parser.get_main_parser()  # is kept, and has no memory of what it has parsed
    return dvc.cli.main


def child(main, request, out, err):
    """Be the command; does not return."""
    try:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.closerange(3, 256)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        os.environ["PWD"] = request["cwd"]
        sys.argv = ["dvc"] + request["argv"]
        sys.stdin = open(0, encoding="utf-8", closefd=False)
        try:
            rc = main(request["argv"])
        except SystemExit as stop:
            rc = stop.code if isinstance(stop.code, int) else (1 if stop.code else 0)
        # What an interpreter does at its end, as far as a command relies on it.
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(rc or 0)
    except BaseException as error:  # nothing may fall back into the parent's loop
        os.write(2, f"driver: {type(error).__name__}: {error}\n".encode(errors="replace"))
        os._exit(120)


def start(main, request):
    out = tempfile.TemporaryFile()
    err = tempfile.TemporaryFile()
    pid = os.fork()
    if pid == 0:
        child(main, request, out.fileno(), err.fileno())
    return {"pid": pid, "out": out, "err": err, "end": time.monotonic() + request.get("timeout", 120)}


def finish(job):
    """Wait for a command until its time is up; the pause grows from 1 ms to 20 ms."""
    pause = 0.001
    rc = None
    while rc is None:
        pid, status = os.waitpid(job["pid"], os.WNOHANG)
        if pid:
            rc = os.waitstatus_to_exitcode(status)
        elif time.monotonic() > job["end"]:
            try:
                os.killpg(job["pid"], signal.SIGKILL)
            except ProcessLookupError:
                os.kill(job["pid"], signal.SIGKILL)
            os.waitpid(job["pid"], 0)
            rc = "timeout"
        else:
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
    answer = {"rc": rc}
    for name in ("out", "err"):
        job[name].seek(0)
        answer[name] = job[name].read().decode("utf-8", "surrogateescape")
        job[name].close()
    return answer


def serve(answers):
    main = preload()
    import dvc

    gc.collect()
    gc.freeze()
    if threading.active_count() != 1:
        sys.exit(f"driver: a fork would lose {threading.active_count() - 1} threads")
    for line in sys.stdin:
        request = json.loads(line)
        if isinstance(request, dict):
            answer = {"dvc": dvc.__version__, "pid": os.getpid()}
        else:
            answer = [finish(job) for job in [start(main, one) for one in request]]
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    # sys.stdout stays the object that DVC's modules remember; a stray print of theirs is no answer.
    pipe = open(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    serve(pipe)
