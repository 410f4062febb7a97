#include "pipeline/pipeline.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>

#include "../support/demo_certificates.h"
#include "../support/temporary_folder.h"
#include "receive/receive.h"
#include "store/archive_store.h"
#include "store/database.h"
#include "store/work_queue.h"
#include "verify/stream_verifier.h"
#include "xml/document.h"
#include "xml/signed_envelope.h"

using namespace district;
using namespace std::chrono_literals;

namespace {

void must(const Result<Ok>& result) {
  if (!result) BOOST_FAIL(result.error().detail);
}
template <typename T>
T must(Result<T> result) {
  if (!result) BOOST_FAIL(result.error().detail);
  return *std::move(result);
}

// In place of soap/: the pipeline does not look into Bodies.
struct Operations final : validate::OperationReader {
  Result<validate::OperationHead> read(std::string_view) const override {
    return validate::OperationHead{"AggregateMessage", "20"};
  }
};
struct Bodies final : acknowledge::BodyWriter {
  Result<std::string> receipt(const Receipt& receipt) const override {
    return "<receipt>" + receipt.receipt_id + "</receipt>";
  }
  Result<std::string> fault(SoapVersion, const Error& error, std::string_view,
                            bool with_detail) const override {
    return "<fault detail=\"" + std::string(with_detail ? "yes" : "no") + "\">" +
           std::to_string(static_cast<int>(error.code)) + "</fault>";
  }
};

// Its rests are done when the test says so, on the test's thread.
class Asker final : public pipeline::Requester {
 public:
  void go_on(std::function<void()> rest) override {
    const std::lock_guard lock(mutex_);
    rests_.push_back(std::move(rest));
    changed_.notify_one();
  }
  void answer(pipeline::Answer answer) override { answer_ = std::move(answer); }

  bool answered() const { return answer_.has_value(); }
  pipeline::Answer wait() {
    while (!answer_) {
      std::unique_lock lock(mutex_);
      BOOST_REQUIRE(changed_.wait_for(lock, 10s, [this] { return !rests_.empty(); }));
      const auto rest = std::move(rests_.front());
      rests_.pop_front();
      lock.unlock();
      ++rests_done;
      rest();
    }
    return *answer_;
  }
  int rests_done = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> rests_;
  std::optional<pipeline::Answer> answer_;
};

struct Service {
  test::DemoCertificates certificates;
  test::TemporaryFolder folder;
  std::string path = folder.file("district.db");
  FixedClock clock{std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + 1h};
  Operations operations;
  Bodies bodies;
  crypto::Certificate certificate;
  std::unique_ptr<archive::Archive> archive;
  std::unique_ptr<trust::Trust> trust;
  std::unique_ptr<validate::Validator> validator;
  std::unique_ptr<verify::StreamVerifier> verifier;
  std::unique_ptr<acknowledge::Acknowledger> acknowledger;
  std::unique_ptr<pipeline::Pipeline> pipeline;

  Service() {
    xml::initialize();
    certificate = certificates.make("barcelona");
    archive = must(archive::Archive::open({.location = store::Location::of(path)}, clock));
    const auto open = database();
    const Instant before = clock.now() - 10min;
    must(trust::add_tenant(*open, {"20", "b", "Europe/Madrid", {"001/0.0.1"}, {}, {}}, before));
    const trust::EnrolRequest request{"20", certificate, {}, {}, {}, {}};
    must(trust::enrol(*open, std::span(&request, 1), before));
    trust = must(trust::Trust::open(store::Location::of(path), store::OpenMode::existing));
    validator = must(validate::Validator::create(operations));
    verifier = std::make_unique<verify::StreamVerifier>(*trust, verify::Window{});
    const acknowledge::SigningIdentity identity{certificate, key()};
    acknowledger = std::make_unique<acknowledge::Acknowledger>(
        acknowledge::SigningIdentities{identity, identity}, bodies, clock);
    pipeline =
        std::make_unique<pipeline::Pipeline>(*verifier, *validator, *archive, *acknowledger, clock);
  }

  crypto::PrivateKey key() const {
    return must(crypto::PrivateKey::from_pem_file(certificates.key_file("barcelona")));
  }
  std::unique_ptr<store::ArchiveDatabase> database() const {
    return must(store::ArchiveDatabase::open(store::Location::of(path), store::OpenMode::existing));
  }
  std::uint64_t stored() const {
    const auto open = database();
    return must(store::WorkQueue(*open, {}).waiting());
  }

  RawEnvelope envelope() const {
    xml::EnvelopeToSign to_sign;
    const std::string body =
        "<urb:AggregateMessageRequest xmlns:urb=\"http://urb-grade.eu\"><messages><message><head>"
        "<timestamp>2018-03-01T01:00:00Z</timestamp><messageType><type>001</type>"
        "<version>0.0.1</version></messageType><messageSource><messageSourceElement>S"
        "</messageSourceElement></messageSource></head><content><gcontent>"
        "<measure_timestamp_start>2018-03-01T00:00:00Z</measure_timestamp_start>"
        "<measure_timestamp_end>2018-03-01T01:00:00Z</measure_timestamp_end>"
        "<energy_measure>1.5</energy_measure></gcontent></content></message></messages>"
        "<urb:tenantCode>20</urb:tenantCode></urb:AggregateMessageRequest>";
    to_sign.body_content = body;
    to_sign.created = clock.now();
    const auto text = must(xml::write_signed_envelope(to_sign, certificate, key()));
    return must(receive::make_raw_envelope(
        {"text/xml; charset=utf-8", "", "\"http://urb-grade.eu/AggregateMessage\"", "192.0.2.1",
         to_bytes(as_bytes(text.envelope))},
        1'000'000));
  }
};

bool says(const pipeline::Answer& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pipeline_stages)

BOOST_AUTO_TEST_CASE(nothing_is_acknowledged_and_nobody_waits_before_the_disk_has_it) {
  const Service service;
  const auto asker = std::make_shared<Asker>();
  {
    const auto other = service.database();
    const auto held = must(store::LogTransaction::begin(*other));
    service.pipeline->handle(service.envelope(), asker);  // returns, though nobody can commit
    BOOST_TEST(!asker->answered());
  }
  const auto answer = asker->wait();
  BOOST_TEST(answer.http_status == 200U);
  BOOST_TEST(answer.tenant == "20");
  BOOST_TEST(says(answer, "<receipt>"));
  BOOST_TEST(asker->rests_done == 1);
  BOOST_TEST(service.stored() == 1U);
}

BOOST_AUTO_TEST_CASE(trust_that_changes_on_the_way_to_the_disk_sends_it_through_verify_again) {
  const Service service;
  const auto asker = std::make_shared<Asker>();
  {
    const auto other = service.database();
    auto held = must(store::LogTransaction::begin(*other));
    service.pipeline->handle(service.envelope(), asker);
    must(other->execute("UPDATE trust_epoch SET epoch = epoch + 1"));
    must(held.commit());
  }
  BOOST_TEST(asker->wait().http_status == 200U);
  BOOST_TEST(asker->rests_done == 2);
  BOOST_TEST(service.stored() == 1U);
}

BOOST_AUTO_TEST_CASE(a_sender_revoked_on_the_way_to_the_disk_gets_no_receipt) {
  const Service service;
  const auto asker = std::make_shared<Asker>();
  {
    const auto other = service.database();
    auto held = must(store::LogTransaction::begin(*other));
    service.pipeline->handle(service.envelope(), asker);
    must(other->execute("UPDATE trust_epoch SET epoch = epoch + 1"));
    must(other->execute("UPDATE enrolment SET revoked_at = valid_from + 1"));
    must(held.commit());
  }
  const auto answer = asker->wait();
  BOOST_TEST(answer.http_status == 500U);
  BOOST_TEST(says(answer, "<fault detail=\"no\">"));
  BOOST_TEST(answer.tenant == "");
  BOOST_TEST(service.stored() == 0U);
}

BOOST_AUTO_TEST_CASE(a_replay_gets_a_signed_fault_and_broken_octets_a_plain_one_at_once) {
  const Service service;
  const auto first = std::make_shared<Asker>();
  const auto envelope = service.envelope();
  service.pipeline->handle(envelope, first);
  BOOST_TEST(first->wait().http_status == 200U);
  const auto second = std::make_shared<Asker>();
  service.pipeline->handle(envelope, second);
  const auto replay = second->wait();
  BOOST_TEST(says(replay, "<fault detail=\"yes\">"));
  BOOST_TEST(replay.tenant == "20");
  const auto third = std::make_shared<Asker>();
  auto broken = envelope;
  broken.octets.resize(broken.octets.size() / 2);
  service.pipeline->handle(broken, third);
  BOOST_REQUIRE(third->answered());
  BOOST_TEST(third->rests_done == 0);
  BOOST_TEST(says(third->wait(), "<fault detail=\"no\">"));
  BOOST_TEST(service.stored() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
