#include "archive/evidence.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "archive/compression.h"
#include "base/limits.h"
#include "store/archive_reader.h"

namespace district::archive {
namespace {

// 2 MiB in one transaction: long enough that its sync does not matter, short enough that the
// envelopes that wait for the committing thread meanwhile do not notice.
constexpr std::size_t kChunksAtOnce = 8;

// What is staged, from a given octet on.
class StagedSource final : public ByteSource {
 public:
  StagedSource(std::unique_ptr<store::ArchiveDatabase> database, const store::StagedRaw& staged,
               std::uint64_t from)
      : database_(std::move(database)),
        staged_(staged),
        to_skip_(from),
        frame_([this] { return next_chunk(); }) {}

  Result<ByteView> next() override {
    while (true) {
      DISTRICT_TRY(const auto block, frame_.next());
      if (block.empty() || to_skip_ == 0) return block;
      const auto skipped = std::min<std::uint64_t>(to_skip_, block.size());
      to_skip_ -= skipped;
      if (skipped < block.size()) return block.subspan(skipped);
    }
  }

 private:
  Result<Bytes> next_chunk() {
    if (next_ == staged_.chunk_count) return Bytes{};
    return store::ArchiveReader(*database_).staged_chunk(staged_.raw_id, next_++);
  }

  const std::unique_ptr<store::ArchiveDatabase> database_;
  const store::StagedRaw staged_;
  std::uint64_t to_skip_, next_ = 0;
  FrameReader frame_;
};

}  // namespace

// Passes the blocks of the original source on, and meanwhile keeps all octets: in memory as long as
// they may be handled whole, which only a compressed envelope's rest may end as, then compressed
// and staged. While one batch of chunks is being stored, the next one is compressed.
class StagingSource final : public ByteSource {
 public:
  StagingSource(ByteView first, std::shared_ptr<ByteSource> rest, Staging& staging)
      : first_(first), rest_(std::move(rest)), staging_(staging) {}

  bool large() const { return large_; }
  // All of one that is not large.
  Bytes take_collected() { return std::move(collected_); }

  // Nothing is read or staged any more, and what is staged and not appended is removed.
  void close() {
    static_cast<void>(wait());  // what the batch under way stages is to be removed as well
    if (!appended_ && staged_.raw_id != 0) staging_.discard(staged_.raw_id);
    if (!failed_) failed_ = Error{ErrorCode::internal, "the evidence is gone", {}, {}, {}};
    writer_.reset();
    rest_.reset();
  }

  Result<ByteView> next() override {
    if (failed_) return fail(*failed_);
    if (ended_) return ByteView{};
    auto block = read();
    if (!block) {
      failed_ = block.error();
      writer_.reset();
    }
    return block;
  }

  bool ended() const { return ended_; }
  const store::StagedRaw& staged() const { return staged_; }
  std::uint64_t size() const { return size_; }
  void set_appended() { appended_ = true; }

 private:
  Result<ByteView> read() {
    if (size_ == 0) DISTRICT_CHECK(add(first_));
    DISTRICT_TRY(const auto block, rest_->next());
    if (!block.empty()) {
      DISTRICT_CHECK(add(block));
      return block;
    }
    if (large_) {
      DISTRICT_CHECK(writer_->finish());
      DISTRICT_CHECK(send());
      DISTRICT_CHECK(wait());
    }
    writer_.reset();
    rest_.reset();
    ended_ = true;
    return block;
  }

  Result<Ok> add(ByteView block) {
    size_ += block.size();
    large_ = large_ || size_ > limits::kWholeOctetsMax || first_.size() == limits::kWholeOctetsMax;
    if (!large_) {
      collected_.insert(collected_.end(), block.begin(), block.end());
      return Ok{};
    }
    if (!writer_) {
      writer_.emplace(staging_.compression_level());
      if (!collected_.empty()) DISTRICT_CHECK(write(std::exchange(collected_, {})));
    }
    return write(block);
  }

  Result<Ok> write(ByteView octets) {
    DISTRICT_CHECK(writer_->write(octets));
    return writer_->chunks_ready() < kChunksAtOnce ? Result<Ok>(Ok{}) : send();
  }

  Result<Ok> send() {
    DISTRICT_CHECK(wait());
    under_way_ = staging_.stage(staged_, writer_->take_chunks());
    return Ok{};
  }

  Result<Ok> wait() {
    if (!under_way_.valid()) return Ok{};
    DISTRICT_TRY(staged_, under_way_.get());
    return Ok{};
  }

  const ByteView first_;
  std::shared_ptr<ByteSource> rest_;
  Staging& staging_;
  bool large_ = false;
  Bytes collected_;
  std::optional<FrameWriter> writer_;
  std::future<Result<store::StagedRaw>> under_way_;
  store::StagedRaw staged_;
  std::uint64_t size_ = 0;
  std::optional<Error> failed_;
  bool ended_ = false, appended_ = false;
};

Evidence::Evidence(RawEnvelope raw, Staging& staging) : raw_(std::move(raw)), staging_(&staging) {
  if (!raw_.rest) {
    staging_->announce();
    announced_ = true;
    return;
  }
  // The view stays good when this is moved: the octets do not move with their vector.
  source_ = std::make_shared<StagingSource>(raw_.octets, std::move(raw_.rest), staging);
  raw_.rest = source_;
}

Evidence::Evidence(Evidence&& other) noexcept
    : raw_(std::move(other.raw_)),
      staging_(other.staging_),
      announced_(std::exchange(other.announced_, false)),
      source_(std::move(other.source_)) {}

Evidence& Evidence::operator=(Evidence&& other) noexcept {
  std::swap(raw_, other.raw_);
  std::swap(staging_, other.staging_);
  std::swap(announced_, other.announced_);
  std::swap(source_, other.source_);
  return *this;
}

Evidence::~Evidence() {
  if (announced_) staging_->withdraw();
  if (source_) source_->close();
}

Result<Ok> Evidence::rewind() {
  DISTRICT_CHECK(settle());
  if (!source_ && !std::exchange(announced_, true)) staging_->announce();
  if (!source_) return Ok{};
  DISTRICT_TRY(const auto* staged, this->staged());
  DISTRICT_TRY(auto database, staging_->open_to_read());
  raw_.rest = std::make_shared<StagedSource>(std::move(database), *staged, raw_.octets.size());
  return Ok{};
}

std::uint64_t Evidence::size() const { return source_ ? source_->size() : raw_.octets.size(); }

Result<Ok> Evidence::settle() {
  if (!source_) return Ok{};
  if (!source_->ended())
    return fail(ErrorCode::internal, "a large envelope was not read to its end");
  if (source_->large()) return Ok{};
  raw_.octets = source_->take_collected();
  raw_.rest.reset();
  source_->close();
  source_.reset();
  return Ok{};
}

Result<const store::StagedRaw*> Evidence::staged() {
  DISTRICT_CHECK(settle());
  if (!source_) return nullptr;
  return &source_->staged();
}

void Evidence::set_appended() {
  if (source_) source_->set_appended();
}

}  // namespace district::archive
