#!/usr/bin/python3
"""tools/count-instructions finds what grew, and says when it cannot judge; valgrind is not needed."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import subprocess
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[3] / "tools" / "count-instructions"
loader = importlib.machinery.SourceFileLoader("count_instructions", str(TOOL))
tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("count_instructions", loader))
loader.exec_module(tool)

CONDITIONS = {"machine": "x86_64", "libxml2": "2.9.14"}
BASELINE = {"tolerance_percent": 10, "conditions": CONDITIONS,
            "instructions": {"guard/1": 1000, "parse/1": 20_000}}


def dump(name, total):
    return ("# callgrind format\ncreator: callgrind-3.19.0\n"
            f"desc: Trigger: Client Request: {name}\nevents: Ir\nsummary: {total}\n"
            "fn=(1) main\n1 5\ntotals: 99\n")


class CountTest(unittest.TestCase):
    def test_counts_are_of_one_run(self):
        self.assertEqual(tool.instructions_of([dump("guard/1 x 20", 20_010)]), {"guard/1": 1000})

    def test_what_stands_before_a_plus_is_taken_off(self):
        dumps = [dump("parse/1+validate/1 x 10", 5000), dump("parse/1 x 10", 2000)]
        self.assertEqual(tool.instructions_of(dumps), {"parse/1": 200, "validate/1": 300})

    def test_the_dump_at_the_end_is_no_stage(self):
        ending = dump("guard/1 x 20", 1).replace("Client Request: guard/1 x 20", "Program termination")
        self.assertEqual(tool.instructions_of([ending]), {})


class JudgeTest(unittest.TestCase):
    def judge(self, stages, conditions=None):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = tool.judge(BASELINE, conditions or CONDITIONS, stages)
        return code, said.getvalue()

    def test_the_baseline_itself_is_good(self):
        self.assertEqual(self.judge(BASELINE["instructions"]), (tool.GOOD, ""))

    def test_growth_within_the_tolerance_is_good(self):
        self.assertEqual(self.judge({"guard/1": 1100, "parse/1": 20_000}), (tool.GOOD, ""))

    def test_growth_beyond_it_names_the_stage_and_how_to_accept_it(self):
        code, said = self.judge({"guard/1": 1000, "parse/1": 22_100})
        self.assertEqual(code, tool.WORSE)
        self.assertIn("parse/1 grew by 10.5 %, from 20,000 to 22,100 instructions", said)
        self.assertIn("tools/count-instructions --accept", said)
        self.assertNotIn("guard/1", said)

    def test_less_is_good_and_should_be_kept(self):
        code, said = self.judge({"guard/1": 500, "parse/1": 20_000})
        self.assertEqual(code, tool.GOOD)
        self.assertIn("guard/1 fell by 50.0 %", said)

    def test_a_stage_without_a_baseline_is_an_error(self):
        code, said = self.judge(BASELINE["instructions"] | {"sign/1": 5})
        self.assertEqual(code, tool.WORSE)
        self.assertIn("sign/1 has no baseline", said)

    def test_a_stage_that_is_gone_is_an_error(self):
        code, said = self.judge({"guard/1": 1000})
        self.assertEqual(code, tool.WORSE)
        self.assertIn("parse/1 is in the baseline, but was not counted", said)

    def test_under_other_versions_nothing_is_judged(self):
        code, said = self.judge({"guard/1": 9000, "parse/1": 90_000},
                                CONDITIONS | {"libxml2": "2.12.0"})
        self.assertEqual(code, tool.NOT_JUDGED)
        self.assertIn("libxml2: 2.12.0, the baseline has 2.9.14", said)
        self.assertIn("not judged", said)


class CommandTest(unittest.TestCase):
    def test_without_valgrind_it_says_so_and_is_skipped(self):
        done = subprocess.run(["/usr/bin/python3", TOOL], env=os.environ | {"PATH": "/nonexistent"},
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, tool.NOT_JUDGED)
        self.assertIn("valgrind is not installed", done.stderr)


if __name__ == "__main__":
    unittest.main()
