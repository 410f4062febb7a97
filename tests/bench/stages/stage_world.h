// What the stages are measured with: everything that a server has, requests of any number of
// messages that are signed on the spot, and handlers that pass a document to one reader.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "../../support/demo_certificates.h"
#include "acknowledge/acknowledger.h"
#include "base/byte_source.h"
#include "model/envelope.h"
#include "soap/body_writer.h"
#include "soap/operation_reader.h"
#include "store/database.h"
#include "trust/changes.h"
#include "trust/trust.h"
#include "validate/validator.h"
#include "xml/document.h"
#include "xml/envelope_reader.h"
#include "xml/signed_envelope.h"

namespace district::bench {

template <typename T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "error: %s\n", result.error().detail.c_str());
  std::exit(1);
}

inline void must(const Result<Ok>& result) {
  if (!result) static_cast<void>(must(Result<int>(fail(result.error()))));
}

inline std::string two_digits(int number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

// An hour of a shop, as Barcelona sends it.
inline std::string message(int number) {
  const std::string day = "2018-03-" + two_digits(1 + number / 24 % 30);
  const std::string hour = day + "T" + two_digits(number % 24) + ":00:00+01:00";
  const std::string end = day + "T" + two_digits(number % 24) + ":59:59+01:00";
  return "<message>\n  <head>\n    <timestamp>" + end +
         "</timestamp>\n    <messageType><type>001</type><version>0.0.1</version></messageType>\n"
         "    <messageSource><messageSourceElement>BCN-SHOP-" +
         std::to_string(number % 7) +
         "</messageSourceElement></messageSource>\n  </head>\n  <content><gcontent>\n"
         "    <measure_timestamp_start>" +
         hour +
         "</measure_timestamp_start>\n"
         "    <measure_timestamp_end>" +
         end +
         "</measure_timestamp_end>\n"
         "    <energy_measure>" +
         std::to_string(0.37 * number) +
         "</energy_measure>\n"
         "    <energy_price>0.12</energy_price>\n  </gcontent></content>\n</message>\n";
}

// Everything that a server has, in a temporary folder, with one gateway for each kind of key.
struct World {
  test::DemoCertificates certificates;
  SystemClock clock;
  soap::OperationReader operations;
  soap::BodyWriter bodies;
  std::string database;
  std::unique_ptr<validate::Validator> validator;
  std::unique_ptr<trust::Trust> trust;
  std::unique_ptr<acknowledge::Acknowledger> acknowledger;

  World() {
    xml::initialize();
    database = certificates.key_file("district") + ".db";
    const auto store =
        must(store::ArchiveDatabase::open(store::Location::of(database), store::OpenMode::create));
    must(trust::add_tenant(*store, {"20", "Barcelona", "Europe/Madrid", {"001/0.0.1"}, {}, {}},
                           clock.now() - std::chrono::hours(1)));
    for (const char* name : {"rsa", "p256"}) {
      const bool rsa = std::string_view(name) == "rsa";
      std::vector<trust::EnrolRequest> requests(
          1, {"20",
              rsa ? certificates.make(name, "-days 30", "rsa:2048") : certificates.make(name),
              {},
              {},
              {},
              {}});
      must(trust::enrol(*store, requests, clock.now()));
    }
    trust = must(trust::Trust::open(store::Location::of(database), store::OpenMode::existing));
    validator = must(validate::Validator::create(operations));
    acknowledger = std::make_unique<acknowledge::Acknowledger>(
        acknowledge::SigningIdentities{identity("rsa"), identity("p256")}, bodies, clock);
  }

  acknowledge::SigningIdentity identity(const std::string& name) const {
    return {must(crypto::Certificate::from_pem_file(certificates.certificate_file(name))),
            must(crypto::PrivateKey::from_pem_file(certificates.key_file(name)))};
  }

  RawEnvelope request(std::int64_t messages, const std::string& key) const {
    std::string body =
        "<urb:AggregateMessageRequest xmlns:urb=\"http://urb-grade.eu\"><messages>\n";
    for (std::int64_t i = 0; i < messages; ++i) body += message(static_cast<int>(i));
    body += "</messages><urb:tenantCode>20</urb:tenantCode></urb:AggregateMessageRequest>";
    xml::EnvelopeToSign to_sign;
    to_sign.body_content = body;
    to_sign.created = clock.now();
    const auto signer = identity(key);
    const auto text = must(xml::write_signed_envelope(to_sign, signer.certificate, signer.key));
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(text.envelope));
    raw.content_type = "text/xml; charset=utf-8";
    return raw;
  }
};

inline World& world() {
  static World made;
  return made;
}

// Tells nobody: what the parser and its guards cost.
class Nobody : public xml::EnvelopeHandler {
 public:
  Result<Ok> body_follows(std::shared_ptr<const xml::Document>) override { return Ok{}; }
  void start_element(const xml::StartTag&) override {}
  void text(std::string_view) override {}
  void end_element() override {}
};

// Tells one reader.
class One final : public Nobody {
 public:
  explicit One(xml::ElementHandler& handler) : handler_(handler) {}
  void start_element(const xml::StartTag& tag) override { handler_.start_element(tag); }
  void text(std::string_view text) override { handler_.text(text); }
  void end_element() override { handler_.end_element(); }

 private:
  xml::ElementHandler& handler_;
};

inline void read_through(const RawEnvelope& raw, xml::EnvelopeHandler& handler) {
  MemorySource source(raw.octets);
  must(xml::read_envelope(source, "", handler));
}

}  // namespace district::bench
