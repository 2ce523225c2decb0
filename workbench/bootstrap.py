"""Sets a fresh clone up: an environment of its own, with what the lock says. Standard library only.

Used by `python3 -m workbench` and `python3 -m tests`, which any Python 3.11 can start. Needs the
package registries that the machine is configured with and nothing else; a second run finds the
stamp of the first and takes milliseconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import ssl
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
OLDEST = (3, 11)
CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian and its kin
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora and its kin
    "/etc/ssl/cert.pem",  # Alpine, BSD, macOS
)


class SetUpFailed(SystemExit):
    """Ends the command with a message that says what to do."""


def environment_for(requirements: Path) -> Path:
    """The Python of the clone's `.venv`, with exactly these locked requirements installed."""
    if sys.version_info < OLDEST:
        raise SetUpFailed(f"Python {'.'.join(map(str, OLDEST))} or newer is needed: {sys.version}")
    set_variables()
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = ENVIRONMENT / f".installed-{requirements.parent.name}"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    with one_at_a_time():
        if not works(python):
            make_environment()
        say(f"Installing {requirements.relative_to(ROOT)} into {ENVIRONMENT.name} (once)")
        install(python, requirements)
        stamp.write_text(wanted)
    return python


def set_variables() -> None:
    """For this process and those it starts. What is set already stays."""
    # Where a network has a certificate authority of its own, the system knows it, while node and
    # Reflex look at lists that they bring along.
    known = [ssl.get_default_verify_paths().cafile, *CERTIFICATES]
    if found := next((path for path in known if path and Path(path).exists()), None):
        os.environ.setdefault("NODE_EXTRA_CA_CERTS", found)
        os.environ.setdefault("SSL_CERT_FILE", found)
    # npm would write its registry's addresses into Reflex's lock, which is part of the repository.
    os.environ.setdefault("NPM_CONFIG_OMIT_LOCKFILE_REGISTRY_RESOLVED", "true")


def works(python: Path) -> bool:
    """Whether the environment is whole: an interrupted set-up leaves one without pip."""
    if not python.exists():
        return False
    answer = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    return answer.returncode == 0


def make_environment() -> None:
    say(f"Making {ENVIRONMENT.name}")
    try:
        venv.create(ENVIRONMENT, with_pip=True, symlinks=os.name != "nt")
    except (subprocess.CalledProcessError, OSError, ImportError) as error:
        raise SetUpFailed(
            f"Can't make {ENVIRONMENT} ({error}). On Debian: apt install python3-venv"
        ) from error


def install(python: Path, requirements: Path) -> None:
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # The lock is complete. Where pip resolves anew, it takes up releases that came after the lock
    # for what is asked for with an extra (`granian[reload]`), and then misses their hashes.
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", requirements]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise SetUpFailed("pip could not install the locked requirements: see its message above.")


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two commands that start together on a fresh clone must not install into one another."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    ENVIRONMENT.mkdir(exist_ok=True)
    with (ENVIRONMENT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(python: Path, *arguments: str | Path) -> int:
    """Run to the end in the clone's folder, and return the exit code. A SIGTERM is passed on."""
    with subprocess.Popen([python, *arguments], cwd=ROOT) as process:
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            return process.wait()
        except KeyboardInterrupt:  # the terminal has told the other one, too
            return process.wait()
        finally:
            signal.signal(signal.SIGTERM, before)


def become(python: Path, arguments: Sequence[str]) -> NoReturn:
    """Replace this process, so that Ctrl-C and SIGTERM reach the program itself."""
    os.chdir(ROOT)
    sys.stdout.flush()
    if os.name == "nt":
        raise SystemExit(run(python, *arguments))
    os.execv(python, [str(python), *arguments])


def say(line: str) -> None:
    print(line, flush=True)
