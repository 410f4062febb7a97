#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "config/config.h"
#include "config/standards_file.h"

namespace district::config {
namespace {

namespace fs = std::filesystem;

struct PemFile {
  const char* key;  // its key in the configuration
  fs::path path;
  bool secret;
};

void check_pem(const PemFile& file, std::vector<Finding>& findings) {
  const auto where = std::string(file.key) + ": " + file.path.string();
  std::error_code error;
  const auto status = fs::status(file.path, error);
  if (!fs::exists(status)) {
    findings.push_back(
        {true, where + " does not exist",
         "certs/make-demo-pki makes keys to try with; set " + std::string(file.key) + " to yours"});
    return;
  }
  std::ifstream in(file.path);
  std::string text(64 * 1024, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (fs::is_directory(status) || in.gcount() == 0) {
    findings.push_back({true, where + " cannot be read or is empty",
                        "the user who runs districtd must be able to read it"});
    return;
  }
  if (file.secret && (status.permissions() & fs::perms::others_read) != fs::perms::none) {
    findings.push_back({false, where + " can be read by every user of this machine",
                        "chmod 600 " + file.path.string()});
  }
}

// The nearest folder that exists, since the rest is made at the first start. A link to nothing is
// there, too.
fs::path nearest_existing(fs::path folder) {
  std::error_code error;
  folder = fs::absolute(folder, error);
  while (!fs::exists(fs::symlink_status(folder, error)) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

void check_folder(const char* key, const fs::path& folder, std::vector<Finding>& findings) {
  const auto existing = nearest_existing(folder);
  std::error_code error;
  if (!fs::is_directory(existing, error)) {
    findings.push_back(
        {true, std::string(key) + ": " + existing.string() + " is not a folder",
         "set " + std::string(key) + " to another place, or move away what is there"});
    return;
  }
  if (::access(existing.c_str(), R_OK | W_OK | X_OK) != 0) {
    findings.push_back({true,
                        std::string(key) + ": " + existing.string() + ": " + std::strerror(errno),
                        "the user who runs districtd must be able to write there"});
  }
}

// A file that the server will write to, if it is there already.
void check_writable(const char* key, const fs::path& file, std::vector<Finding>& findings) {
  std::error_code error;
  const auto status = fs::status(file, error);
  if (!fs::exists(status)) return;
  const auto where = std::string(key) + ": " + file.string();
  if (fs::is_directory(status)) {
    findings.push_back({true, where + " is a folder", "it must be a file, or not be there"});
  } else if (::access(file.c_str(), R_OK | W_OK) != 0) {
    findings.push_back({true, where + ": " + std::strerror(errno),
                        "the user who runs districtd must own it: `ls -l` shows who does"});
  }
}

void check_databases(const Config& config, std::vector<Finding>& findings) {
  for (const auto& database : {config.database(), config.rejections_file()}) {
    for (const auto* suffix : {"", "-wal", "-shm"}) {
      check_writable("data.folder", database.string() + suffix, findings);
    }
  }
}

}  // namespace

std::vector<Finding> check_files(const Config& config) {
  std::vector<PemFile> files = {
      {"tls.certificate", config.tls.certificate, false},
      {"tls.key", config.tls.key, true},
      {"receipt.rsa_certificate", config.receipt.rsa_certificate, false},
      {"receipt.rsa_key", config.receipt.rsa_key, true},
      {"receipt.ecdsa_certificate", config.receipt.ecdsa_certificate, false},
      {"receipt.ecdsa_key", config.receipt.ecdsa_key, true},
  };
  if (!config.tls.second_certificate.empty()) {
    files.push_back({"tls.second_certificate", config.tls.second_certificate, false});
    files.push_back({"tls.second_key", config.tls.second_key, true});
  }
  std::vector<Finding> findings;
  for (const auto& file : files) check_pem(file, findings);
  check_folder("data.folder", config.data.folder, findings);
  check_databases(config, findings);
  if (const auto standards = load_standards(config.data.folder / "standards.toml"); !standards)
    findings.push_back({true, standards.error().detail, "docs/reference/kpis.md has the keys"});
  if (!config.log.file.empty()) {
    check_folder("log.file", config.log.file.parent_path(), findings);
    check_writable("log.file", config.log.file, findings);
  }
  return findings;
}

}  // namespace district::config
