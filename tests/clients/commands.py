"""How the client of each stack is started on this machine: a list of words, or Missing."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
# What is compiled or installed for the clients.
WORK = pathlib.Path(os.environ.get("DISTRICT_CLIENTS", HERE.parents[1] / "build" / "tests" / "clients"))
JARS = [pathlib.Path("/usr/share/java") / f"{name}.jar"
        for name in ("wss4j", "xmlsec", "commons-logging", "slf4j-api", "slf4j-nop")]
# What npm says when it cannot reach its registry. Anything else is a failure.
UNREACHABLE = r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT"


class Missing(Exception):
    """What the client needs and this machine lacks."""


def need(*programs, files=()):
    absent = [name for name in programs if shutil.which(name) is None]
    absent += [str(file) for file in files if not pathlib.Path(file).exists()]
    if absent:
        raise Missing(f"not installed: {', '.join(absent)} (tools/setup --tests installs it)")


def folder_for(stack, *sources):
    """A folder in WORK for what is made of the sources; another for each content of them."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    folder = WORK / f"{stack}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def zeep():
    return ["/usr/bin/python3", "-B", HERE / "zeep" / "client.py"]


def xmlsec1():
    need("bash", "xmlsec1", "curl", "openssl", "xmllint")
    return ["bash", HERE / "xmlsec1" / "send.sh"]


def php():
    need("php")
    loaded = subprocess.run(["php", "-m"], capture_output=True, text=True, timeout=30).stdout.split()
    if lacks := [name for name in ("soap", "dom", "openssl") if name not in loaded]:
        raise Missing(f"PHP lacks {', '.join(lacks)} (tools/setup --tests installs php-soap and php-xml)")
    return ["php", HERE / "php" / "client.php"]


def install(folder):
    try:
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1",
             "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"], cwd=folder, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=60)
    except subprocess.TimeoutExpired as slow:
        raise Missing("node-soap: npm did not end within 60 seconds; is its registry reachable?") from slow
    if done.returncode == 0:
        return
    if unreachable := re.search(UNREACHABLE, done.stderr):
        raise Missing(f"node-soap: npm cannot reach its registry ({unreachable[0]})")
    raise SystemExit(done.stderr)


def node_soap():
    """The packages of node-soap/package-lock.json are installed by npm, once for each lock file."""
    need("node", "npm")
    source = HERE / "node-soap"
    folder = folder_for("node-soap", source / "package-lock.json")
    if not (folder / "complete").exists():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        install(folder)
        (folder / "complete").touch()
    shutil.copy(source / "client.js", folder)
    return ["node", "--no-deprecation", folder / "client.js"]


def java_wss4j():
    """Compiled once for each source."""
    need("java", files=JARS)
    if shutil.which("javac") is None:
        need("ecj")
    source = HERE / "java-wss4j" / "Client.java"
    folder = folder_for("java-wss4j", source)
    class_path = ":".join(map(str, JARS))
    if not (folder / "Client.class").exists():
        compiler = ["javac", "-nowarn"] if shutil.which("javac") else ["ecj", "-nowarn", "-11"]
        subprocess.run([*compiler, "-cp", class_path, "-d", folder, source], check=True, timeout=100)
    # For a run of seconds the second compiler of the virtual machine costs more than it gains.
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{folder}:{class_path}", "Client"]


def gsoap():
    program = WORK / "gsoap" / "gsoap_client"
    if not program.exists():
        raise Missing(f"not built: {program} (it needs the package gsoap, then tools/build)")
    return [program]
