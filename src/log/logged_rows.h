// The rows of the database that belong to leaves: the entry that each of them demands, and its name
// for people. Private to log/. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/api_key.h"
#include "model/stored_envelope.h"
#include "store/trust_store.h"

namespace district::log {

// An API key or its revocation.
struct LoggedKey {
  std::uint64_t leaf_index = 0;
  ApiKey key;
  bool revocation = false;
  std::string name;
};

// The entry that the row demands. The row of an import has no time, so the time of `entry`, that of
// its leaf, is taken. The entry of an API key has one of two forms.
std::string entry_of(const store::RecordedChange& recorded);
std::string entry_of(const SiteImport& import, const std::string& entry);
std::string entry_of(const LoggedKey& row, const std::string& entry);

// For example "the enrolment for tenant X".
std::string name_of(const store::RecordedChange& recorded);
std::string name_of(const SiteImport& import);

// The "kind" of an entry; empty: it has none that can be read.
std::string kind_of(const std::string& entry);
// Whether entries of this kind change who is trusted.
bool is_trust(std::string_view kind);
// The names of the members in which two entries differ: "tenant, size".
std::string differing_members(const std::string& entry, const std::string& other);

}  // namespace district::log
