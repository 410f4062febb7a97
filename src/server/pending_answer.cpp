#include "server/pending_answer.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <chrono>

#include "server/tls_stream.h"

namespace district::server {
namespace {

namespace net = boost::asio;

constexpr auto kInterruptAgain = std::chrono::milliseconds(20);

}  // namespace

void PendingAnswer::deliver(Answer answer) {
  net::post(executor_, [self = shared_from_this(), answer = std::move(answer)]() mutable {
    self->answer_ = std::move(answer);
    self->event_.cancel();
    self->interrupt_reading();
  });
}

void PendingAnswer::wake() {
  net::post(executor_, [self = shared_from_this()] { self->event_.cancel(); });
}

Awaitable<void> PendingAnswer::wait() {
  while (!answer_) co_await wait_for_event();
}

// Whoever causes the event posts it to this thread, so that it comes after the wait has begun.
Awaitable<void> PendingAnswer::wait_for_event() {
  event_.expires_at(std::chrono::steady_clock::time_point::max());
  boost::system::error_code cancelled;
  co_await event_.async_wait(net::redirect_error(kAwait, cancelled));
}

// A read does not feel it if it comes between two of its steps, so it is repeated.
void PendingAnswer::interrupt_reading() {
  if (reading_ == nullptr) return;
  reading_->interrupt();
  event_.expires_after(kInterruptAgain);
  event_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (!cancelled) self->interrupt_reading();
  });
}

}  // namespace district::server
