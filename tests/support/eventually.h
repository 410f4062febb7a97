// Waiting for what another thread or process will have done soon, where it tells nobody.
#pragma once

#include <chrono>
#include <thread>

namespace district::test {

// Whether `holds()` became true within the time. It is looked at again and again.
template <typename Condition>
bool eventually(Condition holds, std::chrono::milliseconds at_most = std::chrono::seconds(5)) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace district::test
