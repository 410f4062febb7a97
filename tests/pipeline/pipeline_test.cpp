#include "pipeline/pipeline.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "../support/demo_certificates.h"
#include "../support/temporary_folder.h"
#include "model/stored_envelope.h"
#include "receive/receive.h"
#include "store/database.h"
#include "store/rejection_store.h"
#include "store/transaction.h"
#include "store/work_queue.h"
#include "trust/changes.h"
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

constexpr std::size_t kBodyOctetsMax = 100'000;

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

// Waits for one answer. What is left to do for it is done when the test says so, on the test's
// thread.
class Asker {
 public:
  // For the pipeline, which owns it.
  std::unique_ptr<pipeline::Requester> requester() { return std::make_unique<Requester>(*this); }

  bool answered() const { return response_.has_value(); }
  HttpResponse wait() {
    while (!response_) {
      std::unique_lock lock(mutex_);
      BOOST_REQUIRE(changed_.wait_for(lock, 10s, [this] { return !rests_.empty(); }));
      auto rest = std::move(rests_.front());
      rests_.pop_front();
      lock.unlock();
      ++rests_done;
      rest();
    }
    return *response_;
  }
  int rests_done = 0;
  int requesters_gone = 0;

 private:
  class Requester final : public pipeline::Requester {
   public:
    explicit Requester(Asker& asker) : asker_(asker) {}
    ~Requester() override { ++asker_.requesters_gone; }
    void run_on_worker(UniqueFunction<void()> rest) override {
      const std::lock_guard lock(asker_.mutex_);
      asker_.rests_.push_back(std::move(rest));
      asker_.changed_.notify_one();
    }
    void answer(HttpResponse response) override { asker_.response_ = std::move(response); }

   private:
    Asker& asker_;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<UniqueFunction<void()>> rests_;
  std::optional<HttpResponse> response_;
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
    pipeline = std::make_unique<pipeline::Pipeline>(*verifier, *trust, *validator, *archive,
                                                    *acknowledger, clock, kBodyOctetsMax);
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

  receive::HttpRequest request() const {
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
    return {"text/xml; charset=utf-8", "", "\"http://urb-grade.eu/AggregateMessage\"", "192.0.2.1",
            to_bytes(as_bytes(text.envelope))};
  }
};

// The sender is revoked while its envelope waits for the disk.
HttpResponse answer_to_revoked(const Service& service, Asker& asker) {
  {
    const auto other = service.database();
    auto held = must(store::LogTransaction::begin(*other));
    service.pipeline->handle(service.request(), asker.requester());
    must(other->execute("UPDATE trust_epoch SET epoch = epoch + 1"));
    must(other->execute("UPDATE enrolment SET revoked_at = valid_from + 1"));
    must(held.commit());
  }
  return asker.wait();
}

bool says(const HttpResponse& answer, std::string_view text) {
  return answer.body.find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pipeline_stages)

BOOST_AUTO_TEST_CASE(nothing_is_acknowledged_and_nobody_waits_before_the_disk_has_it) {
  const Service service;
  Asker asker;
  {
    const auto other = service.database();
    const auto held = must(store::LogTransaction::begin(*other));
    service.pipeline->handle(service.request(),
                             asker.requester());  // returns, though nobody can commit
    BOOST_TEST(!asker.answered());
  }
  const auto answer = asker.wait();
  BOOST_TEST(answer.http_status == 200U);
  BOOST_TEST(answer.tenant == "20");
  BOOST_TEST(says(answer, "<receipt>"));
  BOOST_TEST(asker.rests_done == 1);
  BOOST_TEST(asker.requesters_gone == 1);
  BOOST_TEST(service.stored() == 1U);
}

BOOST_AUTO_TEST_CASE(trust_that_changes_on_the_way_to_the_disk_sends_it_through_verify_again) {
  const Service service;
  Asker asker;
  {
    const auto other = service.database();
    auto held = must(store::LogTransaction::begin(*other));
    service.pipeline->handle(service.request(), asker.requester());
    must(other->execute("UPDATE trust_epoch SET epoch = epoch + 1"));
    must(held.commit());
  }
  BOOST_TEST(asker.wait().http_status == 200U);
  BOOST_TEST(asker.rests_done == 2);
  BOOST_TEST(service.stored() == 1U);
}

BOOST_AUTO_TEST_CASE(a_sender_revoked_on_the_way_to_the_disk_gets_no_receipt) {
  const Service service;
  Asker asker;
  const auto answer = answer_to_revoked(service, asker);
  BOOST_TEST(answer.http_status == 500U);
  BOOST_TEST(says(answer, "<fault detail=\"no\">"));
  BOOST_TEST(answer.tenant == "");
  BOOST_TEST(service.stored() == 0U);
}

// The append fails before it can compare the trust.
BOOST_AUTO_TEST_CASE(a_sender_revoked_meanwhile_gets_no_signed_answer_when_the_archive_fails) {
  const Service service;
  Asker trusted, revoked;
  const auto other = service.database();
  must(other->execute("ALTER TABLE replay_horizon RENAME TO put_away"));
  service.pipeline->handle(service.request(), trusted.requester());
  BOOST_TEST(says(trusted.wait(), "<fault detail=\"yes\">"));
  const auto answer = answer_to_revoked(service, revoked);
  BOOST_TEST(says(answer, "<fault detail=\"no\">"));
  BOOST_TEST(answer.tenant == "");
  must(other->execute("ALTER TABLE put_away RENAME TO replay_horizon"));
}

BOOST_AUTO_TEST_CASE(what_may_be_a_forgotten_replay_is_judged_once_more_and_then_told_to_wait) {
  const Service service;
  Asker asker;
  must(service.database()->execute(
      "UPDATE replay_horizon SET pruned_until = 4102444800000000"));  // 2100
  service.pipeline->handle(service.request(), asker.requester());
  BOOST_TEST(asker.wait().http_status == 503U);
  BOOST_TEST(asker.rests_done == 2);
  BOOST_TEST(service.stored() == 0U);
}

// Nobody tells the server of a change: its memory is behind until it looks.
BOOST_AUTO_TEST_CASE(a_change_of_the_tenants_settings_acts_on_the_next_request) {
  const Service service;
  const auto set_types = [&](std::vector<std::string> types) {
    must(trust::add_tenant(*service.database(),
                           {"20", "b", "Europe/Madrid", std::move(types), {}, {}},
                           service.clock.now() - 5min));
  };
  Asker forbidden, allowed;
  set_types({"002/001"});
  service.pipeline->handle(service.request(), forbidden.requester());
  BOOST_TEST(says(forbidden.wait(), "<fault detail=\"yes\">3002<"));
  BOOST_TEST(forbidden.rests_done == 1);  // the append found out
  BOOST_TEST(service.stored() == 0U);

  set_types({"001/0.0.1"});
  service.pipeline->handle(service.request(), allowed.requester());
  BOOST_TEST(says(allowed.wait(), "<receipt>"));
  BOOST_TEST(service.stored() == 1U);
}

BOOST_AUTO_TEST_CASE(a_revocation_and_an_enrolment_act_on_the_next_request) {
  const Service service;
  const auto fingerprint = to_hex(service.certificate.sha256());
  Asker revoked, revoked_again, enrolled;
  must(trust::revoke(*service.database(), fingerprint, {}, "lost", service.clock.now() - 5min));
  service.pipeline->handle(service.request(), revoked.requester());
  BOOST_TEST(says(revoked.wait(), "<fault detail=\"no\">"));
  service.pipeline->handle(service.request(), revoked_again.requester());
  BOOST_TEST(says(revoked_again.wait(), "<fault detail=\"no\">"));
  BOOST_TEST(revoked_again.rests_done == 0);  // memory knows it by now
  BOOST_TEST(service.stored() == 0U);

  const trust::EnrolRequest request{"20", service.certificate, {}, {}, {}, {}};
  must(trust::enrol(*service.database(), std::span(&request, 1), service.clock.now() - 4min));
  service.pipeline->handle(service.request(), enrolled.requester());
  BOOST_TEST(says(enrolled.wait(), "<receipt>"));
}

BOOST_AUTO_TEST_CASE(a_replay_gets_a_signed_fault_and_broken_octets_a_plain_one_at_once) {
  const Service service;
  Asker first, second, third;
  const auto request = service.request();
  service.pipeline->handle(request, first.requester());
  BOOST_TEST(first.wait().http_status == 200U);
  service.pipeline->handle(request, second.requester());
  const auto replay = second.wait();
  BOOST_TEST(says(replay, "<fault detail=\"yes\">"));
  BOOST_TEST(replay.tenant == "20");
  auto broken = request;
  broken.body.resize(broken.body.size() / 2);
  service.pipeline->handle(broken, third.requester());
  BOOST_REQUIRE(third.answered());
  BOOST_TEST(third.rests_done == 0);
  BOOST_TEST(says(third.wait(), "<fault detail=\"no\">"));
  BOOST_TEST(service.stored() == 1U);
}

BOOST_AUTO_TEST_CASE(what_stage_1_refuses_is_answered_at_once_in_the_version_of_its_media_type) {
  const Service service;
  const auto answer_to = [&](auto change) {
    auto request = service.request();
    change(request);
    Asker asker;
    service.pipeline->handle(std::move(request), asker.requester());
    BOOST_REQUIRE(asker.answered());
    BOOST_TEST(asker.rests_done == 0);
    return asker.wait();
  };
  const auto json = answer_to([](auto& request) { request.content_type = "application/json"; });
  BOOST_TEST(json.http_status == 415U);
  BOOST_TEST(json.content_type == "text/xml; charset=utf-8");
  const auto action = answer_to([](auto& request) {
    request.content_type = "application/soap+xml";
    request.soap_action = "\"another\"";
  });
  BOOST_TEST(action.content_type == "application/soap+xml; charset=utf-8");
  BOOST_TEST(says(action, ">1004<"));
  const auto gzip = answer_to([](auto& request) { request.content_encoding = "gzip"; });
  BOOST_TEST(says(gzip, "<fault detail=\"no\">1001<"));
  const auto large = answer_to([](auto& request) { request.body.resize(kBodyOctetsMax + 1); });
  BOOST_TEST(large.http_status == 413U);
  BOOST_TEST(service.stored() == 0U);
}

// What was refused is on record with the request's fields, though its octets are gone.
BOOST_AUTO_TEST_CASE(what_stage_1_refuses_is_kept_as_a_rejection) {
  const Service service;
  const auto file = service.folder.file("rejections.db");
  std::string id;
  std::uint64_t size = 0;
  {
    const auto kept = must(acknowledge::Rejections::open(file, {}));
    pipeline::Pipeline pipeline(*service.verifier, *service.trust, *service.validator,
                                *service.archive, *service.acknowledger, service.clock,
                                kBodyOctetsMax, kept.get());
    auto request = service.request();
    request.content_encoding = "br";
    size = request.body.size();
    Asker asker;
    pipeline.handle(std::move(request), asker.requester());
    id = asker.wait().rejection_id;
  }
  const auto store = must(store::RejectionStore::open(file, store::OpenMode::read_only));
  const auto found = must(store->find(id));
  BOOST_TEST((found.code == ErrorCode::unsupported_media));
  BOOST_TEST(found.peer == "192.0.2.1");
  BOOST_TEST(found.content_encoding == "br");
  BOOST_TEST(found.soap_action == "\"http://urb-grade.eu/AggregateMessage\"");
  BOOST_TEST(found.size == size);
  BOOST_TEST(found.size_is_whole);
  BOOST_TEST(found.raw_kept == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
