#include "crypto/key_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>

#include <algorithm>
#include <array>

#include "crypto/handles.h"

namespace district::crypto {
namespace {

// What a file is, in words, and the command that makes of it a certificate or a key in PEM.
struct Kind {
  std::string name;
  std::string to_certificate, to_key;
};

constexpr const char* kNoCertificate =
    "give the certificate itself, which the authority issues: a file with a -----BEGIN "
    "CERTIFICATE----- block";
constexpr const char* kNoKey =
    "give the private key that the certificate was made for: a file with a -----BEGIN PRIVATE "
    "KEY----- block without a pass phrase";

Kind certificate_der(const std::string& file) {
  return {"a certificate in DER", "openssl x509 -inform DER -in " + file + " -out cert.pem",
          kNoKey};
}

Kind pkcs12(const std::string& file) {
  return {"PKCS#12 (.pfx, .p12): a key with its certificates, under a pass phrase",
          "openssl pkcs12 -in " + file + " -nokeys -clcerts -out cert.pem",
          "openssl pkcs12 -in " + file + " -nocerts -nodes -out key.pem"};
}

Kind pkcs7(const std::string& file, const char* form) {
  return {std::string("PKCS#7 (.p7b, .p7c) in ") + form + ": certificates without a key",
          std::string("openssl pkcs7 ") + (std::string_view(form) == "DER" ? "-inform DER " : "") +
              "-print_certs -in " + file + " -out cert.pem",
          kNoKey};
}

Kind request() {
  return {"a certificate request (CSR)",
          "send it to the authority; what it issues for it is the certificate", kNoKey};
}

Kind private_key_der(const std::string& file) {
  return {"a private key in DER", kNoCertificate,
          "openssl pkey -inform DER -in " + file + " -out key.pem"};
}

Kind encrypted_key(const std::string& file, const char* options) {
  return {"a private key under a pass phrase", kNoCertificate,
          std::string("openssl pkey ") + options + "-in " + file +
              " -out key.pem, which asks for it; a program that runs alone cannot"};
}

Kind public_key() { return {"a public key", kNoCertificate, kNoKey}; }

Kind openssh_key(const std::string& file) {
  return {"a private key of OpenSSH", kNoCertificate,
          "cp " + file + " key.pem && ssh-keygen -p -m PEM -N '' -f key.pem"};
}

template <typename T, auto Free, typename Decode>
bool is_der(ByteView octets, Decode decode) {
  const unsigned char* at = as_uchar(octets);
  const CHandle<T, Free> object{decode(nullptr, &at, static_cast<long>(octets.size()))};
  ::ERR_clear_error();
  return object != nullptr && at == as_uchar(octets) + octets.size();
}

// Empty name: none of these.
Kind kind_of_der(ByteView octets, const std::string& file) {
  if (octets.empty() || octets.front() != std::byte{0x30}) return {};
  if (is_der<X509, ::X509_free>(octets, ::d2i_X509)) return certificate_der(file);
  if (is_der<PKCS12, ::PKCS12_free>(octets, ::d2i_PKCS12)) return pkcs12(file);
  if (is_der<PKCS7, ::PKCS7_free>(octets, ::d2i_PKCS7)) return pkcs7(file, "DER");
  if (is_der<X509_REQ, ::X509_REQ_free>(octets, ::d2i_X509_REQ)) return request();
  if (is_der<X509_CRL, ::X509_CRL_free>(octets, ::d2i_X509_CRL))
    return {"a revocation list (CRL)", kNoCertificate, kNoKey};
  if (is_der<X509_SIG, ::X509_SIG_free>(octets, ::d2i_X509_SIG))
    return encrypted_key(file, "-inform DER ");
  if (is_der<EVP_PKEY, ::EVP_PKEY_free>(octets, ::d2i_PUBKEY)) return public_key();
  if (is_der<EVP_PKEY, ::EVP_PKEY_free>(octets, ::d2i_AutoPrivateKey)) return private_key_der(file);
  return {};
}

bool is_utf16(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return true;
  const auto begin = text.substr(0, 16);
  return begin.size() == 16 && std::ranges::count(begin, '\0') == 8;
}

Kind kind_of_text(std::string_view text, const std::string& file) {
  if (text.empty()) return {"empty", kNoCertificate, kNoKey};
  if (is_utf16(text)) {
    const std::string command = "iconv -f UTF-16 -t UTF-8 " + file + " >file.pem";
    return {"text in UTF-16, as Windows writes it: save it as UTF-8", command, command};
  }
  using namespace std::string_view_literals;
  if (text.starts_with("\xFE\xED\xFE\xED"sv) || text.starts_with("\xCE\xCE\xCE\xCE"sv)) {
    const std::string command = "keytool -importkeystore -srckeystore " + file +
                                " -destkeystore store.p12 -deststoretype PKCS12, then openssl "
                                "pkcs12 -in store.p12 ";
    return {"a key store of Java (JKS, JCEKS)", command + "-nokeys -clcerts -out cert.pem",
            command + "-nocerts -nodes -out key.pem"};
  }
  for (const auto ssh : {"ssh-"sv, "ecdsa-sha2-"sv, "---- BEGIN SSH2 PUBLIC KEY"sv})
    if (text.starts_with(ssh)) return {"a public key of SSH", kNoCertificate, kNoKey};
  if (text.starts_with("PuTTY-User-Key-File"))
    return {"a private key of PuTTY", kNoCertificate,
            "puttygen " + file +
                " -O private-openssh -o key.pem && ssh-keygen -p -m PEM -N '' -f "
                "key.pem"};
  if (text.starts_with("PK\x03\x04")) return {"a ZIP archive: unpack it", kNoCertificate, kNoKey};
  if (text.starts_with("{")) return {"JSON", kNoCertificate, kNoKey};
  if (text.starts_with("<")) return {"XML or a web page", kNoCertificate, kNoKey};
  return {};
}

Kind kind_of_block(const PemBlock& block, const std::string& file) {
  const auto& label = block.label;
  if (label == "PKCS7" || label == "PKCS #7 SIGNED DATA" || label == "CMS")
    return pkcs7(file, "PEM");
  if (label.ends_with("CERTIFICATE REQUEST")) return request();
  if (label == "ENCRYPTED PRIVATE KEY" || block.encrypted) return encrypted_key(file, "");
  if (label == "OPENSSH PRIVATE KEY") return openssh_key(file);
  if (label.ends_with("PUBLIC KEY")) return public_key();
  if (label.ends_with("PRIVATE KEY"))
    return {"a private key", kNoCertificate,
            "only RSA and EC keys are read, and this one cannot be: openssl pkey -in " + file +
                " -noout -text shows what it is"};
  if (is_certificate(block)) return {"a certificate", {}, kNoKey};
  if (label == "X509 CRL") return {"a revocation list (CRL)", kNoCertificate, kNoKey};
  return {"a PEM block " + label.substr(0, 64), kNoCertificate, kNoKey};
}

// Where PEM has no block that can be read.
Kind kind_without_blocks(std::string_view text, const PemText& pem, const std::string& file) {
  if (auto kind = kind_of_der(as_bytes(text), file); !kind.name.empty()) return kind;
  if (auto kind = kind_of_text(text, file); !kind.name.empty()) return kind;
  if (pem.damaged || text.find("-----BEGIN") != std::string_view::npos) {
    const char* hint =
        "each -----BEGIN and -----END line stands alone in its line, with base64 in lines between; "
        "export it anew, or copy the whole of it with its line breaks";
    return {"damaged PEM", hint, hint};
  }
  if (const auto octets = from_base64(text); octets) {
    if (auto kind = kind_of_der(*octets, file); !kind.name.empty()) {
      kind.name += ", in base64 without its BEGIN and END lines";
      const std::string first = "base64 -d " + file + " >file.der, then ";
      const std::string decoded = "file.der";
      auto inner = kind_of_der(*octets, decoded);
      return {kind.name, first + inner.to_certificate, first + inner.to_key};
    }
  }
  return {"neither PEM nor a kind of file that is known here", kNoCertificate, kNoKey};
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

}  // namespace

PemText read_pem(std::string_view text) {
  text = without_byte_order_mark(text);
  PemText result;
  const Bio in{::BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  while (in) {
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* octets = nullptr;
    long length = 0;
    if (::PEM_read_bio(in.get(), &label, &header, &octets, &length) != 1) {
      result.damaged = ERR_GET_REASON(::ERR_peek_last_error()) != PEM_R_NO_START_LINE;
      ::ERR_clear_error();
      break;
    }
    const auto* first = reinterpret_cast<const std::byte*>(octets);
    result.blocks.push_back({label, Bytes(first, first + length),
                             std::string_view(header).find("ENCRYPTED") != std::string_view::npos});
    ::OPENSSL_free(label);
    ::OPENSSL_free(header);
    ::OPENSSL_clear_free(octets, static_cast<std::size_t>(length));  // it may be a key
  }
  return result;
}

bool is_certificate(const PemBlock& block) {
  return block.label == "CERTIFICATE" || block.label == "X509 CERTIFICATE" ||
         block.label == "TRUSTED CERTIFICATE";
}

bool is_private_key(const PemBlock& block) {
  return !block.encrypted && (block.label == "PRIVATE KEY" || block.label == "RSA PRIVATE KEY" ||
                              block.label == "EC PRIVATE KEY");
}

Error wrong_file(std::string_view text, Wanted wanted, const std::string& file) {
  const bool certificate = wanted == Wanted::certificate;
  const auto pem = read_pem(text);
  std::vector<Kind> kinds;
  for (const auto& block : pem.blocks) kinds.push_back(kind_of_block(block, file));
  if (kinds.empty()) kinds.push_back(kind_without_blocks(without_byte_order_mark(text), pem, file));
  std::string names;
  const std::string* hint = nullptr;
  for (const auto& kind : kinds) {
    if (names.find(kind.name) == std::string::npos)
      names += (names.empty() ? "" : " and ") + kind.name;
    const auto& help = certificate ? kind.to_certificate : kind.to_key;
    // A command that helps is better than being told to look for another file.
    const auto general = [](const std::string& hint_text) {
      return hint_text.empty() || hint_text == kNoCertificate || hint_text == kNoKey;
    };
    if (hint == nullptr || (general(*hint) && !general(help))) hint = &help;
  }
  return Error{certificate ? ErrorCode::token_invalid : ErrorCode::config_invalid,
               std::string(certificate ? "no PEM certificate" : "no unencrypted PEM private key") +
                   " found: the file is " + names,
               *hint,
               {},
               {}};
}

}  // namespace district::crypto
