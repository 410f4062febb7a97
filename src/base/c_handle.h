// Owners of C objects without a byte of overhead: the function that frees is part of the type.
#pragma once

#include <memory>

namespace district {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const noexcept {
    static_cast<void>(Free(object));
  }
};

// using XmlDoc = CHandle<xmlDoc, xmlFreeDoc>;
template <typename T, auto Free>
using CHandle = std::unique_ptr<T, FreeWith<Free>>;

}  // namespace district
