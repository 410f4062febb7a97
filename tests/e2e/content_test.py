"""A content type that no program knows by name: a schema in the data folder, its values and their estimated flag."""
import unittest

import district
from district import ROOT

SCHEMA = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:a="http://urb-grade.eu/annotations"
           elementFormDefault="unqualified">
  <xs:include schemaLocation="../types.xsd"/>
  <xs:element name="gcontent"><xs:complexType><xs:all>
    {elements}
  </xs:all></xs:complexType></xs:element>
</xs:schema>
"""
ELEMENT = """<xs:element name="{name}" type="{type}" {more}><xs:annotation>
      <xs:appinfo>{annotation}</xs:appinfo></xs:annotation></xs:element>
"""
ELEMENTS = [
    ("charging_start", "ZonedDateTime", "", "<a:role>period-start</a:role>"),
    ("charging_end", "ZonedDateTime", "", "<a:role>period-end</a:role>"),
    ("charging_point", "Name", "", "<a:role>meter</a:role>"),
    ("charged_energy", "NonNegativeQuantity", "",
     '<a:meaning kind="interval" quantity="active_energy" unit="kWh"/>'),
    ("is_estimated", "xs:boolean", 'minOccurs="0"', "<a:role>estimated</a:role>"),
]
MESSAGE = """<message><head><timestamp>2018-03-01T{end:02}:00:00Z</timestamp>
<messageType><type>004</type><version>001</version></messageType>
<messageSource><messageSourceElement>BCN-GARAGE</messageSourceElement></messageSource></head>
<content><gcontent><charging_start>2018-03-01T{start:02}:00:00Z</charging_start>
<charging_end>2018-03-01T{end:02}:00:00Z</charging_end><charging_point>CP-1</charging_point>
<charged_energy>{energy}</charged_energy>{estimated}</gcontent></content></message>
"""


def message(hour, energy, estimated=None):
    element = "" if estimated is None else f"<is_estimated>{estimated}</is_estimated>"
    return MESSAGE.format(start=hour, end=hour + 1, energy=energy, estimated=element)


class ContentTest(unittest.TestCase):
    def setUp(self):
        self.district = self.enterContext(district.District())
        folder = self.district.data / "content"
        folder.mkdir()
        schema = folder / "004-001.xsd"
        elements = "    ".join(ELEMENT.format(name=name, type=kind, more=more, annotation=annotation)
                               for name, kind, more, annotation in ELEMENTS)
        schema.write_text(SCHEMA.format(elements=elements))
        self.assertIn("metered energy", self.district.ctl("content", "check", schema))
        tenant = (ROOT / "truststore" / "20" / "tenant.toml").read_text()
        changed = self.district.folder / "tenant.toml"
        changed.write_text(tenant.replace('"003/001"', '"003/001", "004/001"'))
        self.assertNotEqual(changed.read_text(), tenant)
        self.assertEqual(self.district.stop(), 0)
        self.district.start()
        self.district.ctl("tenant", "add", "--file", changed)

    def write(self, name, *messages):
        path = self.district.folder / name
        path.write_text("<messages>" + "".join(messages) + "</messages>")
        return path

    def energy_of_the_hour(self, hour):
        self.district.wait_for_kpis()
        hours = self.district.kpis("20", "hour", source="BCN-GARAGE", meter="CP-1", kpi="energy_kwh")
        return hours[(f"2018-03-01T{hour:02}:00:00Z", "energy_kwh")]

    def test_what_a_gateway_estimated_is_marked_until_it_is_measured(self):
        self.district.send("20", self.write("charging.xml", message(8, 7.4, "false"), message(9, 3.1, "true"),
                                            message(10, 2.0), message(11, 1.0, " 1 ")))
        self.assertEqual([self.energy_of_the_hour(hour)["estimated_values"] for hour in (8, 9, 10, 11)],
                         ["", "1", "", "1"])
        day = self.district.kpis("20", "day", source="BCN-GARAGE", meter="CP-1", kpi="energy_kwh")
        [day] = [row for row in day.values()]
        self.assertEqual((float(day["value"]), day["estimated_values"]), (13.5, "2"))
        explained = self.district.ctl("kpi", "explain", "--tenant", "20", "--source", "BCN-GARAGE", "--meter", "CP-1",
                                      "--kpi", "energy_kwh", "--window", "hour", "--at", "2018-03-01T09:00:00Z")
        self.assertIn("estimated", explained)
        # What is measured replaces what was estimated, also where the amount is the same.
        self.district.send("20", self.write("measured.xml", message(9, 3.1, "false"), message(11, 1.5)))
        self.assertEqual(self.energy_of_the_hour(11).get("estimated_values", ""), "")
        self.assertEqual(self.energy_of_the_hour(11)["value"], "1.5")
        self.assertEqual(self.energy_of_the_hour(9).get("estimated_values", ""), "")
        self.district.ctl("audit", "replay")

    def test_neither_true_nor_false_is_refused(self):
        done = self.district.gateway("20", self.write("perhaps.xml", message(8, 7.4, "perhaps")))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is_estimated", done.stderr)


if __name__ == "__main__":
    district.main()
