// Self-signed certificates of the openssl command line, in a temporary folder.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "crypto/certificate.h"
#include "temporary_folder.h"

namespace district::test {

class DemoCertificates {
 public:
  // type: the value of openssl's -newkey; more: further options, e.g. -addext.
  crypto::Certificate make(const std::string& name, const std::string& more = "-days 30",
                           const std::string& type = "ec -pkeyopt ec_paramgen_curve:P-256") const {
    const auto file = folder_.file(name + ".pem");
    // openssl makes an authority's of what signs itself, unless it is told otherwise.
    const bool says = more.find("basicConstraints") != std::string::npos;
    const auto command = "openssl req -x509 -newkey " + type + " -nodes -keyout " +
                         folder_.file(name + ".key") + " -out " + file +
                         " -subj '/O=Pilots/CN=" + name + "' " +
                         (says ? "" : "-addext basicConstraints=CA:FALSE ") + more + " 2>/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl: " + command);
    return crypto::Certificate::from_pem_file(file).value();
  }
  // Another certificate with the key of an earlier one.
  crypto::Certificate renew(const std::string& name, const std::string& of) const {
    const auto file = folder_.file(name + ".pem");
    const auto command = "openssl req -x509 -key " + key_file(of) + " -out " + file +
                         " -subj '/O=Pilots/CN=" + name +
                         "' -addext basicConstraints=CA:FALSE -days 30 2>/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl: " + command);
    return crypto::Certificate::from_pem_file(file).value();
  }
  std::string certificate_file(const std::string& name) const {
    return folder_.file(name + ".pem");
  }
  std::string key_file(const std::string& name) const { return folder_.file(name + ".key"); }

 private:
  TemporaryFolder folder_;
};

}  // namespace district::test
