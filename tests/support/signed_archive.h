// A data folder with tenants 20 (Barcelona) and 10 (Kalundborg), filled by way of the real stages:
// signed requests are verified, validated, archived and quantified.
#pragma once

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "append_and_wait.h"
#include "archive/archive.h"
#include "audit/tree_verifier.h"
#include "base/limits.h"
#include "demo_certificates.h"
#include "model/stored_envelope.h"
#include "quantify/quantifier.h"
#include "receive/receive.h"
#include "temporary_folder.h"
#include "trust/changes.h"
#include "trust/trust.h"
#include "validate/validator.h"
#include "xml/document.h"
#include "xml/signed_envelope.h"

namespace district::test {

// Reads the tenantCode by xml/: the SOAP engine's own reader is tested in tests/soap.
class PlainOperationReader final : public validate::OperationReader {
 public:
  Result<validate::OperationHead> read(std::string_view body_child) const override {
    DISTRICT_TRY(const auto document, xml::Document::parse(as_bytes(body_child)));
    return validate::OperationHead{
        "AggregateMessage",
        document->root().child("http://urb-grade.eu", "tenantCode").trimmed_text()};
  }
};

// Starts an hour ahead, so that certificates made during the tests have begun.
class SteppedClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  void step(Duration by = std::chrono::seconds(1)) { now_ += by; }

 private:
  Instant now_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                 std::chrono::hours(1);
};

// One pair of keys for all tests of a program: making them takes the longest.
inline const DemoCertificates& pilots() {
  struct Pilots : DemoCertificates {
    Pilots() {
      make("barcelona");
      make("kalundborg");
    }
  };
  static const Pilots made;
  return made;
}

inline void must(const Result<Ok>& result) {
  if (!result) BOOST_FAIL(result.error().detail);
}
template <typename T>
T must(Result<T> result) {
  if (!result) BOOST_FAIL(result.error().detail);
  return *std::move(result);
}

inline std::string message(const std::string& source, const std::string& type,
                           const std::string& version, const std::string& at,
                           const std::string& content) {
  return "<message><head><timestamp>" + at + "</timestamp><messageType><type>" + type +
         "</type><version>" + version +
         "</version></messageType><messageSource><messageSourceElement>" + source +
         "</messageSourceElement></messageSource></head><content><gcontent>" + content +
         "</gcontent></content></message>";
}

// An hour's energy of the meter BCN-SCHOOL; `hour` of 1 March 2018, UTC.
inline std::string energy(int hour, const std::string& kwh) {
  const auto at = [](int h) {
    return "2018-03-01T" + std::string(h < 10 ? "0" : "") + std::to_string(h) + ":00:00Z";
  };
  return message("BCN-SCHOOL", "001", "0.0.1", at(hour + 1),
                 "<measure_timestamp_start>" + at(hour) +
                     "</measure_timestamp_start><measure_timestamp_end>" + at(hour + 1) +
                     "</measure_timestamp_end><energy_measure>" + kwh + "</energy_measure>");
}

inline std::string reading(const std::string& at, const std::string& value) {
  return message("SeasNve", "001", "002", at,
                 "<ID_Meter_consumption>W2</ID_Meter_consumption><Consumer_measure>" + value +
                     "</Consumer_measure>");
}

// What is left of a large envelope.
class OctetsOf final : public ByteSource {
 public:
  explicit OctetsOf(Bytes octets) : octets_(std::move(octets)) {}
  Result<ByteView> next() override {
    if (done_) return ByteView{};
    done_ = true;
    return ByteView(octets_);
  }

 private:
  Bytes octets_;
  bool done_ = false;
};

struct SignedArchive {
  TemporaryFolder folder;
  std::string path = folder.file("district.db");
  SteppedClock clock;
  PlainOperationReader operations;
  std::unique_ptr<archive::Archive> archive;
  std::unique_ptr<trust::Trust> trust;
  std::unique_ptr<validate::Validator> validator;

  SignedArchive() {
    xml::initialize();
    archive = must(archive::Archive::open({.location = location()}, clock));
    trust = must(trust::Trust::open(location(), store::OpenMode::existing));
    validator = must(validate::Validator::create(operations));
    add_pilot("20", "barcelona", "Europe/Madrid", {"001/0.0.1", "002/001"});
    add_pilot("10", "kalundborg", "Europe/Copenhagen", {"001/002", "002/001"});
  }

  std::unique_ptr<store::ArchiveDatabase> database(
      store::OpenMode mode = store::OpenMode::existing) const {
    return must(store::ArchiveDatabase::open(store::Location::of(path), mode));
  }
  std::unique_ptr<store::SeriesDatabase> series(
      store::OpenMode mode = store::OpenMode::existing) const {
    return must(store::SeriesDatabase::open(location(), mode));
  }
  void execute(const std::string& sql) const { must(database()->execute(sql.c_str())); }
  void execute_in_series(const std::string& sql) const { must(series()->execute(sql.c_str())); }
  store::Location location() const { return store::Location::of(path); }

  void add_pilot(const std::string& code, const std::string& name, const std::string& zone,
                 const std::vector<std::string>& types) {
    const auto open = database();
    must(trust::add_tenant(*open, {code, name, zone, types, {}, {}}, clock.now()));
    auto certificate = must(crypto::Certificate::from_pem_file(pilots().certificate_file(name)));
    const std::vector<trust::EnrolRequest> requests{{code, std::move(certificate), {}, {}, {}, {}}};
    must(trust::enrol(*open, requests, clock.now()));
  }

  // What the transport says of the requests that follow.
  struct Transport {
    std::string content_type = "text/xml; charset=utf-8", content_encoding,
                soap_action = "http://urb-grade.eu/AggregateMessage";
  } transport{};

  // Signed by the tenant's key, accepted and archived. A large one comes in two parts.
  Receipt send(const std::string& tenant, const std::vector<std::string>& messages) {
    clock.step();
    std::string body = "<urb:AggregateMessageRequest xmlns:urb=\"http://urb-grade.eu\"><messages>";
    for (const auto& text : messages) body += text;
    body +=
        "</messages><urb:tenantCode>" + tenant + "</urb:tenantCode></urb:AggregateMessageRequest>";
    const std::string name = tenant == "20" ? "barcelona" : "kalundborg";
    const auto certificate =
        must(crypto::Certificate::from_pem_file(pilots().certificate_file(name)));
    const auto key = must(crypto::PrivateKey::from_pem_file(pilots().key_file(name)));
    xml::EnvelopeToSign to_sign;
    to_sign.body_content = body;
    to_sign.created = clock.now();
    const auto text = must(xml::write_signed_envelope(to_sign, certificate, key));
    constexpr std::size_t kWhole = limits::kWholeOctetsMax;
    const auto all = as_bytes(text.envelope);
    auto raw = must(
        receive::make_raw_envelope({transport.content_type, "", "\"" + transport.soap_action + "\"",
                                    "192.0.2.1", to_bytes(all.first(std::min(kWhole, all.size())))},
                                   2 * kWhole));
    raw.content_encoding = transport.content_encoding;
    if (all.size() > kWhole) raw.rest = std::make_shared<OctetsOf>(to_bytes(all.subspan(kWhole)));
    auto evidence = archive->keep(std::move(raw));
    auto reading = validator->read_along();
    const audit::TreeVerifier verifier(must(trust->refresh()), verify::Window{});
    const auto verified = must(verifier.verify(evidence.raw(), clock.now(), reading));
    const auto content = must(reading.conclude(verified));
    return must(append_and_wait(*archive, std::move(evidence), verified, content).receipt);
  }

  void quantify() {
    must(must(quantify::Quantifier::open({.location = location()}, *validator, *trust, clock))
             ->run_until_idle());
  }
};

}  // namespace district::test
