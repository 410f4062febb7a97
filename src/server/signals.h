// The signals that ask the program to end, and the one that must not.
#pragma once

namespace district::server {

// SIGTERM and SIGINT no longer end the process, but are kept for wait_for_signal(); SIGPIPE is
// ignored. Call first in main(): threads started later inherit it.
void block_stop_signals();

// Blocks until one of them arrives; gives its number.
int wait_for_signal();

}  // namespace district::server
