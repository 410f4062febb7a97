"""An auditor without write access: copies of the database on a medium that nobody can write, as another user."""
import contextlib
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

import district

NOBODY = 65534


def _become_nobody():
    # Root may write whatever its mode says.
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


class AuditorTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.district = cls.enterClassContext(district.District())
        cls.folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="district-auditor-")))
        cls.folder.chmod(0o755)
        cls.program = cls.folder / "districtctl"
        shutil.copy(district.BIN / "districtctl", cls.program)
        cls.program.chmod(0o755)
        cls.addClassCleanup(cls.make_writable)
        cls.receipts = cls.district.send(
            "20", "--messages-per-envelope", "120", district.PILOTS / "barcelona_school_2018-03.csv.gz")
        cls.district.wait_for_kpis()
        cls.kept = cls.folder / "receipts.jsonl"
        shutil.copy(cls.district.folder / "receipts.jsonl", cls.kept)
        cls.kept.chmod(0o644)

    @classmethod
    def make_writable(cls):
        for folder in cls.folder.rglob("*"):
            if folder.is_dir():
                folder.chmod(0o755)

    def medium(self, name, *files):
        """A folder with copies of the files that nobody can write."""
        folder = self.folder / name
        folder.mkdir()
        for file in files:
            copy = folder / file.name
            shutil.copyfile(file, copy)
            copy.chmod(0o444)
        folder.chmod(0o555)
        return folder

    def backup(self, name, databases=("district.db", "district-series.db")):
        staging = self.folder / f"of {name}"
        staging.mkdir()
        for database in databases:
            with contextlib.closing(sqlite3.connect(self.district.data / database)) as source, \
                    contextlib.closing(sqlite3.connect(staging / database)) as target:
                source.backup(target)
        return self.medium(name, *staging.iterdir())

    def audit(self, folder, *arguments):
        return subprocess.run([str(self.program), "--data", str(folder), *map(str, arguments)],
                              capture_output=True, text=True, timeout=120, preexec_fn=_become_nobody,
                              stdin=subprocess.DEVNULL, cwd="/")

    def check_all(self, folder):
        before = sorted(os.listdir(folder))
        for command, says in ((["log", "verify"], "intact"),
                              (["log", "verify", "--receipt", self.kept], "intact"),
                              (["audit", "verify"], "no difference"),
                              (["audit", "replay"], "no difference"),
                              (["status"], "Envelopes"),
                              (["envelope", "show", self.receipts[0]["receiptId"]], "Payload SHA-256"),
                              (["kpi", "--tenant", "20", "--kpi", "energy_kwh", "--window", "month"],
                               "energy_kwh")):
            with self.subTest(folder=folder.name, command=command):
                done = self.audit(folder, *command)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn(says.lower(), done.stdout.lower())
        self.assertEqual(sorted(os.listdir(folder)), before, "nothing is written beside it")

    def test_a_backup(self):
        self.check_all(self.backup("backup"))

    def test_a_backup_of_the_archive_alone(self):
        folder = self.backup("archive alone", ["district.db"])
        for command, says in ((["log", "verify"], "intact"), (["audit", "verify"], "no difference"),
                              (["audit", "replay"], "no difference"), (["status"], "Envelopes")):
            with self.subTest(command=command):
                done = self.audit(folder, *command)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn(says.lower(), done.stdout.lower())
        self.assertIn("no measurements and KPI values to compare with", self.audit(folder, "audit", "replay").stderr)
        done = self.audit(folder, "kpi", "--tenant", "20")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("district-series.db", done.stderr)

    def test_a_backup_in_a_folder_whose_name_means_something_in_a_uri(self):
        self.check_all(self.backup("back up?mode=rw#%41"))

    def test_a_copy_of_the_folder_of_a_server_that_was_stopped(self):
        with district.District() as server:
            receipts = server.send("20", "--messages-per-envelope", "120", district.PILOTS / "barcelona_school_2018-03.csv.gz")
            server.wait_for_kpis()
            server.stop()
            folder = self.medium("stopped", *server.data.glob("district*.db*"))
            done = self.audit(folder, "audit", "replay")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(f"{len(receipts)} envelope", done.stdout)

    def crashed(self):
        """The database's files as a crash leaves them."""
        server = self.enterContext(district.District())
        self.sent = server.send("20", "--messages-per-envelope", "120", district.PILOTS / "barcelona_school_2018-03.csv.gz")
        server.wait_for_kpis()
        files = [server.data / f"{name}.db{end}" for name in ("district", "district-series")
                 for end in ("", "-wal", "-shm")]
        self.assertGreater(files[1].stat().st_size, 0)
        server.kill()
        # The context wants a server that ends well.
        server.process = None
        return files

    def test_a_copy_with_its_write_ahead_log(self):
        folder = self.medium("crashed", *self.crashed())
        done = self.audit(folder, "audit", "replay")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{len(self.sent)} envelope", done.stdout)

    def test_a_write_ahead_log_that_cannot_be_read_there_is_never_passed_over(self):
        folder = self.medium("without shm", *(file for file in self.crashed() if not file.name.endswith("-shm")))
        for command in (["log", "verify"], ["audit", "replay"], ["status"]):
            done = self.audit(folder, *command)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertIn("district.db-wal", done.stderr)
            self.assertIn("copy the database and its -wal file to a folder that you may write", done.stderr)
        # What the hint says.
        writable = self.folder / "writable"
        writable.mkdir()
        for file in folder.iterdir():
            shutil.copyfile(file, writable / file.name)
            (writable / file.name).chmod(0o666)
        writable.chmod(0o777)
        done = self.audit(writable, "audit", "replay")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{len(self.sent)} envelope", done.stdout)

    def test_a_file_that_this_user_may_not_read_is_named(self):
        folder = self.backup("secret")
        (folder / "district.db").chmod(0)
        done = self.audit(folder, "log", "verify")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("district.db", done.stderr)
        self.assertIn("ermission denied", done.stderr)

    def test_beside_a_server_that_runs(self):
        for folder in (self.district.folder, self.district.data):
            folder.chmod(0o755)
        for file in self.district.data.glob("district*.db*"):
            file.chmod(0o644)
        self.assertEqual(self.audit(self.district.data, "audit", "replay").returncode, 0)
        done = self.audit(self.district.data, "log", "verify")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_changes_nothing_is_all_that_works_there(self):
        folder = self.backup("for writing")
        done = self.audit(folder, "revoke", "00" * 32, "--reason", "test")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("write", done.stderr)


if __name__ == "__main__":
    district.main()
