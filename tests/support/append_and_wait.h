// Archive::append() for tests that have nothing to do until the envelope is durable.
#pragma once

#include <future>
#include <utility>

#include "archive/archive.h"

namespace district::test {

struct Appended {
  archive::Evidence evidence;
  Result<Receipt> receipt;
};

inline Appended append_and_wait(archive::Archive& archive, archive::Evidence evidence,
                                const verify::VerifiedEnvelope& verified, const Content& content) {
  std::promise<Appended> durable;
  archive.append(std::move(evidence), verified, content,
                 [&](archive::Evidence back, Result<Receipt> receipt) {
                   durable.set_value({std::move(back), std::move(receipt)});
                 });
  return durable.get_future().get();
}

}  // namespace district::test
