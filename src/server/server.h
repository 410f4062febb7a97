// The HTTPS front: takes requests off the network, bounded in number, octets and time, and hands
// them to a bounded pool of workers. Idle connections cost memory, but no thread.
// Source: RFC 9110, RFC 9112 (HTTP/1.1); RFC 9325 (use of TLS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "model/api.h"
#include "server/application.h"
#include "server/settings.h"

namespace district::server {

// Whether all listeners could use the certificates and keys; listens nowhere.
// Errors: file_unreadable (certificate, key), config_invalid.
Result<Ok> check_certificates(const Settings& settings);

class Server {
 public:
  // Listens; connections wait in the system's queue until start().
  // Errors: address_in_use (or not of this machine), file_unreadable (certificate, key),
  // config_invalid.
  static Result<std::unique_ptr<Server>> open(Settings settings);
  ~Server();  // stops

  // Of a listener, by its place in Settings.
  std::uint16_t port(std::size_t listener = 0) const;

  // Keeps references: both must live until stop() has returned. Once only. `api`: null: there is
  // none. Listeners for old TLS never have it.
  // Errors: internal (no threads to be had).
  Result<Ok> start(Application& application, ApiHandler* api = nullptr);

  // Reads the certificates and keys again, for connections that come from now on; says in the log
  // how it went. Where one cannot be used all stay as they were. The server does so by itself once
  // a day.
  // Threads: any.
  void reload_certificates();

  // Takes no more connections, closes the idle ones, finishes the requests under way within
  // Settings::finish, and returns when nothing calls the application any more.
  // Threads: any but those of the server; once.
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace district::server
