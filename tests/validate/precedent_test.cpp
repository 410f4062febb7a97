// A message is judged the same whether or not one like it was accepted before.
#include "validate/precedent.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "requests.h"

namespace {

using namespace district;
using test::Message;

// Reads the tenantCode by xml/: the SOAP engine's own reader is tested in tests/soap.
class PlainReader final : public validate::OperationReader {
 public:
  Result<validate::OperationHead> read(std::string_view body_child) const override {
    DISTRICT_TRY(const auto document, xml::Document::parse(as_bytes(body_child)));
    return validate::OperationHead{
        "AggregateMessage",
        document->root().child("http://urb-grade.eu", "tenantCode").trimmed_text()};
  }
};

struct Verdict {
  bool readable = false;
  bool accepted = false;
  std::string reason;  // of the first violation of the message in question
  std::string path;
  std::string values;  // of the message in question, if accepted

  bool operator==(const Verdict&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  return out << verdict.accepted << " " << verdict.path << " " << verdict.reason << "\n"
             << verdict.values;
}

struct Fixture {
  Fixture() {
    xml::initialize();
    validator = *validate::Validator::create(reader);
  }

  // Of the message at that index among messages that are good.
  Verdict judge(const std::vector<std::string>& messages, std::uint32_t index,
                const std::string& tenant) const {
    std::string text = "<urb:AggregateMessageRequest xmlns:urb=\"http://urb-grade.eu\"><messages>";
    for (const auto& message : messages) text += message;
    text +=
        "</messages><urb:tenantCode>" + tenant + "</urb:tenantCode></urb:AggregateMessageRequest>";
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(test::envelope(text)));
    Batch batch;
    auto reading = validator->read_along(test::gather(batch));
    const auto verified = test::TrustingVerifier().verify(raw, test::at(test::kNow), reading);
    Verdict verdict;
    verdict.readable = verified.has_value();
    if (!verified) return verdict;
    const auto content = reading.conclude(*verified);
    verdict.accepted = content.has_value();
    if (!content) {
      const auto& violations = content.error().violations;
      if (violations.empty()) return verdict;
      verdict.reason = violations.front().reason;
      verdict.path = violations.front().path;
      const auto number = "[" + std::to_string(index) + "]";
      if (const auto at = verdict.path.find(number); at != std::string::npos)
        verdict.path.erase(at, number.size());
      return verdict;
    }
    Batch own;
    for (auto value : batch.observations) {
      if (value.message_index != index) continue;
      value.message_index = 0;
      own.observations.push_back(value);
    }
    own.messages.push_back(batch.messages[index - 1]);
    verdict.values = test::written(own);
    return verdict;
  }

  PlainReader reader;
  std::unique_ptr<validate::Validator> validator;
};

std::string barcelona(int hour) {
  const std::string at =
      "2018-02-0" + std::to_string(1 + hour % 9) + "T1" + std::to_string(hour % 9) + ":00:00";
  Message message;
  message.version = "0.0.1";
  message.source = "BCN-" + std::to_string(hour % 3);
  message.timestamp = at + ".5Z";
  message.content = "<measure_timestamp_start>" + at + "+01:00</measure_timestamp_start>" +
                    "<measure_timestamp_end>" + at + "-01:00</measure_timestamp_end>" +
                    "<energy_measure>" + std::to_string(hour) + ".25</energy_measure>" +
                    "<energy_price>-0.1</energy_price>";
  return message.text();
}

// A message with something in it changed: characters, elements, attributes, comments.
std::string changed(std::string text, std::mt19937& random) {
  static const char* const kInserts[] = {"0",
                                         "9",
                                         "-",
                                         "+",
                                         ".",
                                         "e3",
                                         " ",
                                         "\n",
                                         "T",
                                         "Z",
                                         "x",
                                         "24",
                                         "13",
                                         "60",
                                         "NaN",
                                         "<!---->",
                                         "<x/>",
                                         "&#48;",
                                         "<![CDATA[1]]>",
                                         "1E5",
                                         "E-4",
                                         "e-05",
                                         "E16",
                                         ":",
                                         "99999999999999999",
                                         "<energy_measure>1</energy_measure>",
                                         "<temperature_in>4</temperature_in>"};
  static const char* const kAttributes[] = {" a='1'", " xmlns='urn:x'", " xmlns:p='urn:x'",
                                            " xsi:nil='true'", " xsi:type='xs:string'"};
  const auto any = [&](std::size_t below) { return random() % below; };
  for (std::size_t change = 0, count = 1 + any(2); change < count; ++change) {
    const std::size_t at = any(text.size());
    switch (any(5)) {
      case 0:
        text.insert(at, kInserts[any(std::size(kInserts))]);
        break;
      case 1:
        text.erase(at, 1 + any(3));
        break;
      case 2:
        text[at] = static_cast<char>('0' + any(10));
        break;
      case 3: {
        const auto tag = text.find('>', at);
        if (tag != std::string::npos && text[tag - 1] != '/')
          text.insert(tag, kAttributes[any(std::size(kAttributes))]);
        break;
      }
      default: {
        // Inside of a text rather than of a tag.
        const auto end = text.find("</", at);
        if (end != std::string::npos) text.insert(end, kInserts[any(std::size(kInserts))]);
      }
    }
  }
  return text;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(precedent, Fixture)

BOOST_AUTO_TEST_CASE(a_message_is_judged_the_same_with_and_without_a_precedent) {
  std::mt19937 random(20260115);
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto message = changed(barcelona(i), random);
    const auto first = judge({message, barcelona(0)}, 1, "20");
    // Not their words: libxml2 expects other elements behind a message than before the first.
    const auto later = judge({barcelona(1), barcelona(2), message}, 3, "20");
    BOOST_TEST(first.readable == later.readable, message);
    BOOST_TEST(first.accepted == later.accepted, message);
    BOOST_TEST(first.path == later.path, message);
    BOOST_TEST(first.values == later.values, message);
    if (first.readable) ++(first.accepted ? accepted : refused);
  }
  // The changes must be such that both happen.
  BOOST_TEST(accepted > 100);
  BOOST_TEST(refused > 300);
}

BOOST_AUTO_TEST_CASE(a_number_is_judged_the_same_with_and_without_a_precedent) {
  std::mt19937 random(20261130);
  const auto one_of = [&](const std::vector<std::string>& texts) {
    return texts[random() % texts.size()];
  };
  const auto digits = [&](std::size_t most) {
    std::string text;
    for (std::size_t i = random() % (most + 1); i > 0; --i)
      text += static_cast<char>('0' + random() % 10);
    return text;
  };
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto number = one_of({"", "-", "+", "--"}) + digits(17) + one_of({".", "", ","}) +
                        digits(20) + one_of({"", "e", "E", "e-", "E-", "E+", "x"}) +
                        one_of({digits(1), digits(2), digits(4), ""}) +
                        one_of({"", "", "", " ", "."});
    auto text = barcelona(i);
    const auto from = text.find("<energy_measure>") + 16;
    text.replace(from, text.find('<', from) - from, number);
    const auto first = judge({text, barcelona(0)}, 1, "20");
    const auto later = judge({barcelona(1), barcelona(2), text}, 3, "20");
    BOOST_TEST(first.accepted == later.accepted, number);
    BOOST_TEST(first.values == later.values, number);
    ++(first.accepted ? accepted : refused);
  }
  BOOST_TEST(accepted > 300);
  BOOST_TEST(refused > 300);
}

BOOST_AUTO_TEST_CASE(each_message_of_many_keeps_its_own_values) {
  std::vector<std::string> messages;
  for (int i = 0; i < 40; ++i) messages.push_back(barcelona(i));
  for (std::uint32_t i = 1; i <= 40; ++i) {
    const auto among_others = judge(messages, i, "20");
    BOOST_TEST(among_others.accepted);
    BOOST_TEST(among_others.values == judge({messages[i - 1]}, 1, "20").values);
  }
}

BOOST_AUTO_TEST_CASE(rules_of_the_header_hold_behind_a_precedent) {
  Message listed;
  Message unlisted;
  unlisted.source = "EIB-L9";
  Message ahead;
  ahead.timestamp = "2018-03-03T11:00:00Z";
  for (const Message& bad : {unlisted, ahead}) {
    const auto verdict = judge({listed.text(), listed.text(), bad.text()}, 3, "31");
    BOOST_TEST(!verdict.accepted);
    BOOST_TEST(verdict == judge({bad.text(), listed.text()}, 1, "31"));
  }
}

BOOST_AUTO_TEST_CASE(a_message_too_large_to_keep_is_judged_by_the_schemas) {
  const std::string blanks(20'000, ' ');
  Message good;
  Message bad;
  good.content = blanks + good.content;
  bad.content = blanks + "<consumer_measure>much</consumer_measure>";
  BOOST_TEST(judge({Message().text(), good.text()}, 2, "30").accepted);
  BOOST_TEST(!judge({Message().text(), bad.text()}, 2, "30").accepted);
}

BOOST_AUTO_TEST_SUITE_END()
