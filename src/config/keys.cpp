#include "config/keys.h"

#include <algorithm>
#include <array>

namespace district::config {
namespace {

constexpr std::int64_t kDaySeconds = 24 * 60 * 60;
constexpr std::int64_t kMebibyte = 1024 * 1024;

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> allowed) {
  return std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

const char* address_complaint(std::string_view value) {
  const bool plausible =
      !value.empty() && value.size() <= 45 &&
      value.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
  return plausible ? nullptr
                   : "must be an IPv4 or IPv6 address, for example \"127.0.0.1\" or \"::\"";
}

// It is written into the WSDL as it stands, so nothing that means something in XML may be in it.
const char* url_complaint(std::string_view value) {
  if (value.empty()) return nullptr;
  const bool scheme = value.starts_with("https://") || value.starts_with("http://");
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < '\x7f' &&
           std::string_view("\"'<>&?#\\").find(c) == std::string_view::npos;
  });
  return scheme && plain && value.size() <= 1000
             ? nullptr
             : "must be a URL such as https://aggregation.example.org/services/aggregation, "
               "without query";
}

const char* client_certificates_complaint(std::string_view value) {
  return is_one_of(value, {"off", "optional", "required"})
             ? nullptr
             : "must be \"off\", \"optional\" or \"required\"";
}

const char* level_complaint(std::string_view value) {
  return is_one_of(value, {"debug", "info", "warning", "error"})
             ? nullptr
             : "must be \"debug\", \"info\", \"warning\" or \"error\"";
}

// clang-format off
const std::array kKeys{
  Key{"data", "folder", PathKey{[](Config& c) -> auto& { return c.data.folder; }}, "path",
      "Folder of everything that the server keeps; the archive is `district.db` in it, the measurements and KPI values are `district-series.db`. Made at the first start."},

  Key{"listen", "address", TextKey{[](Config& c) -> auto& { return c.listen.address; }, address_complaint}, "IP address",
      "Address to listen on. `0.0.0.0` is every IPv4 address, `::` every address."},
  Key{"listen", "port", IntegerKey{[](Config& c) -> auto& { return c.listen.port; }, 0, 65535}, "TCP port",
      "Port to listen on. 0 takes a free one."},
  Key{"listen", "public_url", TextKey{[](Config& c) -> auto& { return c.listen.public_url; }, url_complaint}, "URL",
      "Where clients reach the service; the WSDL names it. Empty: `https://ADDRESS:PORT/services/aggregation`. Must be set when `listen.address` is `0.0.0.0` or `::`."},

  Key{"listen", "client_certificates", TextKey{[](Config& c) -> auto& { return c.listen.client_certificates; }, client_certificates_complaint}, "word",
      "Mutual TLS: `off`; `optional`: clients are asked for a certificate; `required`: without one there is no connection. A certificate counts if it is enrolled and in force at the time of the request, whoever issued it. With `required`, any other certificate gets HTTP 403; with `optional`, it counts as none."},

  Key{"legacy", "enabled", BoolKey{[](Config& c) -> auto& { return c.legacy.enabled; }}, "switch",
      "A second address for old gateways, such as those on Java 7. Besides what `[listen]` offers, it accepts TLS 1.0 and 1.1 and CBC suites with SHA-1. Messages are judged as everywhere else. The log warns about it at each start."},
  Key{"legacy", "address", TextKey{[](Config& c) -> auto& { return c.legacy.address; }, address_complaint}, "IP address",
      "As `listen.address`."},
  Key{"legacy", "port", IntegerKey{[](Config& c) -> auto& { return c.legacy.port; }, 0, 65535}, "TCP port",
      "As `listen.port`."},
  Key{"legacy", "client_certificates", TextKey{[](Config& c) -> auto& { return c.legacy.client_certificates; }, client_certificates_complaint}, "word",
      "As `listen.client_certificates`."},

  Key{"tls", "certificate", PathKey{[](Config& c) -> auto& { return c.tls.certificate; }}, "path",
      "PEM file with the server's certificate, followed by those of the authorities, without the root."},
  Key{"tls", "key", PathKey{[](Config& c) -> auto& { return c.tls.key; }}, "path",
      "PEM file with the private key of `tls.certificate`, without a passphrase."},
  Key{"tls", "second_certificate", PathKey{[](Config& c) -> auto& { return c.tls.second_certificate; }}, "path",
      "A second certificate with its chain, so that there is one for RSA and one for ECDSA; each client gets the one that it can verify. Empty: none."},
  Key{"tls", "second_key", PathKey{[](Config& c) -> auto& { return c.tls.second_key; }}, "path",
      "PEM file with the private key of `tls.second_certificate`, without a passphrase."},

  Key{"receipt", "rsa_certificate", PathKey{[](Config& c) -> auto& { return c.receipt.rsa_certificate; }}, "path",
      "PEM certificate that signs receipts for clients that sign with RSA."},
  Key{"receipt", "rsa_key", PathKey{[](Config& c) -> auto& { return c.receipt.rsa_key; }}, "path",
      "PEM private key of `receipt.rsa_certificate`, RSA 2048 or more."},
  Key{"receipt", "ecdsa_certificate", PathKey{[](Config& c) -> auto& { return c.receipt.ecdsa_certificate; }}, "path",
      "PEM certificate that signs receipts for clients that sign with ECDSA."},
  Key{"receipt", "ecdsa_key", PathKey{[](Config& c) -> auto& { return c.receipt.ecdsa_key; }}, "path",
      "PEM private key of `receipt.ecdsa_certificate`, P-256 or more."},

  Key{"limits", "body_bytes", IntegerKey{[](Config& c) -> auto& { return c.limits.body_bytes; }, 1024, 2047 * kMebibyte}, "octets",
      "Largest body of a request, as sent and after decompression. Beyond it: HTTP 413. A body above 1 MiB is verified as it arrives, in flat memory; until its sender has authenticated, no more than the first MiB is processed."},
  Key{"limits", "body_bytes_total", IntegerKey{[](Config& c) -> auto& { return c.limits.body_bytes_total; }, 2 * kMebibyte, 1024 * 1024 * kMebibyte}, "octets",
      "Most memory for all bodies under way together: a body up to 1 MiB counts whole, a larger one counts 1.25 MiB. The answers of the query API that are being sent have as much for themselves. Beyond it: HTTP 503."},
  Key{"limits", "header_bytes", IntegerKey{[](Config& c) -> auto& { return c.limits.header_bytes; }, 1024, kMebibyte}, "octets",
      "Largest request line with header fields. Beyond it: HTTP 431."},
  Key{"limits", "connections", IntegerKey{[](Config& c) -> auto& { return c.limits.connections; }, 1, 100'000}, "connections",
      "Most connections at a time; any more are closed at once. From 7/8 of this number on, connections are not kept open after an answer."},
  Key{"limits", "connections_per_peer", IntegerKey{[](Config& c) -> auto& { return c.limits.connections_per_peer; }, 1, 100'000}, "connections",
      "Most connections at a time from one IPv4 address or one IPv6 /64 network."},
  Key{"limits", "handshake_seconds", SecondsKey{[](Config& c) -> auto& { return c.limits.handshake_seconds; }, 1, 3600}, "s",
      "Longest TLS handshake."},
  Key{"limits", "header_seconds", SecondsKey{[](Config& c) -> auto& { return c.limits.header_seconds; }, 1, 3600}, "s",
      "Longest time from the first octet of a request to the end of its header. Beyond it: HTTP 408."},
  Key{"limits", "body_seconds", SecondsKey{[](Config& c) -> auto& { return c.limits.body_seconds; }, 1, kDaySeconds}, "s",
      "Longest time for a body to arrive, or an answer to be taken; of a larger one, for each 32 MiB begun. A request that takes longer gets the fault of 1010, and is on record."},
  Key{"limits", "idle_seconds", SecondsKey{[](Config& c) -> auto& { return c.limits.idle_seconds; }, 1, kDaySeconds}, "s",
      "How long a connection is kept open between two requests."},
  Key{"limits", "write_seconds", SecondsKey{[](Config& c) -> auto& { return c.limits.write_seconds; }, 1, 3600}, "s",
      "Longest time in which a client takes nothing of its answer. In all a long answer has the time that a body has: `limits.body_seconds`, and `limits.minimum_rate_bytes_per_second` "
      "after the first `limits.write_seconds`."},
  Key{"limits", "minimum_rate_bytes_per_second", IntegerKey{[](Config& c) -> auto& { return c.limits.minimum_rate_bytes_per_second; }, 1, 1024 * kMebibyte}, "octets/s",
      "A body that comes slower than this, on average after its first five seconds, is cut off, and so is an answer that is taken slower: see `limits.write_seconds`."},
  Key{"limits", "workers", IntegerKey{[](Config& c) -> auto& { return c.limits.workers; }, 0, 1024}, "threads",
      "Threads that verify, validate and sign; none of them waits for the disk. 0: one for each core, plus one. Bodies above 1 MiB have two further threads for each core (4 to 64); when all of these are busy, another large body gets HTTP 503."},
  Key{"limits", "queue", IntegerKey{[](Config& c) -> auto& { return c.limits.queue; }, 1, 100'000}, "requests",
      "Most requests that wait for a worker. Usually `limits.answer_milliseconds` limits them first. Beyond it: HTTP 503 with Retry-After."},
  Key{"limits", "answer_milliseconds", IntegerKey{[](Config& c) -> auto& { return c.limits.answer_milliseconds; }, 1, 60'000}, "ms",
      "When many requests are under way (8 for each core, at least 16, at most 128 and one for each core), only as many are let in as can be answered within this time at the measured rate. Beyond it, the tenant with the most waiting requests (before it has authenticated: the address) gets HTTP 503 with Retry-After at once. Tenants are served in turn."},

  Key{"window", "created_age_seconds", SecondsKey{[](Config& c) -> auto& { return c.window.created_age_seconds; }, 1, kDaySeconds}, "s",
      "A request whose signed `Created` is older is rejected as expired. Replays are remembered for as long."},
  Key{"window", "created_ahead_seconds", SecondsKey{[](Config& c) -> auto& { return c.window.created_ahead_seconds; }, 0, kDaySeconds}, "s",
      "A request whose signed `Created` is further ahead of the server's clock is rejected."},

  Key{"archive", "group_max", IntegerKey{[](Config& c) -> auto& { return c.archive.group_max; }, 1, 10'000}, "envelopes",
      "Most envelopes that share one commit to disk."},
  Key{"archive", "queue_max", IntegerKey{[](Config& c) -> auto& { return c.archive.queue_max; }, 1, 1'000'000}, "envelopes",
      "Most envelopes that wait for a commit. Beyond it: HTTP 503 with Retry-After."},
  Key{"archive", "compression_level", IntegerKey{[](Config& c) -> auto& { return c.archive.compression_level; }, 1, 19}, "zstd level",
      "How hard stored envelopes are compressed: 1 is fastest, 19 is smallest."},

  Key{"rejections", "days", IntegerKey{[](Config& c) -> auto& { return c.rejections.days; }, 1, 3650}, "days",
      "How long the cause of a rejection is kept, with the raw envelope, which may contain meter readings. It is in `rejections.db` of `data.folder`; `districtctl rejection show` shows it."},
  Key{"rejections", "rows_per_tenant", IntegerKey{[](Config& c) -> auto& { return c.rejections.rows_per_tenant; }, 0, 10'000'000}, "rejections",
      "Most rejections that are kept for one tenant that authenticated; the oldest go first."},
  Key{"rejections", "rows_of_others", IntegerKey{[](Config& c) -> auto& { return c.rejections.rows_of_others; }, 0, 10'000'000}, "rejections",
      "Most rejections that are kept for all senders that did not authenticate."},
  Key{"rejections", "raw_bytes_per_tenant", IntegerKey{[](Config& c) -> auto& { return c.rejections.raw_bytes_per_tenant; }, 0, 1024 * 1024 * kMebibyte}, "octets",
      "Most octets, compressed, of raw rejected envelopes that are kept for one tenant that authenticated. Of an envelope above 1 MiB, the first 256 KiB are kept."},
  Key{"rejections", "sample_envelopes", IntegerKey{[](Config& c) -> auto& { return c.rejections.sample_envelopes; }, 0, 1'000'000}, "envelopes",
      "Most raw envelopes that are kept for all senders that did not authenticate, at most 20 new ones a second; the oldest of the most frequent error code go first."},
  Key{"rejections", "sample_bytes", IntegerKey{[](Config& c) -> auto& { return c.rejections.sample_bytes; }, 0, 1024 * 1024 * kMebibyte}, "octets",
      "Most octets, compressed, of all of these together."},

  Key{"quantify", "enabled", BoolKey{[](Config& c) -> auto& { return c.quantify.enabled; }}, "switch",
      "Whether this process turns envelopes into measurements and KPIs. `false`: the work waits in the database, and nothing is lost."},

  Key{"api", "enabled", BoolKey{[](Config& c) -> auto& { return c.api.enabled; }}, "switch",
      "Whether the server offers the query API, below `/api/v1`, to holders of API keys and of enrolled certificates. The legacy listener never has it."},

  Key{"log", "level", TextKey{[](Config& c) -> auto& { return c.log.level; }, level_complaint}, "word",
      "Least important events that are written: `debug`, `info`, `warning` or `error`. SIGHUP takes a changed one."},
  Key{"log", "file", PathKey{[](Config& c) -> auto& { return c.log.file; }}, "path",
      "File that events are appended to; SIGHUP opens it anew, after it was renamed or this key changed. Empty: standard error."},
};
// clang-format on

}  // namespace

std::span<const Key> all_keys() { return kKeys; }

}  // namespace district::config
