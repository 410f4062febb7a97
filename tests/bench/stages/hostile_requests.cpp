#include "hostile_requests.h"

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "base/limits.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "stage_world.h"
#include "xml/document.h"
#include "xml/namespaces.h"

namespace district::bench {
namespace {

// Room for what else is in a header of the largest size.
constexpr std::size_t kFill = limits::kHeaderOctetsMax - 8 * 1024;

std::string repeated(std::string_view piece, std::size_t octets) {
  std::string text;
  while (text.size() + piece.size() <= octets) text += piece;
  return text;
}

std::string numbered(std::string_view before, std::string_view behind, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text.append(before).append(std::to_string(i)).append(behind);
  return text;
}

std::string der(unsigned char tag, std::string_view content) {
  std::string text(1, static_cast<char>(tag));
  const auto octet = [](std::size_t value) { return static_cast<char>(value & 0xFFU); };
  if (content.size() < 0x80) {
    text += octet(content.size());
  } else {
    text += static_cast<char>(0x83);
    for (const unsigned shift : {16U, 8U, 0U}) text += octet(content.size() >> shift);
  }
  // The shortest form of the length.
  while (text.size() == 5 && text[2] == 0 && static_cast<unsigned char>(text[1]) > 0x81) {
    text.erase(2, 1);
    text[1] = static_cast<char>(static_cast<unsigned char>(text[1]) - 1);
  }
  while (text.size() == 4 && text[2] == 0 && static_cast<unsigned char>(text[1]) > 0x81) {
    text.erase(2, 1);
    text[1] = static_cast<char>(static_cast<unsigned char>(text[1]) - 1);
  }
  return text.append(content);
}

std::string octets_of(const Bytes& bytes) { return std::string(as_text(bytes)); }

std::string name_of(std::string_view common_name) {
  return der(0x30,
             der(0x31, der(0x30, std::string("\x06\x03\x55\x04\x03", 5) + der(0x0C, common_name))));
}

// A certificate that nobody signed: nobody checks who did before its key has been used.
std::string certificate(std::string_view serial, const std::string& subject, std::string_view spki,
                        std::string_view extensions = {}) {
  const std::string sha256_with_rsa("\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B\x05\x00",
                                    15);
  const std::string validity = der(0x30, der(0x17, "250101000000Z") + der(0x17, "351231235959Z"));
  std::string tbs = std::string("\xA0\x03\x02\x01\x02", 5) + der(0x02, serial) + sha256_with_rsa +
                    subject + validity + subject + std::string(spki);
  if (!extensions.empty()) tbs += der(0xA3, der(0x30, extensions));
  return der(0x30, der(0x30, tbs) + sha256_with_rsa + der(0x03, std::string(257, '\0')));
}

std::string many_extensions(std::size_t octets) {
  std::string extensions;
  for (std::size_t i = 0; extensions.size() < octets; ++i) {
    const std::string arc(1, static_cast<char>(i % 127 + 1));
    extensions += der(0x30, der(0x06, "\x2A\x03" + arc) + der(0x04, ""));
  }
  return extensions;
}

// Parts of a request, each with a good default; the signature is a stranger's, and verifies.
struct Hostile {
  const acknowledge::SigningIdentity& signer;
  std::string method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
  std::string blocks = {};        // header blocks in front of Security
  std::string token = {};         // whole BinarySecurityToken
  std::string key_info = {};      // content of KeyInfo
  std::string references = {};    // in front of those of Timestamp and Body
  std::string method_extra = {};  // content of CanonicalizationMethod
  std::string signed_info_extra = {};
  std::string created = "2026-01-15T12:00:00Z";
  std::vector<std::string> prefixes = {};
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::sha256;
};

std::string reference(std::string_view id, std::string_view transforms_extra = "") {
  return "<ds:Reference URI=\"#" + std::string(id) +
         "\"><ds:Transforms><ds:Transform Algorithm=\"" + std::string(xml::ns::kExcC14n) + "\">" +
         std::string(transforms_extra) +
         "</ds:Transform></ds:Transforms><ds:DigestMethod "
         "Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></"
         "ds:DigestMethod><ds:DigestValue>" +
         to_base64(crypto::sha256(as_bytes(id))) + "</ds:DigestValue></ds:Reference>";
}

std::string inclusive_namespaces(std::string_view list) {
  return "<ec:InclusiveNamespaces xmlns:ec=\"" + std::string(xml::ns::kExcC14n) +
         "\" PrefixList=\"" + std::string(list) + "\"></ec:InclusiveNamespaces>";
}

std::string token(std::string_view octets, std::string_view type = "X509v3") {
  const std::string profile =
      "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#";
  return "<wsse:BinarySecurityToken wsu:Id=\"X509\" EncodingType=\"http://docs.oasis-open.org/wss/"
         "2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary\" ValueType=\"" +
         profile + std::string(type) + "\">" + to_base64(as_bytes(octets)) +
         "</wsse:BinarySecurityToken>";
}

std::string write(const Hostile& parts) {
  const std::string signed_info =
      "<ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"" + std::string(xml::ns::kExcC14n) +
      "\">" + parts.method_extra + "</ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"" +
      parts.method + "\"></ds:SignatureMethod>" + parts.references + reference("TS") +
      reference("Body") + parts.signed_info_extra + "</ds:SignedInfo>";
  const std::string key_info = !parts.key_info.empty()
                                   ? parts.key_info
                                   : "<wsse:SecurityTokenReference><wsse:Reference URI=\"#X509\"/>"
                                     "</wsse:SecurityTokenReference>";
  const std::string own_token =
      !parts.token.empty() ? parts.token : token(as_text(parts.signer.certificate.der()));
  const auto text = [&](std::string_view value) {
    return "<soap:Envelope xmlns:soap=\"" + std::string(xml::ns::kSoap11) + "\" xmlns:wsu=\"" +
           std::string(xml::ns::kWsu) + "\"><soap:Header>" + parts.blocks +
           "<wsse:Security xmlns:wsse=\"" + std::string(xml::ns::kWsse) +
           "\" soap:mustUnderstand=\"1\"><wsu:Timestamp wsu:Id=\"TS\"><wsu:Created>" +
           parts.created +
           "</wsu:Created><wsu:Expires>2026-01-15T12:05:00Z</wsu:Expires>"
           "</wsu:Timestamp>" +
           own_token + "<ds:Signature xmlns:ds=\"" + std::string(xml::ns::kDs) + "\">" +
           signed_info + "<ds:SignatureValue>" + std::string(value) +
           "</ds:SignatureValue><ds:KeyInfo>" + key_info +
           "</ds:KeyInfo></ds:Signature></wsse:Security></soap:Header>"
           "<soap:Body wsu:Id=\"Body\"><x/></soap:Body></soap:Envelope>";
  };
  const std::string draft = text("AAAA");
  const auto document = must(xml::Document::parse(as_bytes(draft)));
  xml::Element security;
  for (const auto block : document->root().children().front().children()) {
    if (block.name() == "Security") security = block;
  }
  const auto info = security.child(xml::ns::kDs, "Signature").child(xml::ns::kDs, "SignedInfo");
  const auto canonical = must(xml::canonicalize(info, parts.prefixes));
  return text(to_base64(must(parts.signer.key.sign(parts.hash, as_bytes(canonical)))));
}

Bytes gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  if (::deflateInit2(&stream, 9, Z_DEFLATED, kGzip, 9, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  Bytes packed(::deflateBound(&stream, text.size()));
  std::string copy(text);
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

class Maker {
 public:
  std::vector<HostileRequest> make() {
    blocks();
    signed_infos();
    tokens();
    keys();
    bodies();
    return std::move(requests_);
  }

 private:
  acknowledge::SigningIdentity stranger(const std::string& name, const std::string& type) {
    return {certificates_.make(name, "-days 30", type),
            must(crypto::PrivateKey::from_pem_file(certificates_.key_file(name)))};
  }
  void add(std::string name, const Hostile& parts, ErrorCode expected) {
    add_text(std::move(name), write(parts), expected);
  }
  void add_text(std::string name, const std::string& text, ErrorCode expected) {
    requests_.push_back({std::move(name), expected, to_bytes(as_bytes(text))});
  }

  void blocks();
  void signed_infos();
  void tokens();
  void keys();
  void bodies();

  test::DemoCertificates certificates_;
  const acknowledge::SigningIdentity rsa_ = stranger("stranger", "rsa:2048");
  std::vector<HostileRequest> requests_;
};

constexpr auto kRefused = ErrorCode::authentication_failed;

// What the parser makes a tree of.
void Maker::blocks() {
  Hostile parts{rsa_};
  add("a stranger's ordinary request", parts, kRefused);
  const std::size_t elements = limits::kHeaderNodesMax - 64;
  parts.blocks = "<x>" + repeated("<a/>", 4 * elements) + "</x>";
  add("as many elements as a header may have", parts, kRefused);
  parts.blocks = "<x>" + repeated("<a/>", kFill) + "</x>";
  add("too many elements", parts, ErrorCode::limit_exceeded);
  std::string tag = "<a";
  for (int i = 0; i < 60; ++i) tag += " a" + std::to_string(i) + "=\"\"";
  parts.blocks = "<x>" + repeated(tag + "/>", kFill) + "</x>";
  add("many attributes", parts, ErrorCode::limit_exceeded);
  tag = "<x";
  for (int i = 0; i < 60; ++i)
    tag += " xmlns:p" + std::to_string(i) + "=\"urn:" + std::to_string(i) + "\"";
  std::string prefixed = "<a";
  for (int i = 0; i < 60; ++i) prefixed += " p" + std::to_string(i) + ":a=\"\"";
  parts.blocks = tag + ">" + repeated(prefixed + "/>", kFill) + "</x>";
  add("many attributes of many namespaces", parts, ErrorCode::limit_exceeded);
  parts.blocks = "<x>" + numbered("<a wsu:Id=\"i", "\"/>", limits::kXmlIdsMax - 8) + "</x>";
  add("as many ids as are allowed", parts, kRefused);
  parts.blocks = "<x>" + numbered("<a", "/>", limits::kXmlDistinctNamesMax - 200) + "</x>";
  add("many names", parts, kRefused);
  const std::string text(kFill, 'x');
  parts.blocks = "<x>" + text + "<a/></x>";
  add("long text", parts, kRefused);
  parts.blocks = "<x>" + repeated("&#38;", kFill) + "</x>";
  add("text of references", parts, kRefused);
  parts.blocks = "<x>" + repeated("<!---->", kFill / 2) + "</x>";
  add("many comments", parts, ErrorCode::limit_exceeded);
  parts.blocks = "<x>" + repeated("<![CDATA[]]>", kFill) + "</x>";
  add("many CDATA sections", parts, kRefused);
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += "<a>";
  for (int i = 0; i < 50; ++i) deep += "</a>";
  parts.blocks = "<x>" + repeated(deep, std::min(kFill, 7 * elements)) + "</x>";
  add("deep elements", parts, kRefused);
}

void Maker::signed_infos() {
  Hostile parts{rsa_};
  std::string list;
  std::vector<std::string> prefixes;
  std::string declared;
  for (std::size_t i = 0; i < limits::kPrefixListMax; ++i) {
    prefixes.push_back("p" + std::to_string(i));
    list += prefixes.back() + " ";
    declared += " xmlns:" + prefixes.back() + "=\"urn:" + std::to_string(i) + "\"";
  }
  for (std::size_t i = 2; i < limits::kSignedReferencesMax; ++i) {
    const std::string id = "b" + std::to_string(i);
    parts.blocks += "<x" + declared + " wsu:Id=\"" + id + "\">" +
                    repeated("<a/>", limits::kHeaderNodesMax / 40) + "</x>";
    parts.references += reference(id, inclusive_namespaces(list));
  }
  parts.method_extra = inclusive_namespaces(list);
  parts.prefixes = prefixes;
  add("as many references as are allowed, with prefix lists", parts, kRefused);
  Hostile comments{rsa_};
  comments.signed_info_extra = repeated("<!-- -->", kFill);
  add("comments in SignedInfo", comments, ErrorCode::limit_exceeded);
  Hostile created{rsa_};
  created.created = "2026-01-15T12:00:00." + std::string(kFill, '0') + "Z";
  add("a fraction of many digits", created, kRefused);
  Hostile inclusive{rsa_};
  inclusive.references =
      reference("b", inclusive_namespaces(std::string(limits::kXmlTagBytesMax - 1024, ' ')));
  inclusive.blocks = "<x wsu:Id=\"b\"/>";
  add("a long prefix list", inclusive, kRefused);
}

void Maker::tokens() {
  const auto spki = octets_of(rsa_.certificate.public_key().spki_der());
  const std::size_t most = limits::kTokenBytesMax * 3 / 4 - 1024;
  const auto with = [&](std::string name, const std::string& octets, ErrorCode expected) {
    Hostile parts{rsa_};
    parts.token = token(octets);
    add(std::move(name), parts, expected);
  };
  with("a certificate with a long serial number",
       certificate("\x01" + std::string(most, '\xAA'), name_of("x"), spki),
       ErrorCode::token_invalid);
  with("a certificate with a long name",
       certificate("\x01", name_of(std::string(most / 2, 'x')), spki), kRefused);
  std::string many;
  const auto one = name_of("x");
  while (many.size() < most / 2) many += one.substr(2);
  with("a certificate with a name of many parts", certificate("\x01", der(0x30, many), spki),
       kRefused);
  const std::string extensions = many_extensions(most);
  with("a certificate with many extensions", certificate("\x01", name_of("x"), spki, extensions),
       kRefused);
  const std::string rsa_encryption("\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00",
                                   15);
  const auto huge =
      der(0x30,
          rsa_encryption + der(0x03, std::string(1, '\0') +
                                         der(0x30, der(0x02, "\x7F" + std::string(most, '\xAB')) +
                                                       der(0x02, std::string("\x01\x00\x01", 3)))));
  with("a certificate with a huge modulus", certificate("\x01", name_of("x"), huge),
       ErrorCode::token_invalid);
  // A compressed point on sect571r1, which takes a square root to find.
  const auto algorithm = der(0x30, std::string("\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01", 9) +
                                       std::string("\x06\x05\x2B\x81\x04\x00\x27", 7));
  const std::string point = std::string("\0\x02", 2) + std::string(72, '\x11');
  with("a certificate on another curve",
       certificate("\x01", name_of("x"), der(0x30, algorithm + der(0x03, point))),
       ErrorCode::token_invalid);
  Hostile serial{rsa_};
  serial.key_info =
      "<wsse:SecurityTokenReference><ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>" +
      repeated("CN=a,", kFill) +
      "</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial>"
      "</ds:X509Data></wsse:SecurityTokenReference>";
  add("a long issuer name", serial, ErrorCode::token_unavailable);
}

void Maker::keys() {
  const auto p521 = stranger("p521", "ec -pkeyopt ec_paramgen_curve:P-521");
  Hostile ecdsa{p521};
  ecdsa.method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
  add("a key on P-521", ecdsa, kRefused);
  const auto rsa = stranger(
      "rsa8192", "rsa:8192 -pkeyopt rsa_keygen_primes:5 -pkeyopt rsa_keygen_pubexp:4294967295");
  add("an RSA key of 8192 bits, exponent of 32", Hostile{rsa}, kRefused);
  std::string path;
  const std::size_t certificates =
      std::min(limits::kPkiPathCertificatesMax,
               limits::kTokenBytesMax * 3 / 4 / rsa.certificate.der().size());
  for (std::size_t i = 0; i < certificates; ++i) path += octets_of(rsa.certificate.der());
  Hostile chain{rsa};
  chain.token = token(der(0x30, path), "X509PKIPathv1");
  add("a path of certificates with such keys", chain, kRefused);
  std::string curve_path;
  for (std::size_t i = 0; i < limits::kPkiPathCertificatesMax; ++i)
    curve_path += octets_of(p521.certificate.der());
  Hostile curves = ecdsa;
  curves.token = token(der(0x30, curve_path), "X509PKIPathv1");
  add("a path of certificates on P-521", curves, kRefused);
}

void Maker::bodies() {
  const std::string head = write(Hostile{rsa_});
  const auto body = head.find("<x/>");
  std::string large = head;
  large.insert(body, repeated("<message><head/></message>", 1024 * 1024 - head.size()));
  add_text("a Body of a mebibyte behind a stranger's header", large, kRefused);
  std::string random_text;
  for (unsigned value = 1; random_text.size() < large.size();) {
    value = value * 1664525U + 1013904223U;
    random_text += static_cast<char>('a' + value / 16777216U % 26);
  }
  requests_.push_back(
      {"text of a mebibyte by gzip, no XML", ErrorCode::xml_malformed, gzip(random_text), "gzip"});
  requests_.push_back(
      {"a mebibyte by gzip behind a stranger's header", kRefused, gzip(large), "gzip"});
  const auto p521 = stranger("p521-too", "ec -pkeyopt ec_paramgen_curve:P-521");
  Hostile all{p521};
  all.method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512";
  all.hash = crypto::HashAlgorithm::sha512;
  all.token =
      token(certificate("\x01", name_of("x"), octets_of(p521.certificate.public_key().spki_der()),
                        many_extensions(limits::kTokenBytesMax * 3 / 4 - 1024)));
  std::string tag = "<a";
  for (int i = 0; i < 50; ++i) tag += " a" + std::to_string(i) + "=\"\"";
  all.blocks = "<x>" + repeated(tag + "/>", tag.size() * (limits::kHeaderNodesMax / 52)) +
               std::string(limits::kHeaderOctetsMax - 60 * 1024, 'x') + "</x>";
  add("all of it together", all, kRefused);
  std::string all_large = write(all);
  all_large.insert(all_large.find("<x/>"), random_text.substr(all_large.size()));
  requests_.push_back({"all of it together, by gzip", kRefused, gzip(all_large), "gzip"});
  std::string wide("\xFF\xFE", 2);
  Hostile parts{rsa_};
  parts.blocks = "<x>" + repeated("<a/>", 3 * limits::kHeaderNodesMax) + "</x>";
  for (const char c : write(parts)) wide += std::string{c, '\0'};
  add_text("UTF-16", wide, kRefused);
}

}  // namespace

std::vector<HostileRequest> hostile_requests() { return Maker().make(); }

std::vector<HostileRequest> captured_headers() {
  constexpr std::size_t kMebibyte = std::size_t{1024} * 1024;
  const auto captured = world().request(1, "rsa");
  const std::string good(as_text(captured.octets));
  std::vector<HostileRequest> requests;
  const auto add = [&](std::string name, std::string_view piece,
                       ErrorCode expected = ErrorCode::signature_failed) {
    std::string text = good;
    const std::string_view messages = "<messages>";
    text.insert(text.find(messages) + messages.size(), repeated(piece, kMebibyte - text.size()));
    requests.push_back({std::move(name), expected, to_bytes(as_bytes(text))});
  };
  // No two with the same text in a form that only libxml2 takes for a number.
  std::string odd;
  for (int i = 0; odd.size() < kMebibyte - 2 * good.size(); ++i) {
    odd += message(i);
    odd.replace(odd.rfind("0.12<"), 4, std::to_string(i) + ".000000000000");
  }
  std::string bad_value = message(1);
  bad_value.replace(bad_value.find("0.12<"), 4, "+-0.12");
  std::string unknown = message(1);
  unknown.replace(unknown.find("0.0.1<"), 5, "0.0.2");
  std::string attributes = "<a";
  std::string namespaces = "<a";
  for (int i = 0; i < 30; ++i) {
    const auto number = std::to_string(i);
    attributes.append(" a").append(number).append("=\"\"");
    namespaces.append(" xmlns:p").append(number).append("=\"u:").append(number).append("\" p");
    namespaces.append(number).append(":a=\"\"");
  }
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += "<a>";
  for (int i = 0; i < 50; ++i) deep += "</a>";
  add("messages", message(1));
  add("messages that libxml2 has to judge each", odd);
  add("messages of no known type", unknown);
  add("messages with a value that is none", bad_value);
  add("elements", "<a/>");
  add("elements of messages", "<message/>");
  add("deep elements", deep);
  add("attributes", attributes + "/>");
  add("attributes of many namespaces", namespaces + "/>");
  add("text of references", "<a>" + repeated("&#38;", 16 * 1024) + "</a>");
  add("CDATA sections", "<a>" + repeated("<![CDATA[]]>", 64 * 1024) + "</a>");
  add("comments", "<a>" + repeated("<!---->", 64 * 1024) + "</a>");
  add("lines", "<a>" + repeated("\r\n", 64 * 1024) + "</a>");
  return requests;
}

}  // namespace district::bench
