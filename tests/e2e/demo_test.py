"""tools/demo --once, twice in the same folder, and the other scripts that people run."""
import pathlib
import re
import socket
import tempfile
import unittest

import district
from district import BIN, ROOT


class DemoTest(unittest.TestCase):
    def demo(self, folder, *options):
        return district.run(ROOT / "tools" / "demo", "--once", "--bin", BIN, "--folder", folder,
                            *options, timeout=240)

    def test_the_demo_runs_twice_and_leaves_no_process(self):
        with tempfile.TemporaryDirectory(prefix="district-e2e-") as folder:
            for again in (False, True):
                done = self.demo(folder)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertRegex(done.stdout, r"BCN-SCHOOL +energy_kwh +month +2018-03-01 +22471\.700 +kWh")
                self.assertIn("32 receipts: intact" if again else "16 receipts: intact", done.stdout)
                self.assertIn("no difference", done.stdout)
                self.assertIn("The server is stopped.", done.stdout)
            self.assertFalse((pathlib.Path(folder) / "districtd.pid").exists())
            self.assertEqual([], processes_naming(folder))

    def test_a_port_that_is_taken_is_said(self):
        with socket.socket() as taken, tempfile.TemporaryDirectory() as folder:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = self.demo(folder, "--port", str(port))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"demo: error: port {port} is taken", done.stderr)
        self.assertIn("demo: hint:", done.stderr)


class ScriptsTest(unittest.TestCase):
    SCRIPTS = [ROOT / "tools" / name for name in ("setup", "build", "demo", "test", "make-examples")] + [
        ROOT / "certs" / "make-demo-pki"]

    def test_every_script_explains_itself_and_refuses_unknown_options(self):
        for script in self.SCRIPTS:
            with self.subTest(script.name):
                self.assertIn("usage:", district.checked(script, "--help"))
                if script.name != "test":  # it hands them to ctest
                    done = district.run(script, "--no-such-option")
                    self.assertEqual(done.returncode, 2)
                    self.assertIn("error:", done.stderr)

    def test_completion_knows_every_command_and_option(self):
        pending = [()]
        while pending:
            command = pending.pop()
            offered = self.completions(command, "") | self.completions(command, "-")
            with self.subTest(" ".join(command)):
                text = district.checked(BIN / "districtctl", *command, "--help")
                below = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.MULTILINE)
                names = re.findall(r"^  ([a-z]+)", below[1], re.MULTILINE) if below else []
                self.assertLessEqual(set(names), offered)
                described = text.split("\nExamples:\n")[0]
                options = set(re.findall(r"^ +(?:-h,)?(--[a-z0-9-]+)", described, re.MULTILINE))
                if options != {"--help"}:
                    self.assertLessEqual(options, offered)
                pending += [(*command, name) for name in names]

    def completions(self, command, word):
        words = " ".join(["districtctl", *command, f"'{word}'"])
        return set(district.checked(
            "bash", "-c", f"compopt() {{ :; }}; source {ROOT}/tools/completion/districtctl.bash; COMP_WORDS=({words}); "
            f"COMP_CWORD={len(command) + 1}; _districtctl; printf '%s\\n' \"${{COMPREPLY[@]}}\"").split())

    def test_keys_are_for_their_owner_only_and_kept_when_run_again(self):
        with tempfile.TemporaryDirectory() as folder:
            pki = pathlib.Path(folder) / "pki"
            district.checked(self.SCRIPTS[-1], pki)
            before = {path: path.read_bytes() for path in pki.rglob("*.*") if path.is_file()}
            self.assertEqual(len(before), 14)
            for path in before:
                mode = path.stat().st_mode & 0o777
                self.assertEqual(mode, 0o600 if path.suffix == ".key" else 0o644, path)
            district.checked(self.SCRIPTS[-1], pki)
            self.assertEqual(before, {path: path.read_bytes() for path in before})
            district.checked(self.SCRIPTS[-1], pki, "--force")
            self.assertFalse(any(path.read_bytes() == old for path, old in before.items()))


def processes_naming(text):
    """Command lines of running processes that name it."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(text) in line:
            found.append(line)
    return found


if __name__ == "__main__":
    district.main()
