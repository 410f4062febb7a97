// The answer that a connection waits for while other threads make it. Private to server/.
#pragma once

#include <utility>  // Boost 1.74's awaitable.hpp needs it first

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "model/http.h"
#include "server/io_thread.h"

namespace district::server {

struct Answer {
  std::shared_ptr<const HttpResponse> response;  // perhaps shared with other connections
  bool was_asked = true;  // the application, or the query API; false: it was refused before
};

class TlsStream;

// Shared by the exchange that waits, and by whoever makes the answer. Threads: deliver() and wake()
// from any; the rest is the I/O thread's.
class PendingAnswer final : public std::enable_shared_from_this<PendingAnswer> {
 public:
  explicit PendingAnswer(const IoThread::Executor& executor)
      : executor_(executor), event_(executor) {}

  void deliver(Answer answer);  // once
  void wake();                  // there may be something else to do for whoever waits

  bool here() const { return answer_.has_value(); }
  const Answer& get() const { return *answer_; }
  Awaitable<void> wait();
  // Until the answer is here, or wake() was called since this thread ran last.
  Awaitable<void> wait_for_event();

  // While it exists, a read of the stream ends when the answer comes.
  class EndsRead {
   public:
    EndsRead(PendingAnswer& pending, TlsStream& stream) : pending_(pending) {
      pending_.reading_ = &stream;
    }
    ~EndsRead() { pending_.reading_ = nullptr; }
    EndsRead(const EndsRead&) = delete;
    EndsRead& operator=(const EndsRead&) = delete;

   private:
    PendingAnswer& pending_;
  };

 private:
  void interrupt_reading();

  IoThread::Executor executor_;
  // Cancelled when there is something to look at.
  boost::asio::steady_timer::rebind_executor<IoThread::Executor>::other event_;
  std::optional<Answer> answer_;
  TlsStream* reading_ = nullptr;  // what is being read just now
};

}  // namespace district::server
