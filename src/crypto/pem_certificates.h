// The certificates of a PEM text, wherever they stand in it and of whatever kinds: those that are
// read, and why the others are not. Private to crypto/. Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"

namespace district::crypto {

struct PemCertificates {
  std::vector<Certificate> read;  // in their order, each once
  std::vector<Error> unread;      // each with its number among all

  // For people: "CN=a; CN=b (an authority's, CA:TRUE); its certificate 3 of 3 was not understood:
  // why". Those that were not understood may be what was meant. At most a few.
  std::string names() const;
};

// At least one is read. `file`: the name of the text, for hints. Errors: token_invalid.
Result<PemCertificates> certificates_of_pem(std::string_view pem, const std::string& file);

}  // namespace district::crypto
