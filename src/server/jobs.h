// The work of one request, as it passes between threads: from the connection that read it, through
// the queue, to a worker, and back as an answer. Whoever has the pointer owns it, and nobody else
// sees it: a job until it is in work, then its Reply. Private to server/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/unique_function.h"
#include "model/api.h"
#include "pipeline/pipeline.h"
#include "receive/receive.h"
#include "server/fair_queue.h"
#include "server/front.h"
#include "server/pending_answer.h"
#include "server/workers.h"

namespace district::server {

// The way back of one request. A request that is in work is answered whatever happens: if the reply
// is destroyed without an answer, it answers with status 500. Threads: one at a time, any.
class Reply final : public pipeline::Requester {
 public:
  // `workers`: those that the job is submitted to. It outlives the reply.
  Reply(Workers& workers, std::string peer, std::shared_ptr<PendingAnswer> pending)
      : workers_(workers), peer_(std::move(peer)), pending_(std::move(pending)) {}
  ~Reply() override;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  void begin() { state_ = State::in_work; }
  void run_on_worker(UniqueFunction<void()> rest) override;
  void answer(HttpResponse response) override;
  // Instead of begin() and answer().
  void refuse(std::shared_ptr<const HttpResponse> response);
  const std::string& peer() const { return peer_; }

 private:
  enum class State : std::uint8_t { waiting, in_work, answered };
  void give(std::shared_ptr<const HttpResponse> response);

  Workers& workers_;
  const std::string peer_;
  const std::shared_ptr<PendingAnswer> pending_;
  State state_ = State::waiting;
};

// A POST.
class EnvelopeJob final : public Job {
 public:
  EnvelopeJob(receive::HttpRequest request, std::unique_ptr<Reply> reply, Front& front)
      : request_(std::move(request)), reply_(std::move(reply)), front_(front) {}
  void work() override;
  void refuse() override;

 private:
  receive::HttpRequest request_;
  std::unique_ptr<Reply> reply_;
  Front& front_;
};

// A request of the query API.
class ApiJob final : public Job {
 public:
  ApiJob(ApiRequest request, std::unique_ptr<Reply> reply, Front& front)
      : request_(std::move(request)), reply_(std::move(reply)), front_(front) {}
  void work() override;
  void refuse() override;

 private:
  const ApiRequest request_;
  const std::unique_ptr<Reply> reply_;
  Front& front_;
};

// Whether a TLS client's certificate is enrolled, as the database has it. Answers 200, 403, or 503
// with the reason why that is not known; the exchange makes its own answer of it.
class CertificateJob final : public Job {
 public:
  CertificateJob(const Sha256Digest& certificate, std::unique_ptr<Reply> reply, Front& front)
      : certificate_(certificate), reply_(std::move(reply)), front_(front) {}
  void work() override;
  void refuse() override;

 private:
  const Sha256Digest certificate_;
  const std::unique_ptr<Reply> reply_;
  Front& front_;
};

}  // namespace district::server
