#include "server/signals.h"

#include <csignal>

namespace district::server {
namespace {

sigset_t awaited_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void block_signals() {
  const auto set = awaited_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Whoever reads our log lines from a pipe may end; that is no reason for the server to.
  ::signal(SIGPIPE, SIG_IGN);
}

int wait_for_signal() {
  const auto set = awaited_signals();
  int number = 0;
  while (::sigwait(&set, &number) != 0) {
  }
  return number;
}

}  // namespace district::server
