#include "server/jobs.h"

#include <exception>
#include <utility>

#include "observe/events.h"

namespace district::server {
namespace {

// What is thrown, which can only be want of memory, goes no further. `part` then ends without an
// answer, and the Reply gives one.
template <typename Part>
void run_guarded(const std::string& peer, Part& part) {
  try {
    part();
  } catch (const std::exception& problem) {
    observe::emit(observe::Level::error, "request_failed",
                  {{"peer", peer}, {"detail", problem.what()}});
  }
}

std::shared_ptr<const HttpResponse> internal_error() {
  static const auto response =
      std::make_shared<const HttpResponse>(HttpResponse{500, "text/plain", "internal error\n", 0});
  return response;
}

}  // namespace

Reply::~Reply() {
  if (state_ == State::in_work) give(internal_error());
}

// `rest` may own this reply, so the peer goes along by value.
void Reply::run_on_worker(UniqueFunction<void()> rest) {
  workers_.resume([peer = peer_, rest = std::move(rest)]() mutable { run_guarded(peer, rest); });
}

void Reply::answer(HttpResponse response) {
  give(std::make_shared<const HttpResponse>(std::move(response)));
}

void Reply::give(std::shared_ptr<const HttpResponse> response) {
  state_ = State::answered;
  workers_.done();  // first: who asks again as soon as it is answered is not one too many
  pending_->deliver({std::move(response), true});
}

void Reply::refuse(std::shared_ptr<const HttpResponse> response) {
  state_ = State::answered;
  pending_->deliver({std::move(response), false});
}

void EnvelopeJob::work() {
  reply_->begin();
  const auto peer = reply_->peer();
  const auto post = [this] { front_.application->post(std::move(request_), std::move(reply_)); };
  run_guarded(peer, post);
}

void EnvelopeJob::refuse() {
  reply_->refuse(front_.overloaded("too much is waiting to be answered in time",
                                   request_.content_type, request_.peer));
}

void ApiJob::work() {
  reply_->begin();
  const auto get = [this] { reply_->answer(front_.api->get(request_)); };
  run_guarded(reply_->peer(), get);
}

void ApiJob::refuse() { reply_->refuse(Front::no_time_to_read()); }

void CertificateJob::work() {
  reply_->begin();
  const auto ask = [this] {
    const auto enrolled = front_.application->may_connect(certificate_);
    if (enrolled) {
      reply_->answer(HttpResponse{*enrolled ? 200U : 403U, {}, {}});
    } else {
      reply_->answer(HttpResponse{503, {}, enrolled.error().detail});
    }
  };
  run_guarded(reply_->peer(), ask);
}

void CertificateJob::refuse() {
  static const auto response =
      std::make_shared<const HttpResponse>(HttpResponse{503, {}, "too many others wait"});
  reply_->refuse(response);
}

}  // namespace district::server
