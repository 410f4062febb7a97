// The signals that ask the program for something, and the one that must not end it.
#pragma once

namespace district::server {

// SIGTERM, SIGINT and SIGHUP no longer end the process, but are kept for wait_for_signal(); SIGPIPE
// is ignored. Call first in main(): threads started later inherit it.
void block_signals();

// Blocks until one of them arrives; gives its number.
int wait_for_signal();

}  // namespace district::server
