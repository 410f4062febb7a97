#include "gateway/https_client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>  // before Asio's awaitable.hpp of Boost 1.74, which lacks it

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <ctime>

#include "base/file.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "gateway/http_fields.h"

namespace district::gateway {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

constexpr std::string_view kServicePath = "/services/aggregation";
constexpr std::string_view kDefaultPort = "443";

// A receipt has about 5 KB, a fault with 20 violations at most about 50.
constexpr std::uint64_t kReplyBytesMax = std::uint64_t{1024} * 1024;
constexpr std::uint32_t kReplyHeaderBytesMax = 16 * 1024;

bool is_address(const std::string& host) {
  error_code problem;
  asio::ip::make_address(host, problem);
  return !problem;
}

std::optional<long> number_of(std::string_view text) {
  long value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::string spell(const ASN1_TIME* time) {
  std::tm broken{};
  if (::ASN1_TIME_to_tm(time, &broken) != 1) return "?";
  return format_instant(Instant{std::chrono::seconds{::timegm(&broken)}}, 0);
}

std::string subject_of(const X509* certificate) {
  char text[256] = {};
  ::X509_NAME_oneline(::X509_get_subject_name(certificate), text, sizeof text);
  return text;
}

// Says what is wrong with the dates of the first certificate, of the server or of its authorities,
// that is not valid by our clock.
std::string dates_that_do_not_fit(X509_STORE_CTX* context) {
  const int problem = ::X509_STORE_CTX_get_error(context);
  const X509* certificate = ::X509_STORE_CTX_get_current_cert(context);
  if (problem != X509_V_ERR_CERT_NOT_YET_VALID && problem != X509_V_ERR_CERT_HAS_EXPIRED) return {};
  if (certificate == nullptr) return {};
  return subject_of(certificate) + " is valid from " + spell(::X509_get0_notBefore(certificate)) +
         " to " + spell(::X509_get0_notAfter(certificate));
}

// Whether the peer sent something that is not HTTP. Otherwise the connection broke.
bool is_malformed(const error_code& problem) {
  return problem.category() == make_error_code(http::error::bad_version).category() &&
         problem != http::error::end_of_stream && problem != http::error::partial_message;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  const auto bad = [&](const std::string& why) {
    return fail(ErrorCode::gateway_input, "--url " + std::string(text) + ": " + why,
                "--url https://HOST[:PORT][/PATH]");
  };
  if (!text.starts_with(kScheme)) return bad("it does not start with https://");
  const std::string_view rest = text.substr(kScheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  Url url;
  url.target = slash == rest.size() ? kServicePath : rest.substr(slash);
  const bool unprintable = std::any_of(url.target.begin(), url.target.end(),
                                       [](char c) { return c <= ' ' || c > '~' || c == '#'; });
  if (unprintable) return bad("the path has a character that must be percent-encoded");

  std::size_t host_end = authority.find(':');
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bad("the address lacks its closing bracket");
    url.host = authority.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    url.host = authority.substr(0, host_end);
  }
  url.port = kDefaultPort;
  if (host_end < authority.size()) {
    if (authority[host_end] != ':') return bad("what follows the address is no port");
    url.port = authority.substr(host_end + 1);
  }
  const auto port = number_of(url.port);
  if (url.host.empty() || url.host.find('@') != std::string::npos) return bad("it names no host");
  if (!port || *port < 1 || *port > 65535) return bad("the port is not 1 to 65535");
  return url;
}

struct HttpsClient::State {
  using Stream = beast::ssl_stream<beast::tcp_stream>;

  State(Url where, std::chrono::seconds limit) : url(std::move(where)), deadline(limit) {}

  Url url;
  std::chrono::seconds deadline;
  bool certificate_refused = false;
  std::string dates;  // what is wrong with those of a certificate
  asio::ssl::context tls{asio::ssl::context::tls_client};
  asio::io_context io;
  std::unique_ptr<Stream> stream;
  beast::flat_buffer buffer;

  // Blocking calls of Beast ignore deadlines. So each step is started as asynchronous, and run to
  // its end.
  // start: is called with the completion handler.
  template <typename Start>
  error_code run(Start start) {
    error_code outcome = asio::error::operation_aborted;
    beast::get_lowest_layer(*stream).expires_after(deadline);
    start([&outcome](error_code problem, const auto&...) { outcome = problem; });
    io.restart();
    io.run();
    return outcome;
  }

  tl::unexpected<Error> unreachable(const std::string& doing, const std::string& why) const {
    return fail(ErrorCode::gateway_unreachable,
                doing + " " + url.host + " port " + url.port + ": " + why,
                "is the server running, and is --url right?");
  }

  Result<Ok> connect();
  Result<Ok> shake_hands();
  Result<HttpReply> exchange(const HttpPost& request);
};

Result<Ok> HttpsClient::State::connect() {
  asio::ip::tcp::resolver resolver(io);
  error_code problem;
  const auto addresses = resolver.resolve(url.host, url.port, problem);
  if (problem) return unreachable("cannot find", problem.message());

  stream = std::make_unique<Stream>(io, tls);
  buffer.clear();
  problem = run([&](auto done) {
    beast::get_lowest_layer(*stream).async_connect(addresses, std::move(done));
  });
  if (problem) return unreachable("cannot connect to", problem.message());
  beast::get_lowest_layer(*stream).socket().set_option(asio::ip::tcp::no_delay(true), problem);
  return shake_hands();
}

Result<Ok> HttpsClient::State::shake_hands() {
  SSL* ssl = stream->native_handle();
  X509_VERIFY_PARAM* rules = ::SSL_get0_param(ssl);
  if (is_address(url.host)) {
    ::X509_VERIFY_PARAM_set1_ip_asc(rules, url.host.c_str());
  } else {
    ::X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ::X509_VERIFY_PARAM_set1_host(rules, url.host.c_str(), url.host.size());
    // SSL_set_tlsext_host_name() is a macro for this: RFC 6066 section 3.
    ::SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, url.host.data());
  }
  certificate_refused = false;
  dates.clear();
  const error_code problem = run(
      [&](auto done) { stream->async_handshake(asio::ssl::stream_base::client, std::move(done)); });
  if (!problem) return Ok{};
  const long verdict = ::SSL_get_verify_result(ssl);
  certificate_refused = verdict != X509_V_OK;
  if (!certificate_refused) return unreachable("no TLS with", problem.message());
  if (!dates.empty()) {
    return fail(ErrorCode::gateway_unreachable,
                "the TLS certificate of " + url.host + " port " + url.port +
                    " is not valid now: " + dates + ", and the clock of this machine says " +
                    format_instant(SystemClock{}.now(), 0),
                "set the clock if it is wrong; if it is right, the server's operator must renew "
                "the certificate, or --ca is an old file");
  }
  return fail(ErrorCode::gateway_unreachable,
              "the TLS certificate of " + url.host + " port " + url.port +
                  " is not trusted: " + ::X509_verify_cert_error_string(verdict),
              "--ca names the file with the authority of the server's certificate");
}

Result<HttpReply> HttpsClient::State::exchange(const HttpPost& request) {
  http::request<http::span_body<const char>> message{http::verb::post, url.target, 11};
  const bool bracket = url.host.find(':') != std::string::npos;
  message.set(http::field::host, (bracket ? "[" + url.host + "]" : url.host) +
                                     (url.port == kDefaultPort ? std::string{} : ":" + url.port));
  message.set(http::field::user_agent, "district-gateway");
  message.set(http::field::content_type,
              beast::string_view(request.content_type.data(), request.content_type.size()));
  if (!request.soap_action.empty()) {
    message.set("SOAPAction",
                beast::string_view(request.soap_action.data(), request.soap_action.size()));
  }
  message.body() = beast::span<const char>(request.body.data(), request.body.size());
  message.prepare_payload();

  error_code problem =
      run([&](auto done) { http::async_write(*stream, message, std::move(done)); });
  if (problem) return unreachable("cannot send to", problem.message());

  http::response_parser<http::string_body> parser;
  parser.body_limit(kReplyBytesMax);
  parser.header_limit(kReplyHeaderBytesMax);
  problem = run([&](auto done) { http::async_read(*stream, buffer, parser, std::move(done)); });
  if (is_malformed(problem)) {
    return fail(ErrorCode::gateway_receipt_invalid,
                "the answer of " + url.host + " port " + url.port +
                    " is no HTTP that we read: " + problem.message(),
                "is --url right, and is there a proxy before the server?");
  }
  if (problem) return unreachable("no answer from", problem.message());

  const Instant now = SystemClock{}.now();
  HttpReply reply;
  reply.status = parser.get().result_int();
  reply.content_type = std::string(parser.get()[http::field::content_type]);
  const auto field = [&](http::field name) {
    const auto value = parser.get()[name];
    return std::string_view(value.data(), value.size());
  };
  reply.retry_after = parse_retry_after(field(http::field::retry_after), now);
  if (const auto date = parse_http_date(field(http::field::date)))
    reply.clock_ahead = std::chrono::round<std::chrono::seconds>(*date - now);
  if (!parser.get().keep_alive()) stream.reset();
  reply.body = std::move(parser.get().body());
  return reply;
}

HttpsClient::HttpsClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpsClient::HttpsClient(HttpsClient&&) noexcept = default;
HttpsClient& HttpsClient::operator=(HttpsClient&&) noexcept = default;
HttpsClient::~HttpsClient() = default;

Result<HttpsClient> HttpsClient::create(const Url& url, const std::string& ca_file,
                                        std::chrono::seconds deadline) {
  DISTRICT_CHECK(
      read_file(ca_file, limits::kPemFileBytesMax));  // OpenSSL does not say why it cannot
  auto state = std::make_unique<State>(url, deadline);
  error_code problem;
  state->tls.load_verify_file(ca_file, problem);
  if (problem) {
    // OpenSSL only says that it found none.
    const auto read = crypto::Certificate::from_pem_file(ca_file);
    return fail(ErrorCode::file_unreadable,
                "--ca " + (read ? ca_file + " has no certificate" : read.error().detail),
                read ? "a file with the PEM certificate of the authority" : read.error().hint);
  }
  state->tls.set_verify_mode(asio::ssl::verify_peer, problem);
  state->tls.set_verify_callback(
      [told = state.get()](bool good, asio::ssl::verify_context& context) {
        if (!good) told->dates = dates_that_do_not_fit(context.native_handle());
        return good;
      },
      problem);
  if (problem || ::SSL_CTX_set_min_proto_version(state->tls.native_handle(), TLS1_2_VERSION) != 1) {
    return fail(ErrorCode::internal, "cannot set up TLS");
  }
  return HttpsClient(std::move(state));
}

Result<HttpReply> HttpsClient::post(const HttpPost& request) {
  if (state_->stream) {
    auto reply = state_->exchange(request);
    if (reply) return reply;
  }
  auto connected = state_->connect();
  if (!connected) {
    state_->stream.reset();
    return fail(std::move(connected).error());
  }
  auto reply = state_->exchange(request);
  if (!reply) state_->stream.reset();
  return reply;
}

bool HttpsClient::certificate_refused() const { return state_->certificate_refused; }

}  // namespace district::gateway
