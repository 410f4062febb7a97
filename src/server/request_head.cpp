#include "server/request_head.h"

#include <algorithm>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/verb.hpp>
#include <charconv>
#include <string_view>

#include "server/server.h"

namespace district::server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Header = http::request_header<>;

std::string_view std_view(beast::string_view text) { return {text.data(), text.size()}; }

std::string_view value_of(const Header& header, beast::string_view name) {
  return std_view(header[name]);
}

// Beast takes a list of equal lengths, and a coding other than chunked as no coding at all. A proxy
// before us may read them otherwise, so both are refused.
bool framing_is_clear(const Header& header) {
  const auto lengths = header.count(http::field::content_length);
  const auto codings = header.count(http::field::transfer_encoding);
  if (lengths + codings > 1) return false;
  if (lengths == 1) {
    const auto value = std_view(header[http::field::content_length]);
    return !value.empty() &&
           std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  }
  if (codings == 1) {
    return header.version() == 11 &&
           beast::iequals(header[http::field::transfer_encoding], "chunked");
  }
  return true;
}

bool singletons_are_single(const Header& header) {
  for (const char* name : {"Host", "Content-Type", "Content-Encoding", "SOAPAction", "Expect"}) {
    if (header.count(name) > 1) return false;
  }
  return header.version() < 11 || header.count(http::field::host) == 1;
}

bool keeps_alive(const Header& header) {
  http::token_list options(header[http::field::connection]);
  if (options.exists("close")) return false;
  return header.version() == 11 || options.exists("keep-alive");
}

// The path of origin-form and absolute-form (RFC 9112 section 3.2).
std::string_view strip_authority(std::string_view target) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!target.starts_with(scheme)) continue;
    const auto path = target.find('/', scheme.size());
    return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  return target;
}

}  // namespace

RequestHead judge(const Header& header) {
  RequestHead head;
  const auto refuse = [&head](unsigned status) {
    head.refused = status;
    return head;
  };
  if (!framing_is_clear(header) || !singletons_are_single(header)) return refuse(400);
  head.keep_alive = keeps_alive(header);
  head.chunked = header.count(http::field::transfer_encoding) == 1;
  // Beast has read the number already, and refused one that is out of range.
  const auto length = std_view(header[http::field::content_length]);
  std::from_chars(length.data(), length.data() + length.size(), head.content_length);
  head.has_body = head.chunked || head.content_length > 0;

  const auto target = strip_authority(std_view(header.target()));
  const auto mark = target.find('?');
  const auto path = target.substr(0, mark);
  if (mark != std::string_view::npos) head.query = target.substr(mark + 1);
  if (path != kServicePath && path != kHealthPath) return refuse(404);
  head.resource = path == kServicePath ? Resource::service : Resource::health;

  head.is_post = header.method() == http::verb::post;
  head.is_head = header.method() == http::verb::head;
  const bool reads = head.is_head || header.method() == http::verb::get;
  head.allow = head.resource == Resource::service ? "GET, HEAD, POST" : "GET, HEAD";
  if (!reads && !(head.is_post && head.resource == Resource::service)) return refuse(405);

  const auto expect = std_view(header[http::field::expect]);
  if (!expect.empty() && header.version() == 11) {
    if (!beast::iequals({expect.data(), expect.size()}, "100-continue")) return refuse(417);
    head.expects_continue = true;
  }
  head.content_type = value_of(header, "Content-Type");
  head.content_encoding = value_of(header, "Content-Encoding");
  head.soap_action = value_of(header, "SOAPAction");
  return head;
}

}  // namespace district::server
