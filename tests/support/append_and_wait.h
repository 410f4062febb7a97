// Archive::append() for tests that have nothing to do until the envelope is durable.
#pragma once

#include <future>
#include <utility>

#include "archive/archive.h"

namespace district::test {

inline Result<Receipt> append_and_wait(archive::Archive& archive, archive::Evidence& evidence,
                                       const verify::VerifiedEnvelope& verified,
                                       const Content& content) {
  std::promise<Result<Receipt>> durable;
  auto outcome = durable.get_future();
  archive.append(evidence, verified, content,
                 [&](Result<Receipt> receipt) { durable.set_value(std::move(receipt)); });
  return outcome.get();
}

}  // namespace district::test
