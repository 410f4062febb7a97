// What a file is that was given for a certificate or a key, as Windows, Java, SSH and key vaults
// make them. Only PEM is read; of everything else it is told what it is and how to make PEM of it.
// Private to crypto/. Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace district::crypto {

struct PemBlock {
  std::string label;  // "CERTIFICATE"
  Bytes der;
  bool encrypted = false;  // in the old way, by a header
};

struct PemText {
  std::vector<PemBlock> blocks;
  bool damaged =
      false;  // something begins as PEM and cannot be read; it and what follows is left out
};

// A byte order mark of UTF-8 and "Bag Attributes" before the blocks do not matter.
PemText read_pem(std::string_view text);

bool is_certificate(const PemBlock& block);
bool is_private_key(const PemBlock& block);  // encrypted ones are not

enum class Wanted { certificate, private_key };

// Why there is none of what is wanted in the text: what the file is, and in the hint how to make of
// it what is wanted. `file`: its name, as the hint's commands have it.
Error wrong_file(std::string_view text, Wanted wanted, const std::string& file);

}  // namespace district::crypto
