#include "audit/envelope_steps.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "receive/receive.h"
#include "verify/security_header.h"
#include "verify/security_policy.h"
#include "xml/namespaces.h"

namespace district::audit {
namespace {

namespace ns = xml::ns;
using xml::Element;

std::string encoding_of(ByteView octets) {
  const auto text = as_text(octets);
  if (text.starts_with("\xEF\xBB\xBF")) return "UTF-8 with a byte order mark";
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return "UTF-16";
  const auto declaration = text.substr(0, text.starts_with("<?xml") ? text.find("?>") : 0);
  const auto at = declaration.find("encoding=");
  if (at == std::string_view::npos || at + 10 >= declaration.size()) return "UTF-8";
  const auto value = declaration.substr(at + 10);
  return std::string(value.substr(0, value.find(declaration[at + 9]))) + ", as declared";
}

bool is_gzip(ByteView octets) { return as_text(octets).starts_with("\x1F\x8B"); }

// Judged by the Envelope. If that cannot be read, by the namespace that is named first.
bool is_soap12(const RawEnvelope& raw, const ParsedDocument& document) {
  if (document) return (*document)->root().namespace_uri() == ns::kSoap12;
  const auto text = as_text(raw.octets);
  return text.find(ns::kSoap12) < text.find(ns::kSoap11);
}

Result<RawEnvelope> received_as(const RequestToExplain& asked, const std::string& content_type) {
  receive::HttpRequest request;
  request.content_type = content_type;
  request.content_encoding = is_gzip(asked.octets) ? "gzip" : "";
  request.soap_action = asked.soap_action;
  request.body = asked.octets;
  constexpr std::size_t kOctetsMax = std::size_t{2} << 30U;
  DISTRICT_TRY(auto raw, receive::make_raw_envelope(std::move(request), kOctetsMax));
  DISTRICT_CHECK(receive::collect_rest(raw));
  return raw;
}

void explain_timestamp(ExaminedMessage& message, Element timestamp) {
  const Element created = timestamp ? timestamp.child(ns::kWsu, "Created") : Element{};
  const Element expires = timestamp ? timestamp.child(ns::kWsu, "Expires") : Element{};
  if (!created || !expires) {
    auto& step = message.steps.add(
        "timestamp", "Timestamp", Finding::bad,
        !timestamp ? "there is no wsu:Timestamp in the Security header"
                   : std::string("the Timestamp has no ") + (created ? "Expires" : "Created"));
    step.more.emplace_back("rule: BSP 1.1 R3203, R3224; WSS 1.1 section 10");
    message.steps.not_checked("window", "Time window", "there is no time to check");
    return;
  }
  const auto times = verify::read_times(created.text(), expires.text());
  if (!times) {
    message.steps.add_error("timestamp", "Timestamp", times.error());
    message.steps.not_checked("window", "Time window", "the Timestamp cannot be read");
    return;
  }
  message.steps.add("timestamp", "Timestamp", Finding::good,
                    "Created " + excerpt(created.trimmed_text()) + ", Expires " +
                        excerpt(expires.trimmed_text()));
  const auto window = verify::check_window(*times, message.asked.at, message.asked.window);
  if (!window) {
    auto& step = message.steps.add_error("window", "Time window", window.error());
    const auto from = times->created - message.asked.window.created_ahead_max;
    const auto until =
        std::min(times->expires, times->created + message.asked.window.created_age_max);
    step.hints.push_back("it is acceptable from " + format_instant(from, 3) + " to " +
                         format_instant(until, 3) +
                         "; the steps below are examined all the same, "
                         "--at judges by another clock");
    return;
  }
  message.steps.add("window", "Time window", Finding::good,
                    "acceptable at " + format_instant(message.asked.at, 3) + ", and until " +
                        format_instant(*window, 3));
}

}  // namespace

Result<Ok> explain_transport(ExaminedMessage& message) {
  auto content_type = message.asked.content_type.empty() ? "text/xml" : message.asked.content_type;
  auto raw = received_as(message.asked, content_type);
  ParsedDocument& document = message.parsed;
  if (raw) document = xml::Document::parse(raw->octets, raw->charset);
  if (raw && message.asked.content_type.empty() && is_soap12(*raw, document)) {
    content_type = "application/soap+xml";
    raw = received_as(message.asked, content_type);
  }
  if (!raw) {
    message.steps.add_error("transport", "Transport", raw.error());
    return fail(raw.error());
  }
  message.raw = *std::move(raw);
  message.steps.add("transport", "Transport", Finding::good,
                    "as Content-Type " + content_type +
                        (message.asked.content_type.empty() ? " (assumed)" : "") +
                        (is_gzip(message.asked.octets) ? ", gzip" : "") + ": SOAP " +
                        (message.raw.soap_version == SoapVersion::v11 ? "1.1" : "1.2"));
  return Ok{};
}

Result<Ok> explain_xml(ExaminedMessage& message) {
  if (!message.parsed) {
    message.steps.add_error("xml", "Encoding and XML", message.parsed.error());
    return fail(message.parsed.error());
  }
  auto& step = message.steps.add("xml", "Encoding and XML", Finding::good,
                                 encoding_of(message.raw.octets) + ", " +
                                     std::to_string(message.raw.octets.size()) +
                                     " octets, well-formed, within the limits, no document type");
  if (as_text(message.raw.octets).find("\r\n") != std::string_view::npos) {
    step.more.emplace_back(
        "line ends are CRLF: XML parsers turn them into LF, and the signer must have digested LF");
  }
  return Ok{};
}

void explain_header(ExaminedMessage& message) {
  const Element root = message.document().root();
  const auto uri = root.namespace_uri();
  const Element header = root.child(uri, "Header");
  message.body = root.child(uri, "Body");
  const bool soap = root.name() == "Envelope" && (uri == ns::kSoap11 || uri == ns::kSoap12);
  const bool same =
      uri == (message.raw.soap_version == SoapVersion::v11 ? ns::kSoap11 : ns::kSoap12);
  std::string blocks;
  for (const Element block : header ? header.children() : std::vector<Element>{})
    blocks += (blocks.empty() ? "" : ", ") + excerpt(block.name());
  auto& step = message.steps.add(
      "envelope", "SOAP envelope", soap && same && message.body ? Finding::good : Finding::bad,
      !soap ? "the document is a " + excerpt(root.name()) + " of the namespace '" + excerpt(uri) +
                  "', no SOAP envelope"
      : !message.body ? std::string("the envelope has no Body")
      : !same         ? std::string("the envelope is of another version of SOAP than the "
                                            "Content-Type")
                      : "header blocks: " + (blocks.empty() ? "none" : blocks));
  if (soap && !same) step.hints.emplace_back("SOAP 1.1 is text/xml, 1.2 application/soap+xml");

  std::size_t count = 0;
  for (const Element block : header ? header.children() : std::vector<Element>{}) {
    if (!block.is(ns::kWsse, "Security")) continue;
    if (count++ == 0) message.security = block;
  }
  if (!message.security) {
    auto& missing =
        message.steps.add("security", "Security header", Finding::bad,
                          "there is no wsse:Security header: the message is not signed");
    missing.hints.emplace_back(
        "configure WS-Security in the client (X.509 signature with a Timestamp); the page of your "
        "client is in docs/how-to");
    return;
  }
  std::string content;
  for (const Element child : message.security.children())
    content += (content.empty() ? "" : ", ") + excerpt(child.name());
  message.steps.add(
      "security", "Security header", count == 1 ? Finding::good : Finding::note,
      (count == 1 ? "one, with " : std::to_string(count) + " of them; the first has ") + content);
  message.signature = message.security.child(ns::kDs, "Signature");
  explain_timestamp(message, message.security.child(ns::kWsu, "Timestamp"));
}

void explain_profile(ExaminedMessage& message) {
  const auto ids = xml::collect_ids(message.document().root());
  if (ids) message.ids = *ids;
  const auto header = verify::read_security_header(message.document(), message.raw.soap_version);
  if (message.signature) {
    if (auto parts = xml::read_signature(message.signature, message.ids))
      message.parts = *std::move(parts);
  }
  if (!header) {
    message.steps.add_error("profile", "Profile", header.error());
    return;
  }
  const auto& signature = header->signature;
  message.steps.add(
      "profile", "Profile", Finding::good,
      "the header has the form that is wanted; the signature covers the Timestamp, the Body" +
          std::string(signature.references.size() > 2
                          ? " and " + std::to_string(signature.references.size() - 2) + " more"
                          : ""));
  std::string digests;
  for (const auto& reference : signature.references) {
    const auto name = short_name(reference.digest_algorithm);
    if (digests.find(name) == std::string::npos) digests += (digests.empty() ? "" : ", ") + name;
  }
  const bool sha1 = signature.signature_algorithm == xml::alg::kRsaSha1;
  auto& step = message.steps.add("algorithms", "Algorithms", sha1 ? Finding::note : Finding::good,
                                 "signature " + short_name(signature.signature_algorithm) +
                                     ", digests " + digests + ", exclusive C14N");
  if (sha1) {
    step.more.emplace_back(
        "rsa-sha1 is accepted only where the certificate's enrolment allows it, until a date");
  }
}

}  // namespace district::audit
