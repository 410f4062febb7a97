// Requests of the tests, and envelopes that pass for verified ones without a signature.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "trust/trust.h"
#include "validate/validator.h"
#include "verify/verifier.h"
#include "xml/document.h"
#include "xml/envelope_reader.h"

namespace district::test {

inline Instant at(const std::string& text) {
  const auto instant = parse_date_time(text);
  BOOST_REQUIRE_MESSAGE(instant, "not an instant: " + text);
  return *instant;
}

// The time of receipt in all tests.
inline const char* const kNow = "2018-03-01T12:00:00Z";

struct Message {
  std::string type = "001", version = "001", source = "EIB-L1";
  std::string timestamp = "2018-03-01T11:00:00Z";
  std::string content = "<consumer_measure>11760.4</consumer_measure>";
  std::string position;

  std::string text() const {
    return "<message><head><timestamp>" + timestamp + "</timestamp><messageType><type>" + type +
           "</type><version>" + version +
           "</version></messageType><messageSource><messageSourceElement>" + source +
           "</messageSourceElement>" + position + "</messageSource></head>\n<content><gcontent>" +
           content + "</gcontent></content></message>\n";
  }
};

inline std::string envelope(const std::string& body) {
  return "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
         "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
         "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n<s:Body>" +
         body + "</s:Body></s:Envelope>";
}

inline std::string request(const std::vector<Message>& messages, const std::string& tenant = "30") {
  std::string text = "<urb:AggregateMessageRequest xmlns:urb=\"http://urb-grade.eu\"><messages>\n";
  for (const Message& message : messages) text += message.text();
  return envelope(text + "</messages><urb:tenantCode>" + tenant +
                  "</urb:tenantCode></urb:AggregateMessageRequest>");
}

inline verify::TrustPtr a_trust() {
  const Instant start = at("2010-01-01T00:00:00Z");
  store::TrustRecords records;
  records.tenants = {
      {"10", "Kalundborg", "Europe/Copenhagen", {"001/002", "002/001", "003/001"}, {}, start},
      {"20", "Barcelona", "Europe/Madrid", {"001/0.0.1", "003/001"}, {}, start},
      {"30", "Eibar", "Europe/Madrid", {"001/001", "003/001"}, {}, start},
      {"31", "Eibar, listed sources", "Europe/Madrid", {"001/001"}, {"EIB-L1", "EIB-L2"}, start},
  };
  return std::make_shared<const trust::TrustSnapshot>(std::move(records));
}

// Takes all values into one batch.
inline validate::BatchTaker gather(Batch& batch) {
  return [&batch](const Batch& part) -> Result<Ok> {
    batch.append(part);
    return Ok{};
  };
}

// All that is in a batch, as text.
inline std::string written(const Batch& batch) {
  std::ostringstream out;
  out << "tenant " << batch.tenant;
  for (const auto& head : batch.messages) {
    out << "\n"
        << to_micros(head.timestamp) << " " << head.type << "/" << head.version << " "
        << head.source << " flags " << head.flags;
  }
  for (const auto& value : batch.observations) {
    out << "\n"
        << value.message_index << ": " << value.source << "/" << value.meter << " "
        << value.quantity << " " << value.unit << " " << static_cast<int>(value.kind) << " "
        << to_micros(value.start) << " " << to_micros(value.end) << " " << value.value << " flags "
        << value.flags;
  }
  for (const auto& fact : batch.master_facts) {
    out << "\n"
        << fact.message_index << ": " << fact.source << "/" << fact.meter << " " << fact.attribute
        << " " << fact.value << " " << to_micros(fact.valid_from) << " "
        << (fact.valid_to ? to_micros(*fact.valid_to) : 0);
  }
  return out.str();
}

// Vouches for an envelope that nobody has signed.
class TrustingVerifier final : public verify::Verifier {
 public:
  enum class By : std::uint8_t { tree, stream };
  By by = By::stream;
  std::vector<std::string> enrolled{"30", "20", "10", "31"};

  Result<verify::VerifiedEnvelope> verify(const RawEnvelope& raw, Instant now,
                                          verify::BodyReader& reader) const override {
    Parts parts;
    for (const auto& tenant : enrolled) {
      Enrolment enrolment;
      enrolment.tenant = tenant;
      parts.sender.enrolments.push_back(std::move(enrolment));
    }
    parts.sender.subject = "CN=test";
    parts.trust = a_trust();
    parts.verified_at = now;
    parts.reader = &reader;
    reader.begin(parts.sender, parts.trust, now);
    DISTRICT_CHECK(by == By::tree ? walk_tree(raw, reader) : read_stream(raw, reader));
    return make(std::move(parts));
  }

 private:
  struct Body final : xml::EnvelopeHandler {
    explicit Body(verify::BodyReader& to) : reader(to) {}
    Result<Ok> body_follows(std::shared_ptr<const xml::Document>) override { return Ok{}; }
    void start_element(const xml::StartTag& tag) override { reader.start_element(tag); }
    void text(std::string_view text) override { reader.text(text); }
    void end_element() override { reader.end_element(); }
    verify::BodyReader& reader;
  };

  static Result<Ok> walk_tree(const RawEnvelope& raw, verify::BodyReader& reader) {
    DISTRICT_TRY(const auto document, xml::Document::parse(raw.octets));
    xml::walk(document->root().children().back(), reader);
    return Ok{};
  }
  static Result<Ok> read_stream(const RawEnvelope& raw, verify::BodyReader& reader) {
    MemorySource source(raw.octets);
    Body body(reader);
    return xml::read_envelope(source, raw.charset, body);
  }
};

}  // namespace district::test
