// The configuration of districtd and districtctl: one TOML file, every key with a default.
// Threads: values; load() from any thread.
// Source: TOML 1.0; docs/reference/configuration.md is reference_markdown().
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/limits.h"

namespace district::config {

using std::chrono::seconds;

// Where the server listens.
struct Listen {
  std::string address = "127.0.0.1";
  std::int64_t port = 8443;                 // 0: a free one
  std::string client_certificates = "off";  // or "optional", "required"
};

// The initial values are the defaults. Paths are absolute, or relative to the current folder,
// once load() or demo_config() has given them.
struct Config {
  struct {
    std::filesystem::path folder = "data";
  } data;

  struct : Listen {
    std::string public_url;  // empty: from address and port; service_url() has it
  } listen;

  // For gateways that know TLS 1.0 and 1.1 only.
  struct Legacy : Listen {
    Legacy() { port = 8444; }
    bool enabled = false;
  } legacy;

  struct {
    std::filesystem::path certificate = "pki/server.pem";
    std::filesystem::path key = "pki/server.key";
    std::filesystem::path second_certificate, second_key;  // empty: there is one only
  } tls;

  struct {
    std::filesystem::path rsa_certificate = "pki/receipt-rsa.pem";
    std::filesystem::path rsa_key = "pki/receipt-rsa.key";
    std::filesystem::path ecdsa_certificate = "pki/receipt-ecdsa.pem";
    std::filesystem::path ecdsa_key = "pki/receipt-ecdsa.key";
  } receipt;

  struct {
    std::int64_t body_bytes = 512 * 1024 * 1024;
    std::int64_t body_bytes_total = 512 * 1024 * 1024;
    std::int64_t header_bytes = 16 * 1024;
    std::int64_t connections = 8192;
    std::int64_t connections_per_peer = 64;
    seconds handshake_seconds{10};
    seconds header_seconds{10};
    seconds body_seconds{300};
    seconds idle_seconds{60};
    seconds write_seconds{30};
    std::int64_t minimum_rate_bytes_per_second = 1024;
    std::int64_t workers = 0;  // 0: by the number of cores
    std::int64_t queue = 4096;
    std::int64_t answer_milliseconds = 100;
  } limits;

  struct {
    seconds created_age_seconds =
        std::chrono::duration_cast<seconds>(district::limits::kCreatedAgeMax);
    seconds created_ahead_seconds = district::limits::kCreatedAheadMax;
  } window;

  struct {
    std::int64_t group_max = 64;
    std::int64_t queue_max = 1024;
    std::int64_t compression_level = 1;
  } archive;

  struct {
    std::int64_t days = 30;
    std::int64_t rows_per_tenant = 10'000;
    std::int64_t rows_of_others = 20'000;
    std::int64_t raw_bytes_per_tenant = 64 * 1024 * 1024;
    std::int64_t sample_envelopes = 500;
    std::int64_t sample_bytes = 16 * 1024 * 1024;
  } rejections;

  struct {
    bool enabled = true;
  } quantify;

  struct {
    bool enabled = true;
  } api;

  struct {
    std::string level = "info";
    std::filesystem::path file;  // empty: standard error
  } log;

  std::filesystem::path database() const { return data.folder / "district.db"; }
  std::filesystem::path rejections_file() const { return data.folder / "rejections.db"; }
  // Where clients reach the service, as the WSDL tells them.
  std::string service_url() const;
  // Where they reach the server: the same without its path.
  std::string base_url() const;
};

// Errors: file_unreadable; config_invalid, with file, line and key in its detail.
Result<Config> load(const std::filesystem::path& file);
// As load(), from text; relative paths are relative to `folder`, and `name` stands for the file in
// messages.
Result<Config> parse(const std::string& text, const std::filesystem::path& folder,
                     const std::string& name);

// The defaults, with their paths below `folder`.
Config demo_config(const std::filesystem::path& folder);

// What can be seen of the files and folders before start-up.
struct Finding {
  bool fatal = false;  // else a warning
  std::string text;
  std::string hint;
};
// Empty: nothing to complain of. Reads only; opens no database.
std::vector<Finding> check_files(const Config& config);

// Every key with type, unit, default and meaning.
std::string reference_markdown();

}  // namespace district::config
