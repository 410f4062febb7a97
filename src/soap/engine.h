// gSOAP's context, used from memory: no sockets and no HTTP in it. Inside soap/ only.
#pragma once

#include <soapH.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "model/envelope.h"

namespace district::soap {

// One context of 164 KB for each thread, reused. What a use has deserialised lives until the next
// `Use` of the same thread begins or this one ends; do not nest them.
class Engine {
 public:
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  class Use {
   public:
    // Reads `input` (which must outlive the use) and writes in the given version of SOAP.
    explicit Use(SoapVersion version, std::string_view input = {});
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    ::soap* context() const { return engine_.context_; }
    const std::string& output() const { return engine_.output_; }
    // gSOAP's words for what went wrong, for the log.
    std::string error_text() const;

   private:
    Engine& engine_;
  };

 private:
  Engine();
  static Engine& of_this_thread();
  static std::size_t receive(::soap* context, char* to, std::size_t size);
  static int send(::soap* context, const char* from, std::size_t size);

  ::soap* context_;
  std::string_view input_;
  std::string output_;
};

// An Envelope around one Body child, as gSOAP reads it.
std::string enveloped(SoapVersion version, std::string_view body_child);

// Prefixes are those of the contract, whatever the sender used; the first table entry decides which
// version of SOAP is spoken before an envelope has been read.
const Namespace* namespace_table(SoapVersion version);

}  // namespace district::soap
