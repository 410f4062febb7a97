// Requests of the tests, and envelopes that pass for verified ones without a signature.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "trust/trust.h"
#include "validate/validator.h"
#include "verify/verifier.h"
#include "xml/document.h"

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

// Vouches for an envelope that nobody has signed.
class TrustingVerifier final : public verify::Verifier {
 public:
  std::vector<std::string> enrolled{"30", "20", "10", "31"};

  Result<verify::VerifiedEnvelope> verify(const RawEnvelope& raw, Instant now) const override {
    DISTRICT_TRY(auto document, xml::Document::parse(raw.octets));
    Parts parts;
    for (const auto& tenant : enrolled) {
      Enrolment enrolment;
      enrolment.tenant = tenant;
      parts.sender.enrolments.push_back(std::move(enrolment));
    }
    parts.sender.subject = "CN=test";
    for (const auto child : document->root().children()) {
      if (child.name() == "Body") parts.body = child;
    }
    parts.document = std::move(document);
    parts.verified_at = now;
    return make(std::move(parts));
  }
};

inline trust::TrustSnapshot a_trust() {
  const Instant start = at("2010-01-01T00:00:00Z");
  store::TrustRecords records;
  records.tenants = {
      {"10", "Kalundborg", "Europe/Copenhagen", {"001/002", "002/001", "003/001"}, {}, start},
      {"20", "Barcelona", "Europe/Madrid", {"001/0.0.1", "003/001"}, {}, start},
      {"30", "Eibar", "Europe/Madrid", {"001/001", "003/001"}, {}, start},
      {"31", "Eibar, listed sources", "Europe/Madrid", {"001/001"}, {"EIB-L1", "EIB-L2"}, start},
  };
  return trust::TrustSnapshot(std::move(records));
}

inline verify::VerifiedEnvelope verified(const std::string& text,
                                         const TrustingVerifier& verifier = {}) {
  RawEnvelope raw;
  raw.octets = to_bytes(as_bytes(text));
  auto envelope = verifier.verify(raw, at(kNow));
  BOOST_REQUIRE_MESSAGE(envelope, (envelope ? "" : envelope.error().detail) << "\n" << text);
  return std::move(*envelope);
}

}  // namespace district::test
