// One request and its answer. The exchange reads the request off the connection, has it answered,
// and sends the answer. It belongs to the connection's I/O thread and never leaves it. What other
// threads need goes to them as a Job, which they own; what they make comes back as an Answer.
// Private to server/.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "model/api.h"
#include "model/http.h"
#include "observe/events.h"
#include "receive/receive.h"
#include "server/body_reader.h"
#include "server/front.h"
#include "server/io_thread.h"
#include "server/jobs.h"
#include "server/listener.h"
#include "server/pending_answer.h"
#include "server/request_head.h"
#include "server/response_writer.h"
#include "server/tls_stream.h"
#include "server/upload.h"
#include "server/workers.h"

namespace district::server {

// Who is at the other end of a connection.
struct Client {
  std::string peer;        // its address, for the log
  std::string counted_as;  // by Admission and Traces
  // Whose requests these are, for the fair queue: the tenant last authenticated, or the address.
  std::string flow;
  std::optional<Sha256Digest> proved_certificate;             // whose key it has, by the handshake
  ClientCertificates certificates = ClientCertificates::off;  // that its listener asks for
  bool may_read_api = false;
};

// Threads: its I/O thread.
class Exchange {
 public:
  // Keeps references: all must outlive it.
  Exchange(Client& client, TlsStream& stream, ResponseWriter& writer, IoThread& io, Front& front)
      : client_(client), stream_(stream), writer_(writer), io_(io), front_(front) {}
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // All of it, when the request has begun to come. false: the connection is over.
  Awaitable<bool> run();
  // Ends a large body that is still being read, since the server stops.
  void cut_upload();

 private:
  // Of those that give a bool, false means: the connection is over.
  Awaitable<bool> answer_request();
  Awaitable<bool> answer_post();
  Awaitable<bool> answer_whole_post(Bytes body);
  Awaitable<bool> answer_large_post(BodyReader& body, Bytes beginning);
  Awaitable<bool> answer_get();
  Awaitable<bool> answer_api();
  Awaitable<BodyEnd> stream_body(BodyReader& body);
  Awaitable<bool> refuse();  // as head_ says
  Awaitable<bool> refuse(unsigned status, const char* rule);
  Awaitable<bool> refuse_body(BodyEnd end, const BodyReader& body);
  Awaitable<bool> send(const HttpResponse& response, bool keep_alive);
  Awaitable<void> wait_for_answer();

  // Sets head_.refused, unless the client may ask.
  Awaitable<void> judge_certificate();
  BodyEnd judge_length() const;
  bool waits_for_continue() const;
  receive::HttpRequest post_request(Bytes body, std::shared_ptr<ByteSource> rest) const;
  ApiRequest api_request() const;
  void expect_answer();
  std::unique_ptr<Reply> reply_by(Workers& workers) const;
  bool submit(Workers& workers, std::unique_ptr<Job> job);
  static Error why_cut(BodyEnd end, const BodyReader& body);
  std::shared_ptr<const HttpResponse> refusal_of(BodyEnd end, const BodyReader& body);
  std::shared_ptr<const HttpResponse> fault(const Error& error);
  void trace_cut_head(std::size_t octets) const;
  void trace_cut_answer() const;
  void trace_refusal(unsigned status, std::string_view rule) const;
  void trace(std::string_view event, std::initializer_list<observe::Field> fields) const;

  Client& client_;
  TlsStream& stream_;
  ResponseWriter& writer_;
  IoThread& io_;
  Front& front_;
  RequestHead head_;
  std::shared_ptr<PendingAnswer> pending_;  // of what others are to answer
  std::shared_ptr<Upload> upload_;          // the large body that is being read
};

}  // namespace district::server
