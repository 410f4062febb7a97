#include "validate/validator.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>

#include "base/limits.h"
#include "requests.h"

namespace {

using namespace district;
using test::at;
using test::Message;
using test::request;

// Reads the tenantCode by xml/: the SOAP engine's own reader is tested in tests/soap.
class PlainReader final : public validate::OperationReader {
 public:
  Result<validate::OperationHead> read(std::string_view body_child) const override {
    last = body_child;
    DISTRICT_TRY(const auto document, xml::Document::parse(as_bytes(body_child)));
    return validate::OperationHead{
        "AggregateMessage",
        document->root().child("http://urb-grade.eu", "tenantCode").trimmed_text()};
  }
  mutable std::string last;
};

struct Fixture {
  Fixture() {
    xml::initialize();
    auto created = validate::Validator::create(reader);
    BOOST_REQUIRE_MESSAGE(created, (created ? "" : created.error().detail));
    validator = std::move(*created);
  }

  // What came of the values, and of conclude(); the same whether a tree or a stream is read.
  Result<Batch> validate(const std::string& text, const test::TrustingVerifier& verifier = {},
                         Instant now = at(test::kNow)) const {
    auto by_tree = verifier;
    by_tree.by = test::TrustingVerifier::By::tree;
    auto streamed = validate_once(text, verifier, now);
    const auto walked = validate_once(text, by_tree, now);
    BOOST_TEST(outcome(streamed) == outcome(walked));
    return streamed;
  }

  Result<Batch> extract(const std::string& text) const {
    MemorySource source(as_bytes(text));
    Batch batch;
    DISTRICT_TRY(const auto content,
                 validator->extract(source, "", at(test::kNow), test::gather(batch)));
    batch.tenant = content.tenant;
    return batch;
  }

  // Its values are those that extract() gives later.
  Batch accepted(const std::string& text) const {
    auto batch = validate(text);
    BOOST_REQUIRE_MESSAGE(batch, (batch ? "" : batch.error().detail) << "\n" << text);
    const auto again = extract(text);
    BOOST_REQUIRE_MESSAGE(again, (again ? "" : again.error().detail) << "\n" << text);
    BOOST_TEST(test::written(*again) == test::written(*batch));
    return std::move(*batch);
  }

  Error rejected(const std::string& text, ErrorCode code) const {
    const auto batch = validate(text);
    BOOST_REQUIRE_MESSAGE(!batch, "accepted: " + text);
    BOOST_TEST(static_cast<int>(batch.error().code) == static_cast<int>(code),
               batch.error().detail);
    BOOST_TEST(!batch.error().violations.empty());
    return batch.error();
  }

  // Rejected with one violation of the first message at that path.
  void rejected_at(const std::string& text, ErrorCode code, const std::string& path) const {
    const Error error = rejected(text, code);
    BOOST_REQUIRE(!error.violations.empty());
    BOOST_TEST(error.violations.front().path == path,
               error.violations.front().path << ": " << error.detail);
    BOOST_TEST(error.violations.front().message_index == 1U);
  }

  PlainReader reader;
  std::unique_ptr<validate::Validator> validator;

 private:
  Result<Batch> validate_once(const std::string& text, const test::TrustingVerifier& verifier,
                              Instant now) const {
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(text));
    Batch batch;
    auto reading = validator->read_along(test::gather(batch));
    const auto verified = verifier.verify(raw, now, reading);
    BOOST_REQUIRE_MESSAGE(verified, (verified ? "" : verified.error().detail) << "\n" << text);
    DISTRICT_TRY(const auto content, reading.conclude(*verified));
    BOOST_TEST(content.message_count == batch.messages.size());
    if (!batch.messages.empty()) BOOST_TEST(content.first_source == batch.messages[0].source);
    batch.tenant = content.tenant;
    return batch;
  }

  static std::string outcome(const Result<Batch>& batch) {
    if (batch) return test::written(*batch);
    std::string text = std::to_string(static_cast<int>(batch.error().code)) + batch.error().detail;
    for (const auto& [message, path, line, reason] : batch.error().violations) {
      text +=
          "\n" + std::to_string(message) + " " + path + ":" + std::to_string(line) + ": " + reason;
    }
    return text;
  }
};

Message barcelona(const std::string& content) {
  return {"001", "0.0.1", "BCN-SCHOOL", "2018-03-01T11:00:05Z", content, ""};
}

const char* const kPeriod =
    "<measure_timestamp_start>2018-03-01T11:00:00+01:00</measure_timestamp_start>"
    "<measure_timestamp_end>2018-03-01T11:00:00Z</measure_timestamp_end>";

BOOST_FIXTURE_TEST_SUITE(values, Fixture)

BOOST_AUTO_TEST_CASE(power_is_an_instant_at_the_head_timestamp) {
  const Batch batch = accepted(request({{}}));
  BOOST_TEST(batch.tenant == "30");
  BOOST_REQUIRE(batch.messages.size() == 1U);
  BOOST_TEST(batch.messages[0].type == "001");
  BOOST_TEST(batch.messages[0].source == "EIB-L1");
  BOOST_REQUIRE(batch.observations.size() == 1U);
  const Observation& power = batch.observations[0];
  BOOST_TEST(power.quantity == "active_power");
  BOOST_TEST(power.unit == "W");
  BOOST_TEST((power.kind == ValueKind::instant));
  BOOST_TEST((power.start == at("2018-03-01T11:00:00Z")));
  BOOST_TEST((power.end == power.start));
  BOOST_TEST(power.value == 11760.4);
  BOOST_TEST(power.meter.empty());
  BOOST_TEST(power.message_index == 1U);
}

BOOST_AUTO_TEST_CASE(energy_price_and_temperatures_cover_the_period_of_the_message) {
  const Batch batch = accepted(request(
      {barcelona(std::string(kPeriod) +
                 "<energy_measure>18.4</energy_measure><energy_price>-0.01</energy_price>"
                 "<temperature_in>19.5</temperature_in><temperature_out>-3</temperature_out>")},
      "20"));
  BOOST_REQUIRE(batch.observations.size() == 4U);
  const char* const quantities[] = {"active_energy", "energy_price", "temperature_in",
                                    "temperature_out"};
  const char* const units[] = {"kWh", "EUR/kWh", "Cel", "Cel"};
  const double numbers[] = {18.4, -0.01, 19.5, -3};
  for (std::size_t i = 0; i < 4; ++i) {
    const Observation& value = batch.observations[i];
    BOOST_TEST(value.quantity == quantities[i]);
    BOOST_TEST(value.unit == units[i]);
    BOOST_TEST(value.value == numbers[i]);
    BOOST_TEST((value.kind == (i == 0 ? ValueKind::interval : ValueKind::mean)));
    BOOST_TEST((value.start == at("2018-03-01T10:00:00Z")));
    BOOST_TEST((value.end == at("2018-03-01T11:00:00Z")));
  }
}

BOOST_AUTO_TEST_CASE(a_register_belongs_to_the_numbered_meter) {
  const Message message{
      "001",
      "002",
      "SeasNve",
      "2015-04-13T16:11:42.9000728+02:00",
      "<ID_Meter_consumption> KAL-W2 "
      "</ID_Meter_consumption><Consumer_measure>99872</Consumer_measure>",
      "<messagePosition><messagePositionX>41</messagePositionX><messagePositionY>-4</"
      "messagePositionY></messagePosition>"};
  const Batch batch = accepted(request({message}, " 10 "));
  BOOST_TEST(batch.tenant == "10");
  BOOST_REQUIRE(batch.observations.size() == 1U);
  const Observation& reading = batch.observations[0];
  BOOST_TEST(reading.source == "SeasNve");
  BOOST_TEST(reading.meter == "KAL-W2");
  BOOST_TEST(reading.quantity == "register");
  BOOST_TEST(reading.unit == "meter");
  BOOST_TEST((reading.kind == ValueKind::reading));
  BOOST_TEST((reading.start == at("2015-04-13T14:11:42.900072Z")));
}

BOOST_AUTO_TEST_CASE(master_data_becomes_facts_with_their_validity) {
  const Message message{
      "002",
      "001",
      "SeasNve",
      "2018-01-01T00:00:00Z",
      "<site><site_id>KAL-1</site_id><valid_from>2018-01-01T00:00:00Z</valid_from></site>"
      "<meter><meter_id>KAL-W2</meter_id><valid_from>2018-01-01T00:00:00+01:00</valid_from>"
      "<valid_to>2019-01-01T00:00:00Z</valid_to><medium>water</medium><unit>L</unit>"
      "<register_modulus>100000</register_modulus><nominal_step>PT30M</nominal_step></meter>"
      "<meter><valid_from>2018-02-01T00:00:00Z</valid_from><floor_area_m2>120.5</floor_area_m2></"
      "meter>",
      ""};
  const Batch batch = accepted(request({message}, "10"));
  BOOST_TEST(batch.observations.empty());
  BOOST_REQUIRE(batch.master_facts.size() == 5U);
  const MasterFact expected{"SeasNve",
                            "KAL-W2",
                            "medium",
                            "water",
                            at("2017-12-31T23:00:00Z"),
                            at("2019-01-01T00:00:00Z"),
                            1};
  BOOST_TEST((batch.master_facts[0] == expected));
  BOOST_TEST(batch.master_facts[2].attribute == "register_modulus");
  BOOST_TEST(batch.master_facts[2].value == "100000");
  const MasterFact& own = batch.master_facts[4];
  BOOST_TEST(own.meter.empty());
  BOOST_TEST(own.attribute == "floor_area_m2");
  BOOST_TEST(!own.valid_to.has_value());
}

BOOST_AUTO_TEST_CASE(surveys_are_accepted_and_only_luminance_is_quantified) {
  Message message;
  message.type = "003";
  message.content =
      "<survey><survey_name>s</survey_name><question>q</question><answer>a "
      "\xC3\xA4</answer></survey>"
      "<vote><topic>t</topic><score>-2</score></vote><luminance>9.5</luminance>";
  const Batch batch = accepted(request({message}));
  BOOST_REQUIRE(batch.observations.size() == 1U);
  BOOST_TEST(batch.observations[0].quantity == "illuminance");
  BOOST_TEST(batch.observations[0].unit == "lx");
}

BOOST_AUTO_TEST_CASE(numbers_are_read_in_every_spelling_of_xsd) {
  const std::pair<const char*, double> spellings[] = {
      {" 12.5e0 ", 12.5}, {"+7", 7},     {".5", 0.5}, {"5.", 5},
      {"-1E2", -100},     {"1e-400", 0}, {"007", 7},  {"1<!-- c -->2", 12}};
  for (const auto& [text, value] : spellings) {
    Message message;
    message.content = "<consumer_measure>" + std::string(text) + "</consumer_measure>";
    const Batch batch = accepted(request({message}));
    BOOST_REQUIRE(batch.observations.size() == 1U);
    BOOST_TEST(batch.observations[0].value == value, text);
  }
}

BOOST_AUTO_TEST_CASE(extract_gives_the_same_values_as_validate) {
  Message later;
  later.source = "EIB-L2";
  later.timestamp = "2018-03-01T11:15:00Z";
  const std::string text = request({{}, later}, "31");
  const Batch batch = accepted(text);
  const auto again = extract(text);
  BOOST_REQUIRE(again);
  BOOST_TEST(test::written(*again) == test::written(batch));
}

BOOST_AUTO_TEST_CASE(extract_of_something_else_is_an_error_and_no_crash) {
  const std::string request_start = "<u:AggregateMessageRequest xmlns:u=\"http://urb-grade.eu\">";
  const std::string request_end = "</u:AggregateMessageRequest>";
  const std::string texts[] = {
      "<a/>", test::envelope(""), test::envelope("<x/>"),
      test::envelope(request_start + request_end),
      test::envelope(request_start + "<messages><message/></messages>" + request_end)};
  for (const std::string& text : texts) {
    const auto batch = extract(text);
    BOOST_REQUIRE(!batch);
    BOOST_TEST(static_cast<int>(batch.error().code) == static_cast<int>(ErrorCode::schema_invalid));
  }
}

BOOST_AUTO_TEST_CASE(the_soap_engine_gets_the_request_without_the_bulk) {
  accepted(request({{}, {}}));
  BOOST_TEST(reader.last ==
             "<r:AggregateMessageRequest xmlns:r=\"http://urb-grade.eu\"><messages></messages>"
             "<r:tenantCode>30</r:tenantCode></r:AggregateMessageRequest>");
}

BOOST_AUTO_TEST_CASE(the_examples_of_the_contract_are_accepted) {
  for (const char* name : {"eibar", "barcelona", "kalundborg", "master-data", "survey"}) {
    std::ifstream file(std::string(DISTRICT_SOURCE_DIR "/wsdl/examples/request-") + name + ".xml");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    BOOST_TEST_CONTEXT(name) {
      const auto batch = validate(text, {}, at("2026-01-01T00:00:00Z"));
      BOOST_TEST(batch.has_value(), (batch ? "" : batch.error().detail));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(bodies, Fixture)

BOOST_AUTO_TEST_CASE(a_body_holds_exactly_one_request) {
  const std::string one = request({{}});
  const auto start = one.find("<urb:");
  const std::string inner = one.substr(start, one.find("</s:Body>") - start);
  for (const std::string& body :
       {std::string(), inner + inner, std::string("<urb:Other xmlns:urb=\"http://urb-grade.eu\"/>"),
        std::string("<AggregateMessageRequest/>")}) {
    rejected(test::envelope(body), ErrorCode::schema_invalid);
  }
  accepted(test::envelope(" \n" + inner + "<!-- c -->\n"));
}

BOOST_AUTO_TEST_CASE(xsi_type_and_xsi_nil_are_refused_anywhere_in_the_body) {
  for (const std::string attribute :
       {"xsi:type=\"xs:double\"", "xsi:nil=\"true\"", "xsi:nil=\"false\""}) {
    Message message;
    message.content = "<consumer_measure " + attribute + ">1</consumer_measure>";
    rejected(request({message}), ErrorCode::schema_invalid);
    std::string text = request({{}});
    text.replace(text.find("<s:Body>"), 8, "<s:Body " + attribute + ">");
    rejected(text, ErrorCode::schema_invalid);
  }
}

BOOST_AUTO_TEST_CASE(a_schema_location_is_ignored) {
  Message message;
  message.content =
      "<consumer_measure xsi:noNamespaceSchemaLocation=\"file:///etc/passwd\" "
      "xsi:schemaLocation=\"u v\">1</consumer_measure>";
  accepted(request({message}));
}

BOOST_AUTO_TEST_CASE(the_service_schema_is_enforced) {
  const std::string good = request({{}, {}});
  const std::pair<std::string, std::string> changes[] = {
      {"<urb:tenantCode>30</urb:tenantCode>", ""},
      {"<urb:tenantCode>30</urb:tenantCode>", "<tenantCode>30</tenantCode>"},
      {"<urb:tenantCode>30", "<urb:tenantCode> "},
      {"<urb:tenantCode>30", "<urb:tenantCode>" + std::string(65, '3')},
      {"<messages>", "<messages><extra/>"},
      {"<head>", "<head><extra/>"},
      {"<type>001", "<type>0/1"},
      {"<version>001", "<version>"},
      {"<messageSourceElement>EIB-L1", "<messageSourceElement>"},
      {"<messageSourceElement>EIB-L1", "<messageSourceElement>" + std::string(129, 'x')},
      {"<timestamp>2018-03-01T11:00:00Z", "<timestamp>2018-03-01T11:00:00"},
      {"<timestamp>2018-03-01T11:00:00Z", "<timestamp>2018-02-30T11:00:00Z"},
      {"<timestamp>2018-03-01T11:00:00Z", "<timestamp>yesterday"},
      {"</messageSourceElement>",
       "</messageSourceElement><messagePosition><messagePositionX>90.1</messagePositionX>"
       "<messagePositionY>0</messagePositionY></messagePosition>"},
      {"</messageSourceElement>",
       "</messageSourceElement><messagePosition><messagePositionX>0</messagePositionX>"
       "<messagePositionY>-180.5</messagePositionY></messagePosition>"},
  };
  for (const auto& [from, to] : changes) {
    std::string text = good;
    BOOST_REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
    BOOST_TEST_CONTEXT(from << " -> " << to) { rejected(text, ErrorCode::schema_invalid); }
  }
  rejected(request({}), ErrorCode::schema_invalid);
}

BOOST_AUTO_TEST_CASE(a_violation_names_message_path_line_and_reason) {
  Message bad;
  bad.content = "\n<consumer_measure>much</consumer_measure>";
  const Error error = rejected(request({{}, bad, {}}), ErrorCode::schema_invalid);
  const Violation& violation = error.violations.front();
  BOOST_TEST(violation.message_index == 2U);
  BOOST_TEST(violation.path == "/messages/message[2]/content/gcontent/consumer_measure");
  BOOST_TEST(violation.line == 7);
  BOOST_TEST(violation.reason.find("much") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_message_is_told_of_whatever_is_wrong_with_the_others) {
  Message no_instant, much, unknown, typed, ahead;
  no_instant.timestamp = "yesterday";
  much.content = "<consumer_measure>much</consumer_measure>";
  unknown.version = "777";
  typed.content =
      "<consumer_measure xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='1'/>";
  ahead.timestamp = "2030-01-01T00:00:00Z";
  const Error error =
      rejected(request({{}, no_instant, much, unknown, typed, ahead}), ErrorCode::schema_invalid);
  std::vector<std::string> told;
  for (const auto& violation : error.violations)
    told.push_back(std::to_string(violation.message_index) + " " +
                   violation.path.substr(violation.path.rfind('/') + 1));
  const std::vector<std::string> expected{"2 timestamp", "3 consumer_measure", "4 messageType",
                                          "5 consumer_measure", "6 timestamp"};
  BOOST_TEST(told == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_messages_is_told_to_who_may_send_them) {
  Message no_instant, unknown;
  no_instant.timestamp = "yesterday";
  unknown.version = "777";
  test::TrustingVerifier verifier;
  verifier.enrolled = {"20"};
  const auto refused = validate(request({no_instant, unknown}), verifier);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::schema_invalid));
  BOOST_TEST(refused.error().violations.size() == 1U);
}

BOOST_AUTO_TEST_CASE(violations_are_at_most_twenty_and_bounded) {
  Message bad;
  bad.content = "<consumer_measure>" + std::string(5000, 'x') + "</consumer_measure>";
  const Error error = rejected(request(std::vector<Message>(50, bad)), ErrorCode::schema_invalid);
  BOOST_TEST(error.violations.size() == limits::kViolationsMax);
  for (const auto& violation : error.violations) {
    BOOST_TEST(violation.reason.size() <= limits::kViolationReasonBytesMax);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(rules, Fixture)

BOOST_AUTO_TEST_CASE(the_signer_must_be_enrolled_for_the_tenant_of_the_body) {
  test::TrustingVerifier verifier;
  verifier.enrolled = {"20"};
  auto batch = validate(request({{}}), verifier);
  BOOST_REQUIRE(!batch);
  BOOST_TEST(static_cast<int>(batch.error().code) ==
             static_cast<int>(ErrorCode::authentication_failed));
  // Compared exactly: neither a beginning nor a number.
  verifier.enrolled = {"3", "300", "030", "30 "};
  BOOST_TEST(!validate(request({{}}), verifier));
  verifier.enrolled = {"99"};
  batch = validate(request({{}}, "99"), verifier);
  BOOST_REQUIRE(!batch);
  BOOST_TEST(static_cast<int>(batch.error().code) ==
             static_cast<int>(ErrorCode::authentication_failed));
}

BOOST_AUTO_TEST_CASE(unknown_and_not_allowed_types_are_told_apart) {
  Message unknown;
  unknown.version = "777";
  const Error first = rejected(request({unknown}), ErrorCode::content_type_unknown);
  BOOST_TEST(first.violations.front().reason.find("not a known") != std::string::npos);
  BOOST_TEST(first.violations.front().path == "/messages/message[1]/head/messageType");
  Message other = barcelona(std::string(kPeriod) + "<energy_measure>1</energy_measure>");
  const Error second = rejected(request({other}), ErrorCode::content_type_unknown);
  BOOST_TEST(second.violations.front().reason.find("not allowed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_timestamp_ahead_is_flagged_or_rejected) {
  const auto at_timestamp = [](const char* timestamp) {
    Message message;
    message.timestamp = timestamp;
    return request({message}, "31");
  };
  BOOST_TEST(accepted(at_timestamp("2018-03-01T12:01:00Z")).observations[0].flags == 0U);
  BOOST_TEST(accepted(at_timestamp("2018-03-01T12:01:00.000001Z")).observations[0].flags ==
             std::uint32_t{flag_future});
  BOOST_TEST(accepted(at_timestamp("2018-03-02T12:00:00Z")).messages[0].flags ==
             std::uint32_t{flag_future});
  rejected_at(at_timestamp("2018-03-02T12:00:00.1Z"), ErrorCode::header_rule,
              "/messages/message[1]/head/timestamp");
  // The zone counts: this is two hours earlier than it looks.
  accepted(at_timestamp("2018-03-02T13:30:00+02:00"));
}

BOOST_AUTO_TEST_CASE(sources_outside_a_list_are_rejected) {
  Message message;
  message.source = "EIB-L9";
  BOOST_TEST(accepted(request({message})).messages[0].flags == 0U);
  rejected_at(request({message}, "31"), ErrorCode::header_rule,
              "/messages/message[1]/head/messageSource/messageSourceElement");
  message.source = " EIB-L2 ";
  BOOST_TEST(accepted(request({message}, "31")).messages[0].flags == 0U);
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_are_refused) {
  for (const std::string text :
       {"NaN", "INF", "-INF", "1e999", "1e16", "0x10", "", "1,5", "one", "1 2"}) {
    Message message;
    message.content = "<consumer_measure>" + text + "</consumer_measure>";
    rejected(request({message}), ErrorCode::schema_invalid);
  }
  for (const std::string text : {"NaN", "INF", "1e400", "1e16", "-1.0E16", "1e", "e5", "1e+-5",
                                 "1e5.5", "1E 5", "5,0E-4", "1.2.3e4", "0x1p3", ""}) {
    rejected(
        request({barcelona(std::string(kPeriod) + "<energy_measure>" + text + "</energy_measure>")},
                "20"),
        ErrorCode::schema_invalid);
  }
}

// Java's Double.toString, Python's repr, JavaScript's Number.toString, PHP, C's %e.
BOOST_AUTO_TEST_CASE(numbers_may_have_an_exponent_wherever_a_measure_is) {
  const std::vector<std::string> texts{"5.0E-4", "1e-05",       "1e-7",   "1.0E-5", "1.234560e+02",
                                       "+2E3",   "4.9E-324",    "1E-400", "-.5e1",  "1.2345678E7",
                                       "0e0",    "0.0000001e9", "1.e2",   "1e15"};
  for (const std::string& text : texts) {
    const double expected = std::strtod(text.c_str(), nullptr);
    for (const char* element : {"energy_price", "temperature_in", "temperature_out"}) {
      const Batch batch = accepted(
          request({barcelona(std::string(kPeriod) + "<energy_measure>" + text +
                             "</energy_measure><" + element + ">" + text + "</" + element + ">")},
                  "20"));
      BOOST_REQUIRE(batch.observations.size() == 2U);
      for (const auto& observation : batch.observations)
        BOOST_TEST(std::abs(observation.value - expected) < 1e-300);
    }
    Message power;
    power.content = "<consumer_measure>" + text + "</consumer_measure>";
    BOOST_TEST(std::abs(accepted(request({power})).observations[0].value - expected) < 1e-300);
  }
}

BOOST_AUTO_TEST_CASE(a_refused_number_or_instant_is_told_in_words) {
  const auto reason_of = [&](const std::string& content) {
    const auto error = rejected(request({barcelona(content)}, "20"), ErrorCode::schema_invalid);
    BOOST_REQUIRE(!error.violations.empty());
    return error.violations.front().reason;
  };
  const auto energy = [&](const std::string& text) {
    return reason_of(std::string(kPeriod) + "<energy_measure>" + text + "</energy_measure>");
  };
  for (const char* text : {"NaN", "1,5", "1.000,5", "INF", "12 kWh"}) {
    const auto reason = energy(text);
    BOOST_TEST(reason.find("such as 0.0005 or 5.0E-4") != std::string::npos, reason);
    BOOST_TEST(reason.find(text) != std::string::npos, reason);
    BOOST_TEST(reason.find("[0-9]") == std::string::npos, reason);
  }
  for (const char* text : {"1e16", "-2E15"})
    BOOST_TEST(energy(text).find("value allowed") != std::string::npos, energy(text));
  const auto large = energy("1e400");
  BOOST_TEST(large.find("greater than the maximum value allowed ('1e15')") != std::string::npos,
             large);
  std::string without_zone = kPeriod;
  without_zone.erase(without_zone.find("Z<"), 1);
  const auto instant = reason_of(without_zone + "<energy_measure>1</energy_measure>");
  BOOST_TEST(instant.find("not an instant with a zone: write it like") != std::string::npos,
             instant);
}

// Java's new BigDecimal(42.4) has 49 digits; libxml2's xs:decimal would have 24 at most.
BOOST_AUTO_TEST_CASE(decimals_may_have_any_number_of_digits) {
  const auto energy = [](const std::string& text) {
    return request(
        {barcelona(std::string(kPeriod) + "<energy_measure>" + text + "</energy_measure>")}, "20");
  };
  const std::string zeros(400, '0');
  for (const std::string& text :
       {std::string("42.39999999999999857891452847979962825775146484375"), zeros + "42.4",
        "42.4" + zeros, "-0." + zeros + "1", "122222222222222.3" + zeros, std::string("42."),
        std::string("-.4")}) {
    const Batch batch = accepted(energy(text));
    BOOST_REQUIRE(batch.observations.size() == 1U);
    BOOST_TEST(batch.observations[0].value == std::strtod(text.c_str(), nullptr));
  }
  BOOST_TEST(accepted(energy("+4.5")).observations[0].value == 4.5);
  for (const std::string& text : {"1" + zeros, std::string("-1000000000000001"), std::string("."),
                                  std::string("+"), std::string("+-1"), std::string("4e")})
    rejected(energy(text), ErrorCode::schema_invalid);
}

BOOST_AUTO_TEST_CASE(element_names_are_exact) {
  Message message;
  message.content = "<Consumer_measure>1</Consumer_measure>";
  rejected(request({message}), ErrorCode::schema_invalid);
  message.content = "<consumer_measure xmlns=\"urn:other\">1</consumer_measure>";
  rejected(request({message}), ErrorCode::schema_invalid);
  message.content = "<consumer_measure>1</consumer_measure><consumer_measure>2</consumer_measure>";
  rejected(request({message}), ErrorCode::schema_invalid);
}

BOOST_AUTO_TEST_CASE(a_period_has_zones_and_is_evidence_whatever_its_order) {
  const auto period = [](const char* start, const char* end) {
    return request({barcelona("<measure_timestamp_start>" + std::string(start) +
                              "</measure_timestamp_start><measure_timestamp_end>" + end +
                              "</measure_timestamp_end><energy_measure>1</energy_measure>")},
                   "20");
  };
  accepted(period("2018-03-01T11:00:00Z", "2018-03-01T11:00:00Z"));
  accepted(period("2018-03-01T11:00:00Z", "2018-03-01T11:30:00+01:00"));
  rejected(period("2018-03-01T10:00:00", "2018-03-01T11:00:00Z"), ErrorCode::schema_invalid);
  // One elapsed hour over the change from summer time.
  accepted(period("2017-10-29T02:00:00+02:00", "2017-10-29T02:00:00+01:00"));
}

BOOST_AUTO_TEST_CASE(values_come_in_parts_and_in_their_order) {
  constexpr std::size_t kMessages = 2500;
  std::vector<Message> messages(kMessages);
  for (std::size_t i = 0; i < kMessages; ++i)
    messages[i].content = "<consumer_measure>" + std::to_string(i) + "</consumer_measure>";
  const std::string text = request(messages);
  const Batch batch = accepted(text);
  BOOST_REQUIRE(batch.observations.size() == kMessages);
  for (std::size_t i = 0; i < kMessages; ++i) {
    BOOST_REQUIRE(batch.observations[i].value == static_cast<double>(i));
    BOOST_REQUIRE(batch.observations[i].message_index == i + 1);
  }
  std::size_t parts = 0, largest = 0;
  MemorySource source(as_bytes(text));
  const auto content =
      validator->extract(source, "", at(test::kNow), [&](const Batch& part) -> Result<Ok> {
        ++parts;
        largest = std::max(largest, part.messages.size());
        return Ok{};
      });
  BOOST_REQUIRE(content);
  BOOST_TEST(content->message_count == kMessages);
  BOOST_TEST(content->first_source == "EIB-L1");
  BOOST_TEST(content->tenant == "30");
  BOOST_TEST(parts == 3U);
  BOOST_TEST(largest == 1000U);
}

BOOST_AUTO_TEST_CASE(an_error_of_the_taker_is_that_of_the_extraction) {
  for (const std::size_t bad_part : {std::size_t{1}, std::size_t{2}}) {
    const std::string text = request(std::vector<Message>(1500));
    MemorySource source(as_bytes(text));
    std::size_t parts = 0;
    const auto content =
        validator->extract(source, "", at(test::kNow), [&](const Batch&) -> Result<Ok> {
          if (++parts == bad_part) return fail(ErrorCode::archive_unavailable, "full");
          return Ok{};
        });
    BOOST_REQUIRE(!content);
    BOOST_TEST((content.error().code == ErrorCode::archive_unavailable));
  }
}

BOOST_AUTO_TEST_CASE(a_reading_concludes_its_own_envelope_only) {
  RawEnvelope raw;
  raw.octets = to_bytes(as_bytes(request({{}})));
  auto first = validator->read_along();
  auto second = validator->read_along();
  const test::TrustingVerifier verifier;
  const auto verified = verifier.verify(raw, at(test::kNow), first);
  BOOST_REQUIRE(verified);
  const auto refused = second.conclude(*verified);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::internal));
  BOOST_TEST(first.conclude(*verified).has_value());
}

// Whether a tree or a stream is read, and whether the values are taken now or later.
BOOST_AUTO_TEST_CASE(random_requests_come_to_the_same_by_every_way) {
  std::mt19937 random(6);
  const auto one_in = [&](std::size_t n) { return random() % n == 0; };
  std::size_t valid = 0;
  for (int i = 0; i < 600; ++i) {
    const bool of_barcelona = one_in(3);
    std::vector<Message> messages(1 + random() % 4);
    for (Message& message : messages) {
      if (of_barcelona)
        message = barcelona(std::string(kPeriod) + "<energy_measure>1</energy_measure>");
      if (one_in(8)) message.source = "EIB-L2";
      if (one_in(20)) message.version = "777";
      if (one_in(20)) message.timestamp = "2018-03-01T13:00:00Z";
      if (one_in(20)) message.timestamp = "2018-03-09T13:00:00Z";
      if (one_in(20)) message.content += "<x/>";
      if (one_in(20)) message.content += "<!-- c -->\n";
      if (one_in(20)) message.content = "";
      if (one_in(20)) message.content = "<consumer_measure>NaN</consumer_measure>";
      if (one_in(20)) message.position = "<messagePosition/>";
    }
    const char* const tenant = one_in(12) ? "10" : of_barcelona ? "20" : one_in(2) ? "30" : "31";
    std::string text = request(messages, tenant);
    while (one_in(4)) {
      const auto from = text.find('<', text.find("<message") + random() % 800);
      const auto to = from == std::string::npos ? from : text.find('>', from);
      if (to == std::string::npos) break;
      const std::string tag = text.substr(from, to + 1 - from);
      if (one_in(2)) text.insert(from, tag + "</" + tag.substr(1));
      if (one_in(3)) text.erase(from, tag.size());
    }
    if (!xml::Document::parse(as_bytes(text))) continue;
    const auto batch = validate(text);
    if (!batch) continue;
    ++valid;
    accepted(text);
  }
  BOOST_TEST_MESSAGE(valid << " of 600 were valid");
  BOOST_TEST(valid > 100U);
}

BOOST_AUTO_TEST_CASE(one_bad_message_rejects_the_whole_request) {
  Message bad;
  bad.source = "EIB-L9";
  const Error error = rejected(request({{}, {}, bad}, "31"), ErrorCode::header_rule);
  BOOST_TEST(error.violations.size() == 1U);
  BOOST_TEST(error.violations.front().message_index == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
