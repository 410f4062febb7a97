#include "server/refusals.h"

#include "observe/events.h"
#include "receive/receive.h"
#include "server/application.h"

namespace district::server {
namespace {

constexpr auto kSlice = std::chrono::seconds(1);

}  // namespace

std::shared_ptr<const HttpResponse> Refusals::give(Application& application, const Error& why,
                                                   std::string_view content_type,
                                                   std::string_view peer, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  auto& slice = slices_.at(receive::soap_version(content_type) == SoapVersion::v12 ? 1 : 0);
  if (slice.answer != nullptr && now - slice.begin >= kSlice) end(slice);
  if (slice.answer == nullptr) {
    slice.answer =
        std::make_shared<const HttpResponse>(application.refuse(why, content_type, peer));
    slice.begin = now;
  }
  ++slice.count;
  return slice.answer;
}

void Refusals::report(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (auto& slice : slices_) {
    if (slice.answer != nullptr && now - slice.begin >= kSlice) end(slice);
  }
}

void Refusals::end(Slice& slice) {
  observe::emit(observe::Level::warning, "requests_refused",
                {{"rejection_id", slice.answer->rejection_id}, {"count", slice.count}});
  slice = {};
}

}  // namespace district::server
