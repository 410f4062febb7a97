#include "server/request_head.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/verb.hpp>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "model/api.h"
#include "server/http_grammar.h"

namespace district::server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Header = http::request_header<>;

std::string_view std_view(beast::string_view text) { return {text.data(), text.size()}; }

std::string_view value_of(const Header& header, beast::string_view name) {
  return std_view(header[name]);
}

std::string_view without_spaces(std::string_view value) {
  while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
  return value;
}

// The rule of framing that a head breaks; nullptr: none. It reads the lines itself, since Beast
// takes a list of equal lengths, and a coding other than chunked as no coding at all: a proxy
// before us may read them otherwise.
const char* framing_problem(std::string_view octets) {
  std::size_t lengths = 0, codings = 0;
  std::string_view length, coding;
  const auto request_line = octets.substr(0, octets.find("\r\n"));
  while (octets.find("\r\n") != std::string_view::npos) {
    octets.remove_prefix(octets.find("\r\n") + 2);
    const auto line = octets.substr(0, octets.find("\r\n"));
    const auto colon = std::min(line.find(':'), line.size());
    const beast::string_view name(line.data(), colon);
    const auto value = without_spaces(line.substr(std::min(colon + 1, line.size())));
    if (beast::iequals(name, "Content-Length")) ++lengths, length = value;
    if (beast::iequals(name, "Transfer-Encoding")) ++codings, coding = value;
  }
  if (lengths > 0 && codings > 0) return "Content-Length beside Transfer-Encoding";
  if (lengths > 1) return "Content-Length twice";
  if (codings > 1) return "Transfer-Encoding twice";
  if (lengths == 1) {
    if (length.find(',') != std::string_view::npos)
      return "Content-Length with more than one value";
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), number);
    const bool digits = !length.empty() && std::all_of(length.begin(), length.end(), is_digit);
    if (!digits) return "Content-Length is no number";
    if (error != std::errc()) return "Content-Length is out of range";
  }
  if (codings == 1) {
    if (!beast::iequals({coding.data(), coding.size()}, "chunked")) {
      return "a Transfer-Encoding other than chunked";
    }
    if (!request_line.ends_with("HTTP/1.1")) return "Transfer-Encoding in HTTP/1.0";
  }
  return nullptr;
}

// The field that is there twice, but must not be; nullptr: none.
const char* twice(const Header& header) {
  const auto names = {"Host",       "Content-Type", "Content-Encoding",
                      "SOAPAction", "Expect",       "Authorization"};
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const char* name) { return header.count(name) > 1; });
  return found == names.end() ? nullptr : *found;
}

bool keeps_alive(const Header& header) {
  bool asked = false;
  const auto [begin, end] = header.equal_range(http::field::connection);
  for (auto field = begin; field != end; ++field) {
    http::token_list options(field->value());
    if (options.exists("close")) return false;
    asked = asked || options.exists("keep-alive");
  }
  return header.version() == 11 || asked;
}

// RFC 3986 section 3.2: host [":" port], without the user information that RFC 9110 section 4.2.4
// wants treated as an error. An https URI has a host (RFC 9110 section 4.2.2), so none is invalid.
bool is_authority(std::string_view text) {
  std::string_view host = text.substr(0, text.find(':'));
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return false;
    boost::system::error_code error;
    boost::asio::ip::make_address_v6(std::string(text.substr(1, end - 1)), error);
    if (error || text.substr(0, end).find('%') != std::string_view::npos) return false;
    host = text.substr(0, end + 1);
  } else if (host.empty() || !std::all_of(host.begin(), host.end(), is_reg_name_char)) {
    return false;
  }
  text.remove_prefix(host.size());
  if (text.empty()) return true;
  text.remove_prefix(1);  // ":"; a port may be empty
  constexpr unsigned kPortMax = 65535;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return text.empty() ||
         (error == std::errc() && end == text.data() + text.size() && port <= kPortMax);
}

// The path and query of origin-form and absolute-form, empty for the other two forms, which belong
// to OPTIONS and CONNECT; nullopt: none of the four (RFC 9112 section 3.2).
std::optional<std::string_view> path_and_query(const Header& header) {
  const auto target = std_view(header.target());
  if (target.starts_with('/')) return target;
  if (header.method() == http::verb::connect) {
    return is_authority(target) ? std::optional(std::string_view()) : std::nullopt;
  }
  if (target == "*") {
    return header.method() == http::verb::options ? std::optional(std::string_view())
                                                  : std::nullopt;
  }
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!beast::iequals(header.target().substr(0, scheme.size()), {scheme.data(), scheme.size()})) {
      continue;
    }
    const auto rest = target.substr(scheme.size());
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    if (!is_authority(rest.substr(0, end))) return std::nullopt;
    // Without a path it is the root, where nothing is, whatever the query.
    return rest.substr(end).starts_with('/') ? rest.substr(end) : std::string_view("/");
  }
  return std::nullopt;
}

// A list may be sent as several fields (RFC 9110 section 5.3).
std::string list_of(const Header& header, beast::string_view name) {
  std::string list;
  const auto [begin, end] = header.equal_range(name);
  for (auto field = begin; field != end; ++field) {
    if (!list.empty()) list += ", ";
    list += std_view(field->value());
  }
  return list;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

Resource resource_at(std::string_view path) {
  if (path == kHealthPath) return Resource::health;
  return is_below(path, kApiPath) ? Resource::api : Resource::service;
}

// RFC 9112 section 3.2: one Host, and a valid one; HTTP/1.0 need not have it.
bool host_is_good(const Header& header) {
  if (header.count(http::field::host) == 0) return header.version() < 11;
  return is_authority(value_of(header, "Host"));
}

RequestHead judge(const Header& header) {
  RequestHead head;
  const auto refuse = [&head](unsigned status, std::string rule) {
    head.refused = status;
    head.rule = std::move(rule);
    return head;
  };
  head.is_post = header.method() == http::verb::post;
  head.is_head = header.method() == http::verb::head;
  const auto target = path_and_query(header);
  if (const char* name = twice(header)) return refuse(400, std::string(name) + " twice");
  if (header.count(http::field::host) == 0 && header.version() == 11) {
    return refuse(400, "no Host");
  }
  if (!host_is_good(header)) return refuse(400, "Host is not a host with an optional port");
  if (!target) return refuse(400, "the request target has none of the four forms");
  head.keep_alive = keeps_alive(header);
  head.chunked = header.count(http::field::transfer_encoding) == 1;
  // Beast has refused one that is out of range.
  const auto length = std_view(header[http::field::content_length]);
  std::from_chars(length.data(), length.data() + length.size(), head.content_length);
  head.has_body = head.chunked || head.content_length > 0;

  const auto mark = target->find('?');
  const auto path = target->substr(0, mark);
  if (mark != std::string_view::npos) head.query = target->substr(mark + 1);
  head.path = path;
  head.resource = resource_at(path);
  if (head.resource == Resource::service && !path.empty() && path != kServicePath) {
    return refuse(404, "there is nothing at this path");
  }

  const bool reads = head.is_head || header.method() == http::verb::get;
  head.allow = head.resource == Resource::service ? "GET, HEAD, POST" : "GET, HEAD";
  if (!reads && !(head.is_post && head.resource == Resource::service)) {
    return refuse(405, "this path takes " + head.allow);
  }

  const auto expect = std_view(header[http::field::expect]);
  if (!expect.empty() && header.version() == 11) {
    if (!beast::iequals({expect.data(), expect.size()}, "100-continue")) {
      return refuse(417, "an expectation other than 100-continue");
    }
    head.expects_continue = true;
  }
  head.content_type = value_of(header, "Content-Type");
  head.content_encoding = value_of(header, "Content-Encoding");
  head.soap_action = value_of(header, "SOAPAction");
  head.authorization = value_of(header, "Authorization");
  head.accept = list_of(header, "Accept");
  head.if_none_match = list_of(header, "If-None-Match");
  head.range = list_of(header, "Range");
  head.if_range = list_of(header, "If-Range");
  return head;
}

// Of a request line that may be wrong, for the log.
std::string_view path_in(std::string_view line) {
  line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  return line.substr(0, line.find_first_of(" ?"));
}

}  // namespace

RequestHead parse_head(std::string_view octets) {
  RequestHead refused;
  refused.refused = 400;
  // Whatever else is wrong, a HEAD gets no body (RFC 9110 section 9.3.2).
  refused.is_head = octets.starts_with("HEAD ");
  refused.path = path_in(octets.substr(0, octets.find("\r\n")));
  if (const char* rule = framing_problem(octets)) {
    refused.rule = rule;
    return refused;
  }
  http::request_parser<http::empty_body> parser;
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // the scanner has one
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());    // who reads the body has one
  boost::system::error_code error;
  parser.put(boost::asio::const_buffer(octets.data(), octets.size()), error);
  if (!error && parser.is_header_done()) return judge(parser.get());
  refused.rule = "a field with a value that it must not have";
  return refused;
}

}  // namespace district::server
