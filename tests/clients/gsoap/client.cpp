// Sends energy measurements with gSOAP's proxy, signed by its wsse plugin, and verifies what is
// answered.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "AggregationBinding.nsmap"
#include "soapAggregationBindingProxy.h"
#include "wsseapi.h"

namespace {

using Exchange = std::map<std::string, std::string>;
using nlohmann::json;

constexpr const char* kX509 =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#";
constexpr const char* kThumbprint =
    "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1";
constexpr const char* kWsu =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
constexpr const char* kRsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
constexpr const char* kSoap11 = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr const char* kSoap12 = "http://www.w3.org/2003/05/soap-envelope";

template <auto Free>
struct FreeWith {
  void operator()(auto* object) const { Free(object); }
};
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

std::string read_file(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Certificate> certificates(const std::string& file) {
  std::vector<Certificate> found;
  const std::string text = read_file(file);
  const std::unique_ptr<BIO, FreeWith<BIO_free>> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    found.emplace_back(next);
  ERR_clear_error();  // the end of the file
  return found;
}

Key private_key(const std::string& file) {
  const std::string text = read_file(file);
  const std::unique_ptr<BIO, FreeWith<BIO_free>> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

// What goes over the wire, kept by the transport's hooks. A gateway keeps it with its receipts.
struct Wire {
  std::string sent, received;
  int (*send)(soap*, const char*, size_t) = nullptr;
  size_t (*receive)(soap*, char*, size_t) = nullptr;
  int (*verify)(soap*) = nullptr;
  bool verified = false;

  static std::string body(const std::string& http) {
    return http.substr(std::min(http.size(), http.find("\r\n\r\n") + 4));
  }
};

void keep_wire(soap* soap, Wire& wire) {
  soap->user = &wire;
  if (wire.send == nullptr) {
    wire.send = soap->fsend;
    wire.receive = soap->frecv;
  }
  soap->fsend = [](struct soap* context, const char* octets, size_t size) {
    static_cast<Wire*>(context->user)->sent.append(octets, size);
    return static_cast<Wire*>(context->user)->send(context, octets, size);
  };
  soap->frecv = [](struct soap* context, char* octets, size_t size) {
    const size_t got = static_cast<Wire*>(context->user)->receive(context, octets, size);
    static_cast<Wire*>(context->user)->received.append(octets, got);
    return got;
  };
}

// What the plugin says of the signature. Its error alone does not tell: a fault that verifies is an
// error of gSOAP's, too, and a fault's code is what the peer wrote.
void keep_verdict(soap* soap, Wire& wire) {
  wire.verified = false;
  wire.verify = soap->fpreparefinalrecv;
  soap->fpreparefinalrecv = [](struct soap* context) {
    Wire& here = *static_cast<Wire*>(context->user);
    const int error = here.verify(context);
    here.verified = error == SOAP_OK;
    return error;
  };
}

// -- request

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text)
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return result;
}

_urb__AggregateMessageRequest* request_from(soap* soap, const std::string& file) {
  const json given = json::parse(read_file(file));
  auto* request = soap_new__urb__AggregateMessageRequest(soap);
  request->tenantCode = given["tenantCode"];
  request->messages = soap_new_urb__Messages(soap);
  for (const json& entry : given["messages"]) {
    auto* message = soap_new_urb__Message(soap);
    message->head = soap_new_urb__MessageHead(soap);
    message->head->timestamp = entry["timestamp"];
    message->head->messageType =
        soap_new_req_urb__MessageType(soap, entry["type"], entry["version"]);
    message->head->messageSource = soap_new_req_urb__MessageSource(soap, entry["source"]);
    if (!entry["position"].is_null()) {
      message->head->messageSource->messagePosition =
          soap_new_req_urb__MessagePosition(soap, entry["position"][0], entry["position"][1]);
    }
    message->content = soap_new_urb__MessageContent(soap);
    // gcontent is xs:any, which gSOAP takes as literal text.
    for (const json& part : entry["content"]) {
      const std::string name = part[0];
      const std::string xml = "<" + name + ">" + escaped(part[1]) + "</" + name + ">";
      message->content->gcontent.__any.push_back(soap_strdup(soap, xml.c_str()));
    }
    request->messages->message.push_back(message);
  }
  return request;
}

std::string rfc2253(const X509_NAME* name) {
  const std::unique_ptr<BIO, FreeWith<BIO_free>> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

// How KeyInfo names the certificate; always by way of a wsse:SecurityTokenReference.
void refer(soap* soap, X509* certificate, const std::string& reference) {
  if (reference == "token") {
    soap_wsse_add_BinarySecurityTokenX509(soap, "X509Token", certificate);
    soap_wsse_add_KeyInfo_SecurityTokenReferenceX509(soap, "#X509Token");
  } else if (reference == "thumbprint") {
    unsigned char digest[SHA_DIGEST_LENGTH];
    unsigned int size = 0;
    X509_digest(certificate, EVP_sha1(), digest, &size);
    soap_wsse_add_KeyInfo_SecurityTokenReferenceKeyIdentifier(soap, nullptr, kThumbprint, digest,
                                                              static_cast<int>(size));
  } else if (reference == "ski") {
    const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(certificate);
    std::vector<unsigned char> octets(ASN1_STRING_get0_data(id),
                                      ASN1_STRING_get0_data(id) + ASN1_STRING_length(id));
    const std::string type = std::string(kX509) + "X509SubjectKeyIdentifier";
    soap_wsse_add_KeyInfo_SecurityTokenReferenceKeyIdentifier(
        soap, nullptr, type.c_str(), octets.data(), static_cast<int>(octets.size()));
  } else {
    // The plugin has no function for X509IssuerSerial in a SecurityTokenReference.
    const std::unique_ptr<BIGNUM, FreeWith<BN_free>> serial(
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
    char* decimal = BN_bn2dec(serial.get());
    auto* data = soap_new_ds__X509DataType(soap);
    data->X509IssuerSerial = soap_new_req_ds__X509IssuerSerialType(
        soap, soap_strdup(soap, rfc2253(X509_get_issuer_name(certificate)).c_str()),
        soap_strdup(soap, decimal));
    OPENSSL_free(decimal);
    auto* info = soap_wsse_add_KeyInfo(soap);
    info->wsse__SecurityTokenReference = soap_new__wsse__SecurityTokenReference(soap);
    soap_default__wsse__SecurityTokenReference(soap, info->wsse__SecurityTokenReference);
    info->wsse__SecurityTokenReference->ds__X509Data = data;
  }
}

int algorithm_of(const std::string& name) {
  if (name == "rsa-sha1") return SOAP_SMD_SIGN_RSA_SHA1;
  if (name == "ecdsa-sha256") return SOAP_SMD_SIGN_ECDSA_SHA256;  // DER instead of r and s: refused
  return SOAP_SMD_SIGN_RSA_SHA256;
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const size_t start = text.find(from);
  if (start == std::string::npos) return {};
  const size_t begin = start + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

// -- answer

const soap_dom_element* find(const soap_dom_element* from, const std::string& name) {
  for (const auto* element = from; element != nullptr;
       element = soap_dom_next_element(element, nullptr)) {
    const std::string tag = element->name != nullptr ? element->name : "";
    if (tag.substr(tag.find(':') + 1) == name) return element;
  }
  return nullptr;
}

std::string text_of(const soap_dom_element* element) {
  return element != nullptr && element->text != nullptr ? element->text : "";
}

// The plugin verifies the signature and its digests with the certificate in the message, and that
// certificate with the CA. That it is a receipt's, and what is covered, is for us to see. It would
// also take an HMAC whose key is in the message, so the algorithm is for us to see, too.
void judge(soap* soap, const std::vector<Certificate>& receipts, const std::string& sent,
           json& result) {
  const auto* info = soap_wsse_SignedInfo(soap);
  if (info == nullptr || info->SignatureMethod == nullptr ||
      std::string(info->SignatureMethod->Algorithm) != kRsaSha256) {
    result["signature"] = "not rsa-sha256";
    return;
  }
  const Certificate signer(soap_wsse_get_KeyInfo_SecurityTokenReferenceX509(soap));
  bool known = false;
  for (const auto& receipt : receipts)
    known = known || (signer && X509_cmp(signer.get(), receipt.get()) == 0);
  if (!known) {
    result["signature"] = "by none of the receipt certificates";
    return;
  }
  // gSOAP's namespace table makes one of the two WS-Security namespaces, of 1.0 and of 1.1.
  const soap_dom_element* confirmation = find(soap->dom, "SignatureConfirmation");
  if (soap_wsse_verify_body(soap) != SOAP_OK ||
      soap_wsse_verify_element(soap, kWsu, "Timestamp") != 1 || confirmation == nullptr ||
      soap_wsse_verify_element(soap, confirmation->nstr, "SignatureConfirmation") != 1) {
    result["signature"] = "does not cover all";
    return;
  }
  result["signature"] = "verified";
  for (const auto* attribute = confirmation->atts; attribute != nullptr;
       attribute = attribute->next) {
    if (std::string(attribute->name) == "Value") {
      result["confirmed"] =
          attribute->text == between(sent, "<ds:SignatureValue>", "</ds:SignatureValue>");
    }
  }
}

json send(AggregationBindingProxy& service, const char* url,
          const std::vector<Certificate>& receipts, Exchange& exchange) {
  soap* soap = service.soap;
  Wire& wire = *static_cast<Wire*>(soap->user);
  wire.sent.clear();
  wire.received.clear();
  const auto chain = certificates(exchange["certificate"]);
  const Key key = private_key(exchange["key"]);
  // SOAP_XML_CANONICAL: without it the plugin signs without naming a CanonicalizationMethod.
  if (exchange["canonical"] == "no") {
    soap_clr_omode(soap, SOAP_XML_CANONICAL);
  } else {
    soap_set_omode(soap, SOAP_XML_CANONICAL);
  }
  // The WSDL has both versions and gSOAP prefers 1.2; the first line of its table decides.
  namespaces[0].ns = exchange["soap"] == "1.2" ? kSoap12 : kSoap11;
  namespaces[0].in = exchange["soap"] == "1.2" ? kSoap11 : kSoap12;
  soap_set_namespaces(soap, namespaces);
  soap_wsse_delete_Security(soap);
  soap_wsse_add_Timestamp(soap, "Timestamp", 300);
  if (exchange.count("resend") > 0) {
    // Equal content, ids and times give the same octets, down to the signature.
    const std::string first = read_file(exchange["resend"] + "-request.xml");
    auto* timestamp = soap_wsse_Timestamp(soap);
    timestamp->Created = soap_strdup(soap, between(first, "<wsu:Created>", "<").c_str());
    timestamp->Expires = soap_strdup(soap, between(first, "<wsu:Expires>", "<").c_str());
  }
  refer(soap, chain.front().get(), exchange["reference"]);
  soap_wsse_sign_body(soap, algorithm_of(exchange["algorithm"]), key.get(), 0);
  soap_wsse_verify_auto(soap, SOAP_SMD_NONE, nullptr, 0);
  keep_verdict(soap, wire);

  json result;
  _urb__AggregateMessageResponse receipt;
  const int error =
      service.AggregateMessage(url, nullptr, request_from(soap, exchange["request"]), receipt);
  soap->fpreparefinalrecv = wire.verify;
  if (wire.received.empty()) {
    soap_stream_fault(soap, std::cerr);
    std::exit(1);
  }
  const bool signed_answer = soap_wsse_Signature(soap) != nullptr;
  if (const soap_dom_element* fault = find(soap->dom, "Fault")) {
    // The plugin replaces an unsigned fault by its own FailedCheck; the server's is in the DOM.
    std::string code = text_of(find(fault, "faultcode"));
    if (code.empty()) code = text_of(find(find(fault, "Subcode"), "Value"));  // SOAP 1.2
    if (code.empty()) code = text_of(find(find(fault, "Code"), "Value"));
    result["fault"] = code.substr(code.find(':') + 1);
    result["text"] =
        text_of(find(fault, "faultstring")) + text_of(find(find(fault, "Reason"), "Text"));
  }
  std::ostringstream why;
  if (error != SOAP_OK) soap_stream_fault(soap, why);
  result["gsoap"] = why.str();
  result["confirmed"] = false;
  if (!signed_answer) {
    result["signature"] = "none";
  } else if (!wire.verified) {
    result["signature"] = "does not verify";
  } else {
    judge(soap, receipts, wire.sent, result);
  }
  if (error == SOAP_OK && result["signature"] == "verified" && result["confirmed"])
    result["receiptId"] = receipt.receiptId;
  std::ofstream(exchange["record"] + "-request.xml", std::ios::binary) << Wire::body(wire.sent);
  std::ofstream(exchange["record"] + "-answer.xml", std::ios::binary) << Wire::body(wire.received);
  return result;
}

}  // namespace

int main(int, char** arguments) {
  const auto receipts = certificates(arguments[3]);
  AggregationBindingProxy service(SOAP_C_UTFSTRING);
  soap* soap = service.soap;
  soap_register_plugin(soap, soap_wsse);
  // Of TLS and of the certificates in answers.
  if (soap_ssl_client_context(soap, SOAP_SSL_DEFAULT, nullptr, nullptr, arguments[2], nullptr,
                              nullptr) != SOAP_OK) {
    soap_stream_fault(soap, std::cerr);
    return 1;
  }
  Wire wire;
  keep_wire(soap, wire);
  soap->send_timeout = soap->recv_timeout = 30;
  for (std::string line; std::getline(std::cin, line);) {
    Exchange exchange;
    std::istringstream words(line);
    for (std::string word; words >> word;)
      exchange[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    std::cout << send(service, arguments[1], receipts, exchange).dump() << std::endl;
    service.destroy();
  }
  return 0;
}
