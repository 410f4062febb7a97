"""A districtd under load, of its own folder and port, for tools/bench and tools/simulate-pilots.

Everything that is started here ends with the program that started it, also on Ctrl-C.
"""
import base64
import ctypes
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("districtd", "districtctl", "district-bench")
CONTENT_TYPES = {"barcelona": "001/0.0.1", "eibar": "001/001", "kalundborg": "001/002"}
ZONES = {"barcelona": "Europe/Madrid", "eibar": "Europe/Madrid", "kalundborg": "Europe/Copenhagen"}


class Failure(Exception):
    """What went wrong, in one sentence, and perhaps what to do about it."""

    def __init__(self, text, hint=""):
        super().__init__(text)
        self.hint = hint


def end_on_signals():
    """SIGTERM and SIGHUP end the program as Ctrl-C does: by way of its clean-up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))


def _prepare_child():
    """No child outlives us (prctl PR_SET_PDEATHSIG), and each may open many connections."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(*command):
    """Runs a program to its end and gives what it printed; what it says on stderr is passed on."""
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, preexec_fn=_prepare_child) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise Failure(f"{pathlib.Path(command[0]).name} {command[1]} ended with {process.returncode}")
    return output


def programs(folder, missing_is_built):
    """The folder of the programs, which are built first where they are missing."""
    if all((folder / name).exists() for name in PROGRAMS):
        return folder
    if not missing_is_built:
        raise Failure(f"{folder} lacks one of {', '.join(PROGRAMS)}", "tools/build")
    print("building what is missing", file=sys.stderr)
    targets = [part for name in PROGRAMS for part in ("--target", name)]
    subprocess.run([ROOT / "tools" / "build", *targets], check=True, stdout=sys.stderr)
    return folder


class BenchServer:
    """with BenchServer(bin) as server: ...

    folder: where the temporary folder is made (the disk that is measured). data: an existing data
    folder to run on instead of an empty one; it is left as it is then, and must not be in use.
    """

    def __init__(self, bin_folder, folder=None, data=None, quantify=False, preload=True):
        self.bin = bin_folder
        self.quantify = quantify
        self.preload = preload
        self.process = None
        self.port = 0
        self._temporary = tempfile.mkdtemp(prefix="district-bench-", dir=folder)
        self.folder = pathlib.Path(self._temporary)
        self.pki = self.folder / "pki"
        self.data = pathlib.Path(data).resolve() if data else self.folder / "data"
        self.log = self.folder / "districtd.log"
        self.sync_file = self.folder / "syncs"
        self.start_seconds = 0.0

    def __enter__(self):
        try:
            run(ROOT / "certs" / "make-demo-pki", self.pki)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def configuration(self):
        text = f"""
[data]
folder = {json.dumps(str(self.data))}
[listen]
port = {self.port}
[limits]
body_bytes = 536870912
body_bytes_total = 2147483648
connections = 16000
connections_per_peer = 16000
idle_seconds = 900
[log]
level = "warning"
"""
        if self.can_switch_quantifier():
            text += f"[quantify]\nenabled = {'true' if self.quantify else 'false'}\n"
        return text

    def can_switch_quantifier(self):
        return "[quantify]" in run(self.bin / "districtd", "--help-config")

    def start(self):
        """Starts it; start_seconds is the time to its first answer."""
        if self.port == 0:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        configuration = self.folder / "district.toml"
        configuration.write_text(self.configuration())
        environment = dict(os.environ)
        counter = self.bin / "sync-counter.so"
        if self.preload and counter.exists():
            environment |= {"LD_PRELOAD": str(counter), "DISTRICT_SYNC_COUNT": str(self.sync_file)}
        begin = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([self.bin / "districtd", "--config", configuration],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=environment, preexec_fn=_prepare_child)
        while time.monotonic() - begin < 120 and self.process.poll() is None:
            if self.answers():
                self.start_seconds = time.monotonic() - begin
                return
            time.sleep(0.005)
        raise Failure("districtd does not start:\n" + self.log.read_text()[-2000:])

    def answers(self):
        context = ssl.create_default_context(cafile=str(self.pki / "ca.pem"))
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=30, context=context) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def ctl(self, *arguments):
        return run(self.bin / "districtctl", "--data", self.data, *arguments)

    def export(self, receipt_id):
        """Writes the raw octets of an envelope to nowhere; gives their number and base64 SHA-256."""
        digest, octets = hashlib.sha256(), 0
        command = [self.bin / "districtctl", "--data", self.data, "envelope", "show", receipt_id, "--raw"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              preexec_fn=_prepare_child) as process:
            while block := process.stdout.read(1 << 20):
                digest.update(block)
                octets += len(block)
        if process.returncode != 0:
            raise Failure(f"districtctl envelope show ended with {process.returncode}")
        return octets, base64.b64encode(digest.digest()).decode()

    def make_gateways(self, name, count, key, tenants):
        """Makes and enrols gateways; tenants: {code: pilot}. Gives their folder."""
        folder = self.folder / name
        make_gateways(self.bin, folder, count, key, tenants, self.pki)
        known = self.ctl("tenant", "list", "--csv")
        for code, pilot in tenants.items():
            if not re.search(rf"^{re.escape(code)},", known, re.MULTILINE):
                add_tenant(self.ctl, code, pilot)
        self.ctl("enrol", "--csv", folder / "enrol.csv")
        return folder

    def drive(self, scenario, gateways, *options):
        """Runs the load driver and gives its measurements."""
        command = [self.bin / "district-bench", scenario, "--url", self.url, "--ca",
                   self.pki / "ca.pem", "--gateways", gateways, "--pid", self.process.pid]
        if self.sync_file.exists():
            command += ["--sync-count", self.sync_file]
        try:
            return json.loads(run(*command, *options))
        except Failure as failure:
            log = self.log.read_text()[-2000:]
            ended = "" if self.process.poll() is None else " (the server has ended)"
            raise Failure(f"{failure}{ended}", f"the server's log ends so:\n{log}" if log else "")


def make_gateways(bin_folder, folder, count, key, tenants, pki):
    tenant_options = [part for code, pilot in tenants.items()
                      for part in ("--tenant", f"{code}:{pilot}")]
    run(bin_folder / "district-bench", "make-gateways", folder, *tenant_options, "--count", count,
        "--ca", pki / "ca.pem", "--ca-key", pki / "ca.key", *(["--p256"] if key == "p256" else []))


def add_tenant(ctl, code, pilot):
    ctl("tenant", "add", code, "--name", f"simulated {pilot}", "--zone", ZONES[pilot],
        "--content-type", CONTENT_TYPES[pilot])
